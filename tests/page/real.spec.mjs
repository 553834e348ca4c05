// The page with its real trainer, on WebGPU in software: everything that a visitor does.

import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { count_steps } from './cost.mjs';
import { bmp, png_header, unzip, zip } from './formats.mjs';
import { download, drag, draw_over, fill, in_folder, kept_offline, launch, open, page_folder, screenshot, serve, write_files } from './harness.mjs';
import { no_room_while } from './watched.mjs';
import { PROTOCOL_VERSION, start_worker, worker_files } from './worker.mjs';

const MINUTE = 60_000;
/** Waits for what takes one step, one image, one start: generous, as other jobs may share the machine. */
const SOON = 3 * MINUTE;
/** Waits for a whole training. */
const LONG = 15 * MINUTE;

/** The sample set as the page makes it for a slow device. */
const SAMPLE = { images: 60, side: 128 };

/**
 * The shortest training that finds the objects of the sample set: 64 steps of 8 × 96 × 96 pixels, by the
 * plain classifier, which every other training starts with.
 */
const TRAINING = { method: 'cam', size: 96, batch: 8, 'cam-epochs': 8, 'cam-learning-rate': 0.01, color: 0 };
/** What it must score, in percent. All background scores 22: one class of four. */
const MIOU_FLOOR = 33;

/** Opens the page in a browser of its own and waits until the trainer has found its device. */
async function start(t, options = {}) {
  const host = await serve(options);
  const browser = await launch(options);
  t.after(async () => {
    await browser.close();
    await host.close();
  });
  const visit = await open(browser, host.url + (options.path ?? ''), options);
  if (!options.path) await visit.page.locator('.device-line').waitFor({ timeout: SOON });
  return visit;
}

/** Takes the sample set and fills the form in. */
async function prepare(page, settings) {
  await page.getByRole('button', { name: 'Try the sample set' }).click();
  await page.getByText(`${SAMPLE.images} photos`, { exact: true }).waitFor({ timeout: SOON });
  await fill(page, settings);
}

const train = (page) => page.getByRole('button', { name: /^Train( again)?$/ }).click();
const words_of_run = (page) => page.locator('.run-title');

/** The run's bar has moved: at least one step was taken. */
async function first_steps(page) {
  const bar = page.getByRole('progressbar', { name: 'Training' });
  await bar.waitFor({ timeout: SOON });
  await page.waitForFunction(
    (element) => Number(element.getAttribute('aria-valuenow')) > 0, await bar.elementHandle(), { timeout: SOON },
  );
}

test('sample set to downloaded masks', { timeout: 2 * LONG }, async (t) => {
  const { page, requests, errors } = await start(t);
  const line = page.locator('.device-line');
  assert.match(await line.innerText(), /GPU.*swiftshader.*largest buffer/is);
  await screenshot(page, 'real-1-empty');
  await kept_offline(page);
  const before = requests.length;

  await prepare(page, TRAINING);
  await screenshot(page, 'real-2-data');
  await train(page);
  await first_steps(page);
  await page.getByRole('button', { name: 'Pause' }).click();
  await page.getByRole('button', { name: 'Resume' }).waitFor();
  await page.getByText('paused', { exact: true }).waitFor({ timeout: SOON });
  await screenshot(page, 'real-3-paused');
  await page.getByRole('button', { name: 'Resume' }).click();
  // A live picture: colours lie over a photo.
  await page.waitForFunction(
    () => [...document.querySelectorAll('#run .photo-over')].some((canvas) => canvas.width > 1),
    null, { timeout: SOON },
  );
  await screenshot(page, 'real-4-training');
  await words_of_run(page).getByText('Training is finished').waitFor({ timeout: LONG });
  await screenshot(page, 'real-5-trained');

  await page.getByRole('button', { name: 'Make masks' }).click();
  const save = page.getByRole('button', { name: 'Download the masks (.zip)' });
  await save.waitFor({ timeout: LONG });
  await screenshot(page, 'real-6-masks');
  const miou = Number.parseFloat(await page.locator('.score-number').innerText());
  t.diagnostic(`mIoU ${miou} %`);
  assert.ok(miou >= MIOU_FLOOR, `mIoU ${miou} %, less than ${MIOU_FLOOR} %`);

  const packed = await download(page, () => save.click());
  assert.match(packed.name, /\.zip$/);
  const files = unzip(packed.bytes);
  const masks = [...files].filter(([name]) => name.endsWith('.png'));
  assert.equal(masks.length, SAMPLE.images);

  await page.locator('#mask-format').selectOption('coco-rle');
  await page.getByLabel('With the photos').check();
  const coco = unzip((await download(page, () => save.click())).bytes);
  const json = [...coco].find(([name]) => name.endsWith('.json'));
  const { images, annotations, categories } = JSON.parse(json[1].toString());
  assert.deepEqual([images.length, categories.length], [SAMPLE.images, 3]);
  assert.ok(annotations.length > 0 && annotations.every(({ segmentation }) => segmentation.counts.length > 0));
  for (const { file_name } of images) assert.ok([...coco.keys()].some((name) => name.endsWith(file_name)), file_name);
  for (const [name, bytes] of masks) {
    assert.deepEqual(png_header(bytes), { width: SAMPLE.side, height: SAMPLE.side, is_palette: true }, name);
  }
  const classes = [...files].find(([name]) => name.endsWith('classes.txt'));
  assert.ok(classes, [...files.keys()].join(' '));
  assert.equal(classes[1].toString().trim().split('\n').length, 4);

  const report = await download(page, () => page.getByRole('button', { name: 'Run report' }).click());
  assert.equal(report.name, 'report.html');
  for (const said of ['Confusion', '<svg', 'data:image/png;base64,', `${SAMPLE.images} photos of 3 classes`, `mIoU`]) {
    assert.ok(report.bytes.includes(said), said);
  }
  const run = unzip((await download(page, () => page.getByRole('button', { name: 'Download the trained network' }).click())).bytes);
  assert.deepEqual(run.get('report.html'), report.bytes);

  // A network learns from the masks, and then draws them in photos that nobody labelled.
  await page.getByText('How it learns').click();
  await fill(page, { 'segmenter-epochs': 3, 'segmenter-learning-rate': 0.02 });
  await page.getByRole('button', { name: 'Train a segmenter on these masks' }).click();
  await page.getByRole('button', { name: 'Download the model' }).waitFor({ timeout: LONG });
  const photo = bmp(120, 90, (x, y) => (Math.hypot(x - 60, y - 45) < 20 ? [190, 60, 70] : [235, 225, 215]));
  await page.locator('#new-files-input').setInputFiles([
    { name: 'new.bmp', mimeType: 'image/bmp', buffer: photo },
    { name: 'cut off.bmp', mimeType: 'image/bmp', buffer: photo.subarray(0, 40) },
  ]);
  const keep = page.getByRole('button', { name: 'Download these masks (.zip)' });
  await keep.waitFor({ timeout: LONG });
  await page.getByText('1 file was left out').waitFor();
  await screenshot(page, 'real-7-new-photos');
  const drawn = unzip((await download(page, () => keep.click())).bytes);
  assert.deepEqual(png_header(drawn.get('new.png')), { width: 120, height: 90, is_palette: true });
  await page.locator('#new-mask-format').selectOption('coco-rle');
  await page.locator('#new-mask-photos').check();
  const new_coco = unzip((await download(page, () => keep.click())).bytes);
  assert.ok([...new_coco.keys()].some((name) => name.endsWith('/new.bmp')), [...new_coco.keys()].join(' '));
  const model = unzip((await download(page, () => page.getByRole('button', { name: 'Download the model' }).click())).bytes);
  assert.equal(JSON.parse(model.get('model.json').toString()).backbone, 'tiny');
  assert.ok(model.has('model.safetensors'), [...model.keys()].join(' '));

  assert.deepEqual(requests.slice(before), [], 'nothing is asked of the network after the page has loaded');
  assert.deepEqual(errors, []);
});

/** Photos of two classes, and what is found among real ones. */
function photos_with_bad_files() {
  const photo = (hue) => bmp(48, 40, (x, y) => (Math.hypot(x - 24, y - 20) < 12 ? hue : [90, 90 + y, 90 + x]));
  return {
    'photos/apple/1.bmp': photo([200, 30, 30]),
    'photos/apple/2.bmp': photo([220, 40, 40]),
    'photos/plum/3.bmp': photo([60, 30, 160]),
    'photos/plum/4.bmp': photo([70, 40, 150]),
    'photos/plum/cut off.bmp': photo([70, 40, 150]).subarray(0, 100),
    'photos/apple/no image.jpg': 'this is text',
  };
}

async function expect_problems(page) {
  await page.getByText('4 photos', { exact: true }).waitFor({ timeout: SOON });
  await page.getByText('2 images cannot be read').click();
  const listed = page.locator('.problems li');
  assert.equal(await listed.count(), 2);
  const text = (await listed.allInnerTexts()).join('\n');
  for (const name of ['cut off.bmp', 'no image.jpg']) assert.ok(text.includes(name), text);
}

/** The shortest trainings in which each method takes steps of all its kinds. */
const METHODS = {
  'adversarial-erasing': { 'erasing-epochs': 2, 'localizer-steps': 4, 'adversary-steps': 4 },
  'adaptive-affinity': { 'affinity-epochs': 2, 'warm-up': 1 },
  box2seg: { 'box-epochs': 2, 'pretraining-epochs': 1 },
};

for (const [method, settings] of Object.entries(METHODS)) {
  test(`${method} trains and ends with masks to download`, { timeout: 2 * LONG }, async (t) => {
    const { page, errors } = await start(t);
    await prepare(page, { method, size: 64, batch: 8, ...settings });
    await train(page);
    await first_steps(page);
    await words_of_run(page).getByText('Training is finished').waitFor({ timeout: LONG });
    if (method === 'adversarial-erasing') await page.getByText('What is left for the second network').waitFor();
    await screenshot(page, `real-${method}`);
    await page.getByText('How masks are made').click();
    await fill(page, { scales: '1' });
    await page.getByRole('button', { name: 'Make masks' }).click();
    const save = page.getByRole('button', { name: 'Download the masks (.zip)' });
    await save.waitFor({ timeout: LONG });
    await screenshot(page, `real-${method}-masks`);
    const files = unzip((await download(page, () => save.click())).bytes);
    assert.equal([...files.keys()].filter((name) => name.endsWith('.png')).length, SAMPLE.images);
    t.diagnostic(`mIoU ${await page.locator('.score-number').innerText()}`);
    assert.deepEqual(errors, []);
  });
}

test('boxes that are drawn are what is learned from', { timeout: LONG }, async (t) => {
  const { page, errors } = await start(t);
  const photo = (x0, y0) => bmp(80, 60, (x, y) => (
    x >= x0 && x < x0 + 30 && y >= y0 && y < y0 + 30 ? [200, 30, 30 + y] : [40, 120 + x, 90 + y]
  ));
  const corners = [[6, 10], [40, 6], [30, 24], [10, 20]];
  const photos = zip(Object.fromEntries(corners.map(([x0, y0], index) => [`tile/${index}.bmp`, photo(x0, y0)])));
  await page.locator('#files-input').setInputFiles({ name: 'photos.zip', mimeType: 'application/zip', buffer: photos });
  await page.getByText('4 photos', { exact: true }).waitFor({ timeout: SOON });
  await fill(page, { method: 'box2seg' });
  await page.locator('.boxes .tile').first().click();
  for (const [index, [x0, y0]] of corners.slice(0, 3).entries()) {
    if (index > 0) await page.getByRole('button', { name: 'Next photo' }).click();
    await drag(page, [(x0 - 4) / 80, (y0 - 4) / 60], [(x0 + 34) / 80, (y0 + 34) / 60]);
    await page.locator('.mark.drawn').waitFor();
  }
  await page.getByRole('button', { name: 'Done' }).click();
  await page.getByText('3 of 4 photos have a box, 3 boxes in all.').waitFor();
  await fill(page, { size: 64, batch: 2, 'box-epochs': 12, 'pretraining-epochs': 1 });
  await train(page);
  await words_of_run(page).getByText('Training is finished').waitFor({ timeout: LONG });
  await page.getByText('How masks are made').click();
  await fill(page, { scales: '1' });
  await page.getByRole('button', { name: 'Make masks' }).click();
  const save = page.getByRole('button', { name: 'Download the masks (.zip)' });
  await save.waitFor({ timeout: LONG });
  await screenshot(page, 'real-drawn-boxes');
  const files = unzip((await download(page, () => save.click())).bytes);
  let labelled = 0;
  for (const [index, [x0, y0]] of corners.slice(0, 3).entries()) {
    const found = await labelled_pixels(page, files.get(`${index}.png`));
    labelled += found.length;
    const inside = found.filter(([x, y]) => x >= x0 - 5 && x < x0 + 35 && y >= y0 - 5 && y < y0 + 35).length;
    t.diagnostic(`photo ${index}: ${inside} of ${found.length} labelled pixels in its box`);
    // Masks follow edges in the photo, a little beyond their box where they must.
    assert.ok(inside >= 0.8 * found.length, `photo ${index}: ${found.length - inside} pixels outside its box`);
  }
  assert.ok(labelled > 500, `${labelled} pixels of 3 × 900`);
  assert.deepEqual(errors, []);
});

/** Where an index PNG is not background, which is black in its palette: `[x, y]` each. */
function labelled_pixels(page, png) {
  return page.evaluate(async (bytes) => {
    const image = await createImageBitmap(new Blob([new Uint8Array(bytes)]));
    const context = new OffscreenCanvas(image.width, image.height).getContext('2d');
    context.drawImage(image, 0, 0);
    const { data } = context.getImageData(0, 0, image.width, image.height);
    const pixels = [];
    for (let at = 0; at < data.length; at += 4) {
      if (data[at] + data[at + 1] + data[at + 2] > 0) pixels.push([(at / 4) % image.width, Math.floor(at / 4 / image.width)]);
    }
    return pixels;
  }, [...png]);
}

test('a folder with bad files in it', { timeout: LONG }, async (t) => {
  const { page, errors } = await start(t);
  await in_folder(async (folder) => {
    await write_files(folder, photos_with_bad_files());
    await page.locator('#folder-input').setInputFiles(path.join(folder, 'photos'));
    await expect_problems(page);
    await screenshot(page, 'real-folder-with-problems');
    await page.getByRole('button', { name: 'Choose other data' }).click();

    // The same as one zip.
    const packed = { name: 'photos.zip', mimeType: 'application/zip', buffer: zip(photos_with_bad_files()) };
    await page.locator('#files-input').setInputFiles(packed);
    await expect_problems(page);
    await page.getByRole('button', { name: 'Choose other data' }).click();

    // Nothing usable at all.
    await write_files(folder, { 'nothing/notes.txt': 'no photo here' });
    await page.locator('#folder-input').setInputFiles(path.join(folder, 'nothing'));
    await page.getByRole('alert').getByText('This data set cannot be used').waitFor({ timeout: SOON });
    await screenshot(page, 'real-folder-without-photos');
  });
  assert.deepEqual(errors, []);
});

test('the worker is killed in the middle of a run', { timeout: LONG }, async (t) => {
  const { page, requests } = await start(t);
  await prepare(page, { method: 'cam', size: 64, 'cam-epochs': 50 });
  await kept_offline(page);
  const before = requests.length;
  await train(page);
  await first_steps(page);
  assert.equal(page.workers().length, 1);
  // The worker goes before it can answer, so the answer is an error.
  await page.workers()[0].evaluate(() => self.close()).catch(() => {});

  await page.getByRole('alert').getByText('The trainer has stopped').waitFor({ timeout: SOON });
  await screenshot(page, 'real-worker-killed');
  assert.equal(await page.getByText(`${SAMPLE.images} photos`, { exact: true }).count(), 1, 'the data stays');
  await page.getByRole('button', { name: 'Start again' }).click();
  await page.locator('.device-line').waitFor({ timeout: SOON });

  // The fresh one goes through both rounds of the whole method.
  await fill(page, { method: 'spatial-bce', rounds: 1, 'cam-epochs': 1, epochs: 1 });
  await train(page);
  await words_of_run(page).getByText('Round 2 of 2: Spatial-BCE').waitFor({ timeout: LONG });
  await words_of_run(page).getByText('Training is finished').waitFor({ timeout: LONG });
  for (const caption of ['Mask threshold', 'Share of the photo']) {
    const values = await page.getByRole('table', { name: caption }).innerText();
    assert.match(values, /erythrocyte\s+\d/, caption);
  }
  await screenshot(page, 'real-spatial-bce');
  const after = requests.slice(before).filter((url) => !/trainer(-worker)?\.js/.test(url));
  assert.deepEqual(after, [], 'a fresh worker takes nothing but its scripts');
});

test('stopping keeps what was learned', { timeout: LONG }, async (t) => {
  const { page, errors } = await start(t);
  await prepare(page, { method: 'cam', size: 64, 'cam-epochs': 50 });
  await train(page);
  await first_steps(page);
  await page.getByRole('button', { name: 'Stop' }).click();
  await words_of_run(page).getByText('Stopped').waitFor({ timeout: SOON });
  await page.getByRole('button', { name: 'Make masks' }).waitFor();
  await screenshot(page, 'real-stopped');
  assert.deepEqual(errors, []);
});

test('a run goes on after reloads, across rounds', { timeout: 2 * LONG }, async (t) => {
  const { page, errors } = await start(t);
  await prepare(page, { method: 'spatial-bce', size: 64, batch: 8, rounds: 2, 'cam-epochs': 1, epochs: 2 });
  await train(page);
  const steps = async () => Number((await page.getByRole('progressbar', { name: 'Training' })
    .getAttribute('aria-valuetext')).match(/step ([\d,]+)/)?.[1].replace(',', ''));
  for (const round of ['Round 2 of 3', 'Round 3 of 3']) {
    await words_of_run(page).getByText(round).waitFor({ timeout: LONG });
    await page.getByText('kept in this browser').waitFor({ timeout: SOON });
    await page.reload();
    // It goes on by itself, from its last checkpoint.
    await words_of_run(page).getByText(/^Round \d of 3/).waitFor({ timeout: LONG });
    const reached = await steps();
    // Eight steps in round 1, sixteen in each of the others: the rounds that had ended are not lost.
    assert.ok(reached >= (round === 'Round 2 of 3' ? 8 : 24), `${round}: ${reached}`);
    assert.equal(await page.locator('#rounds').inputValue(), '2', 'settings come back');
    await words_of_run(page).getByText(round).waitFor({ timeout: LONG });
  }
  await words_of_run(page).getByText('Training is finished').waitFor({ timeout: LONG });
  const values = await page.getByRole('table', { name: 'Share of the photo' }).innerText();
  assert.match(values, /erythrocyte\s+\d/, 'shares of before the reload are there');

  // The network of an earlier round is there to compare with.
  await page.getByText('How masks are made').click();
  await fill(page, { scales: '1' });
  await page.getByRole('button', { name: 'Make masks' }).click();
  await page.getByRole('button', { name: 'Download the masks (.zip)' }).waitFor({ timeout: LONG });
  await page.getByRole('slider', { name: 'Masks after' }).focus();
  await page.keyboard.press('Home');
  await page.getByRole('button', { name: 'Make masks of this round' }).click();
  await page.getByRole('region', { name: 'Rounds in numbers' }).waitFor({ timeout: LONG });
  await screenshot(page, 'real-rounds');
  assert.deepEqual(errors, []);
});

test('a project makes room, and its masks are the same after a reload', { timeout: LONG }, async (t) => {
  const worker = no_room_while('projects/old/run/optimizer.safetensors') + await readFile(path.join(page_folder, 'trainer-worker.js'), 'utf8');
  const { page, errors } = await start(t, { webgpu: false, files: { 'trainer-worker.js': worker } });
  await prepare(page, { method: 'cam', size: 64, 'cam-epochs': 2 });
  await page.evaluate(async () => {
    const card = {
      version: 1, name: 'An old one', source: { kind: 'sample', images: 6 }, photos: 6, fingerprint: '',
      weights: null, progress: '1 round, finished', is_finished: true,
    };
    for (const [path, text] of [['project.json', JSON.stringify(card)], ['run/optimizer.safetensors', 'momentum'], ['run/weights.safetensors', 'weights']]) {
      const parts = ['projects', 'old', ...path.split('/')];
      let folder = await navigator.storage.getDirectory();
      for (const part of parts.slice(0, -1)) folder = await folder.getDirectoryHandle(part, { create: true });
      const file = await (await folder.getFileHandle(parts.at(-1), { create: true })).createWritable();
      await file.write(text);
      await file.close();
    }
  });
  await train(page);
  await words_of_run(page).getByText('Training is finished').waitFor({ timeout: LONG });
  await page.getByText('the training state of An old one was removed').waitFor({ timeout: SOON });
  await page.getByText('kept in this browser').waitFor({ timeout: SOON });

  await page.getByText('How masks are made').click();
  await fill(page, { scales: '1' });
  await page.getByRole('button', { name: 'Make masks' }).click();
  const packed = page.getByRole('button', { name: 'Download the masks (.zip)' });
  await packed.waitFor({ timeout: LONG });
  const masks = async () => unzip((await download(page, () => packed.click())).bytes);
  const drawn = await masks();
  const names = () => page.evaluate(async () => {
    const found = [];
    const walk = async (folder, path) => {
      for await (const [name, handle] of folder.entries()) {
        if (handle.kind === 'directory') await walk(handle, `${path}${name}/`);
        else found.push(path + name);
      }
    };
    await walk(await navigator.storage.getDirectory(), '');
    return found;
  });
  const written = async (name) => {
    while (!(await names()).some((path) => path.endsWith(`/run/${name}`))) {
      await page.evaluate(() => new Promise(requestAnimationFrame));
    }
  };
  await written('made-masks-last.zip');

  // One is corrected, by keyboard.
  await draw_over(page, 0);
  await page.keyboard.press('Escape');
  await page.getByText('1 mask was corrected by hand').waitFor({ timeout: SOON });
  await written('made-masks-last-0.png');
  const before = await masks();
  const changed = [...before].filter(([name, bytes]) => !Buffer.from(bytes).equals(Buffer.from(drawn.get(name))));
  assert.equal(changed.length, 1, 'only the corrected mask is another one');
  const score = await page.locator('.score-number').innerText();
  assert.ok((await names()).includes('projects/old/run/weights.safetensors'), 'what the old one has learned stays');
  await page.reload();
  await packed.waitFor({ timeout: SOON });
  await page.getByText('1 mask was corrected by hand').waitFor({ timeout: SOON });
  assert.equal(await page.locator('.score-number').innerText(), score);
  assert.deepEqual(await masks(), before);
  const network = unzip((await download(page, () => page.getByRole('button', { name: 'Download the trained network' }).click())).bytes);
  assert.ok([...network.keys()].every((name) => !name.startsWith('made-masks')), [...network.keys()].join());
  assert.ok(network.get('model.onnx').length > 1000);
  assert.deepEqual(errors, []);
});

test('without WebGPU the processor trains', { timeout: LONG }, async (t) => {
  const { page, requests, errors } = await start(t, { webgpu: false });
  const line = page.locator('.device-line');
  assert.match(await line.innerText(), /^CPU \(no GPU in use\)/);
  await line.click();
  for (const browser of ['Chrome', 'Edge', 'Safari', 'Firefox']) {
    assert.ok(await page.locator('.device-help').getByText(browser).count() > 0, browser);
  }
  await screenshot(page, 'real-no-webgpu');
  await kept_offline(page);
  const before = requests.length;
  await prepare(page, { method: 'cam', size: 64, 'cam-epochs': 1 });
  await train(page);
  await words_of_run(page).getByText('Training is finished').waitFor({ timeout: LONG });
  assert.deepEqual(requests.slice(before), []);
  assert.deepEqual(errors, []);
});

/** The worker's script, with another before it that runs in the worker only. */
const worker_with = async (prelude) =>
  worker_files(`if (typeof WorkerGlobalScope !== 'undefined') { ${prelude} }\n`);

test('labels and classes that are changed are what is learned from', { timeout: LONG }, async (t) => {
  const { page, errors } = await start(t, { webgpu: false });
  await prepare(page, { ...TRAINING, size: 64, 'cam-epochs': 1 });
  const bars = async () => Object.fromEntries(await page.locator('#data .bars tr').evaluateAll(
    (rows) => rows.map((row) => [row.querySelector('.bars-name').textContent, Number(row.querySelector('.bars-value').textContent)]),
  ));
  const before = await bars();
  const labels = page.getByRole('dialog', { name: 'Labels' });
  const press = (name) => labels.getByRole('button', { name, exact: true }).click();
  await page.getByRole('button', { name: 'Edit labels' }).click();
  // The first that is none of the classes.
  const first = labels.getByRole('option', { name: /no label$/ }).first();
  const photo = (await first.getAttribute('title')).split('/').at(-1);
  await first.click();
  await labels.getByRole('checkbox', { name: 'bacillus' }).click();
  await labels.getByText('bacillus added to 1 photo').waitFor();
  await press('Change erythrocyte');
  await labels.locator('#class-name').fill('red cell');
  await page.keyboard.press('Enter');
  await labels.getByText('red cell is the new name of erythrocyte').waitFor();
  await press('Change leukocyte');
  await press('Remove this class');
  await press('Yes, remove it');
  await labels.getByText('leukocyte removed').waitFor();
  await press('Done');
  const after = await bars();
  assert.deepEqual([after['red cell'], after.bacillus, after.leukocyte], [before.erythrocyte, before.bacillus + 1, undefined]);
  await train(page);
  await words_of_run(page).getByText('Training is finished').waitFor({ timeout: LONG });
  await page.getByRole('button', { name: 'Make masks' }).click();
  const save = page.getByRole('button', { name: 'Download the masks (.zip)' });
  await save.waitFor({ timeout: LONG });
  // Scored against supplied masks, whose third class means the second now.
  assert.deepEqual(
    (await page.locator('.score .bars-name').allInnerTexts()), ['background', 'red cell', 'bacillus'],
  );
  const files = unzip((await download(page, () => save.click())).bytes);
  assert.equal(files.get('classes.txt').toString(), 'background\nred cell\nbacillus\n');
  await page.getByRole('button', { name: 'Edit labels' }).click();
  const table = (await download(page, () => press('Download labels'))).bytes.toString();
  assert.match(table, new RegExp(`${photo},\\[bacillus\\]`));
  assert.doesNotMatch(table, /leukocyte|erythrocyte/);

  // It is all there after a reload, and the kept run fits it.
  await page.keyboard.press('Escape');
  await page.getByText('kept in this browser').waitFor({ timeout: SOON });
  await page.reload();
  await words_of_run(page).getByText('Training is finished').waitFor({ timeout: LONG });
  await save.waitFor({ timeout: LONG });
  assert.deepEqual(await bars(), after);
  assert.deepEqual(errors, []);
});

test('where only the page has WebGPU, the page trains', { timeout: LONG }, async (t) => {
  const { page, errors } = await start(t, { files: await worker_with('delete WorkerNavigator.prototype.gpu;') });
  assert.match(await page.locator('.device-line').innerText(), /GPU/);
  assert.equal(page.workers().length, 0);
  await prepare(page, { method: 'cam', size: 64, batch: 2, 'cam-epochs': 1 });
  await train(page);
  // The page stays alive between two steps: a click is heard in the middle of the run.
  await first_steps(page);
  await page.getByRole('button', { name: 'Pause' }).click();
  await page.getByText('paused', { exact: true }).waitFor({ timeout: SOON });
  await page.getByRole('button', { name: 'Resume' }).click();
  await words_of_run(page).getByText('Training is finished').waitFor({ timeout: LONG });
  assert.deepEqual(errors, []);
});

test('a GPU that gives no device is left alone', { timeout: LONG }, async (t) => {
  const refuse = "GPUAdapter.prototype.requestDevice = async () => { throw new Error('the driver refused'); };";
  const { page } = await start(t, { files: await worker_with(refuse) });
  assert.match(await page.locator('.device-line').innerText(), /^CPU/);
  const notice = page.getByText('The GPU could not be used, so the processor trains');
  assert.match(await notice.innerText(), /: Error: the driver refused$/);
  await screenshot(page, 'real-gpu-refused');
  await prepare(page, { method: 'cam', size: 64, 'cam-epochs': 1 });
  await train(page);
  await words_of_run(page).getByText('Training is finished').waitFor({ timeout: LONG });
});

test('an imitated GPU is left for the processor at a click', { timeout: LONG }, async (t) => {
  const { page, errors } = await start(t);
  await prepare(page, { method: 'cam', size: 64, 'cam-epochs': 1 });
  await page.locator('.device-line').click();
  await screenshot(page, 'real-imitated-gpu');
  await page.getByRole('button', { name: 'Use the processor' }).click();
  await page.locator('.device-line').getByText('CPU (no GPU in use)').waitFor({ timeout: SOON });
  await page.getByText(`${SAMPLE.images} photos`, { exact: true }).waitFor({ timeout: SOON });
  await train(page);
  await words_of_run(page).getByText('Training is finished').waitFor({ timeout: LONG });
  assert.deepEqual(errors, []);
});

/** A data set and MobileNetV2's weights of your own, which the project does not carry. */
const { TAG2MASK_DATA, TAG2MASK_WEIGHTS } = process.env;
const own_data = TAG2MASK_DATA && TAG2MASK_WEIGHTS ? {} : { skip: 'TAG2MASK_DATA and TAG2MASK_WEIGHTS are not set' };

test('a pretrained network on photos', { timeout: LONG, ...own_data }, async (t) => {
  const { page, errors } = await start(t);
  await page.locator('#folder-input').setInputFiles(TAG2MASK_DATA);
  await page.locator('#settings').getByRole('button', { name: 'Train', exact: true }).waitFor({ timeout: SOON });
  await page.locator('#backbone').selectOption('mobilenet-v2');
  await page.locator('#weights').setInputFiles(TAG2MASK_WEIGHTS);
  await fill(page, { method: 'cam', size: 64, batch: 2 });
  await train(page);
  await first_steps(page);
  await screenshot(page, 'real-photos');
  await page.getByRole('button', { name: 'Stop' }).click();
  await words_of_run(page).getByText('Stopped').waitFor({ timeout: SOON });
  assert.deepEqual(errors, []);
});

/** Tensor work of these takes seconds on a software GPU; ResNet-50 takes minutes. */
const references = /^((spatial_bce|adversarial_erasing|box2seg|adaptive_affinity|ngwp|pamr|dense_crf)_.*|(mobilenet_v2|resnet18)_forward)\.safetensors$/;
/** There is at least one file of each. */
const prefixes = [
  'spatial_bce_', 'adversarial_erasing_', 'box2seg_', 'adaptive_affinity_', 'ngwp_', 'pamr_', 'dense_crf_', 'mobilenet_v2_forward', 'resnet18_forward',
];

test('golden tensors on WebGPU', { timeout: LONG }, async (t) => {
  const folder = process.env.TAG2MASK_GOLDEN ?? fileURLToPath(new URL('../golden/', import.meta.url));
  const names = (await readdir(folder)).filter((name) => references.test(name)).sort();
  for (const prefix of prefixes) {
    assert.ok(names.some((name) => name.startsWith(prefix)), `no file ${prefix}*: ${folder}`);
  }
  const files = await worker_files();
  for (const name of names) files[`golden/${name}`] = await readFile(path.join(folder, name));
  const { page } = await start(t, { path: 'alone.html', files });
  const send = await start_worker(page);
  const { event: { device } } = await send({ command: 'start', version: PROTOCOL_VERSION }, 'device-ready');
  const payload = names.map((name) => ({ name, bytes: `./golden/${name}` }));
  const { bytes } = await send({ command: 'conformance' }, 'file-ready', payload);
  const measured = JSON.parse(bytes);

  assert.equal(device.backend, 'webgpu');
  for (const { file, what, error, tolerance } of measured) {
    t.diagnostic(`${file}: ${what} ${error.toExponential(2)}`);
    assert.ok(error <= tolerance, `${file}: ${what} is off by ${error}, more than ${tolerance}`);
  }
  for (const name of names) assert.ok(measured.some(({ file }) => file === name), `not computed: ${name}`);
});

test('a step on the GPU reads nothing back', { timeout: LONG }, async (t) => {
  const { stages, peak_memory } = await count_steps({ backbone: 'tiny', size: 32, batch: 1, images: 4 });
  assert.deepEqual(Object.keys(stages).sort(), ['cam', 'network', 'threshold']);
  for (const [name, { steps, intervals, reads, dispatches }] of Object.entries(stages)) {
    t.diagnostic(`${name}: ${(dispatches / steps).toFixed(1)} kernels a step, ${reads} reads of losses in ${steps} steps`);
    // Losses are read together, once for several steps; nothing else may be.
    assert.equal(reads, intervals, name);
    assert.ok(dispatches > 0, name);
  }
  t.diagnostic(`${(peak_memory / 2 ** 20).toFixed(0)} MiB of the GPU's memory at most`);
});
