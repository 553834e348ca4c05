// The page alone, with a trainer that only plays: every state, in seconds and without a GPU.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { download, drag, kept_offline, screenshot, serve } from './harness.mjs';
import {
  browser, button, empty_module, ready, start, take_sample, title, trainer_for, zip_file,
} from './mock.mjs';
import { weights_file, weights_host } from './weights-host.mjs';

test('from the sample set to the download', async (t) => {
  const { page, errors, requests } = await start(t, { pace: 0.3 });
  assert.match(await page.locator('.device-line').innerText(), /^GPU: NVIDIA.* · largest buffer 2 GiB$/);
  await screenshot(page, 'ui-1-empty');
  await kept_offline(page);
  const loaded = requests.length;
  await take_sample(page);
  await page.waitForFunction(() => !document.querySelector('#data .photo.waiting'));
  await screenshot(page, 'ui-2-data');

  await button(page, 'Train').click();
  await title(page, 'Round 2 of 3: Spatial-BCE');
  await button(page, 'Pause').click();
  await page.getByText('paused', { exact: true }).waitFor();
  assert.ok(await page.locator('.chart .line.total').count() >= 2, 'a line for each round');
  await screenshot(page, 'ui-3-paused');
  await button(page, 'Resume').click();
  await title(page, 'Training is finished');
  assert.ok(await button(page, 'Train again').isDisabled(), 'the same settings would give the same');
  await screenshot(page, 'ui-4-trained');

  await button(page, 'Make masks').click();
  await button(page, 'Download the masks (.zip)').waitFor();
  assert.equal(await page.locator('.score-number').innerText(), '61.4 %');
  await page.getByRole('slider', { name: 'Mask over photo' }).fill('100');
  await screenshot(page, 'ui-5-masks');
  await button(page, 'platelet').click();
  const names = await page.locator('#results .tile-name').allInnerTexts();
  assert.ok(names.length > 0 && names.every((name) => name.includes('platelet')), names.join());
  const masks = await download(page, () => button(page, 'Download the masks (.zip)').click());
  assert.deepEqual([masks.name, masks.bytes.toString()], ['masks.zip', 'not really a zip']);
  await page.getByText('masks.zip is in your downloads.').waitFor();

  assert.equal(await page.locator('#mask-photos').count(), 0, 'masks alone have no place for photos');
  await page.locator('#mask-format').selectOption({ label: 'COCO, run lengths' });
  await page.getByText('exact, for pycocotools').waitFor();
  await page.getByLabel('With the photos').check();
  await screenshot(page, 'ui-5-format');
  const coco = await download(page, () => button(page, 'Download the masks (.zip)').click());
  assert.equal(coco.name, 'masks-coco-rle.zip');
  assert.deepEqual(
    (await asked(page, 'pack-masks')).map(({ format, photos }) => [format, photos]),
    [['index-png', false], ['coco-rle', true]],
  );

  await page.locator('#results .tile').first().click();
  const large = page.getByRole('dialog');
  await large.waitFor();
  await page.keyboard.press('Escape');
  await large.waitFor({ state: 'hidden' });
  assert.deepEqual(requests.slice(loaded), [], 'nothing is fetched after loading');
  assert.deepEqual(errors, []);
});

test('two runs stand side by side on the same photos', async (t) => {
  const { page, errors } = await start(t, { pace: 0.05 });
  await take_sample(page);
  await page.getByText('Opens when two runs have masks', { exact: false }).waitFor();
  await page.locator('#method').selectOption('cam');
  await button(page, 'Train').click();
  await title(page, 'Training is finished');
  await button(page, 'Make masks').click();
  await button(page, 'Download the masks (.zip)').waitFor();
  await page.locator('#method').selectOption('adversarial-erasing');
  await button(page, 'Train again').click();
  await title(page, 'Training is finished');
  await button(page, 'Make masks').click();
  const region = page.getByRole('region', { name: 'Runs in numbers' });
  await region.getByRole('columnheader', { name: 'Adversarial erasing' }).waitFor();
  await region.getByRole('columnheader', { name: 'CAM only' }).waitFor();
  assert.equal(await region.getByRole('row', { name: /^mean IoU/ }).getByRole('cell').count(), 2);
  assert.equal(await page.locator('.compared > li').first().locator('figure').count(), 2);
  await page.locator('#compare').scrollIntoViewIfNeeded();
  await screenshot(page, 'ui-compare');
  await region.getByRole('button', { name: /^Remove CAM only/ }).click();
  await page.getByText('Opens when two runs have masks', { exact: false }).waitFor();
  assert.deepEqual(errors, []);
});

test('a network learns from the masks, and photos without labels get theirs', async (t) => {
  const { page, errors } = await start(t, { pace: 0.1, hold: true });
  await take_sample(page);
  await page.getByText('Opens when masks are made.').waitFor();
  await button(page, 'Train').click();
  await title(page, 'Training is finished');
  await button(page, 'Make masks').click();
  await button(page, 'Download the masks (.zip)').waitFor();
  const learn = button(page, 'Train a segmenter on these masks');
  await learn.waitFor();
  await page.locator('#new-photos').scrollIntoViewIfNeeded();
  await screenshot(page, 'ui-6-new-invitation');

  await learn.click();
  await page.getByRole('progressbar', { name: 'New photos' }).waitFor();
  assert.ok(await button(page, 'Make them anew').isDisabled(), 'one work at a time');
  assert.ok(await page.getByRole('button', { name: /^Train( again)?$/ }).isDisabled());
  await screenshot(page, 'ui-7-new-training');
  await button(page, 'Stop here').click();
  await button(page, 'Go on learning').click();
  await button(page, 'Go on learning').waitFor({ state: 'hidden' });
  await button(page, 'Download the model').waitFor();
  assert.equal(await page.locator('#run .run-title').innerText(), 'Training is finished', 'the first run stays as it was');

  await page.locator('#new-files-input').setInputFiles([{ name: '1.jpg', mimeType: 'image/jpeg', buffer: Buffer.from('x') }]);
  await button(page, 'Download these masks (.zip)').waitFor();
  assert.equal(await page.locator('#new-photos .tile').count(), 9);
  await page.getByText('1 file was left out').waitFor();
  await screenshot(page, 'ui-8-new-photos');
  const masks = await download(page, () => button(page, 'Download these masks (.zip)').click());
  assert.equal(masks.name, 'new-masks.zip');
  const model = await download(page, () => button(page, 'Download the model').click());
  assert.equal(model.name, 'segmenter.zip');
  // New masks are another thing to learn from.
  await button(page, 'Make them anew').click();
  await button(page, 'Train it anew').waitFor();
  assert.deepEqual(errors, []);
});

test('the page is usable while the trainer loads', async (t) => {
  const host = await serve({ files: { 'trainer-worker.js': trainer_for({}) } });
  const context = await browser().newContext({ viewport: { width: 1440, height: 900 }, reducedMotion: 'reduce' });
  t.after(async () => {
    await context.close();
    await host.close();
  });
  const page = await context.newPage();
  let release;
  const held = new Promise((done) => { release = done; });
  await page.route('**/trainer-cpu_bg.wasm', async (route) => {
    await held;
    await route.fulfill({ body: empty_module, contentType: 'application/wasm' });
  });
  await page.goto(host.url);
  await page.getByRole('progressbar', { name: 'Loading the trainer' }).waitFor();
  await button(page, 'Try the sample set').click();
  await page.getByText('waiting for the trainer to load').waitFor();
  await screenshot(page, 'ui-loading');
  release();
  await button(page, 'Train').waitFor();
});

test('a stopped run goes on where it was', async (t) => {
  const { page, errors } = await start(t);
  await take_sample(page);
  await button(page, 'Train').click();
  await title(page, 'Round 1');
  await page.locator('.chart .line').first().waitFor();
  await button(page, 'Stop').click();
  await title(page, 'Stopped');
  const bar = page.getByRole('progressbar', { name: 'Training' });
  const steps = async () => Number((await bar.getAttribute('aria-valuetext')).match(/step ([\d,]+)/)[1].replace(',', ''));
  const reached = await steps();
  await screenshot(page, 'ui-stopped');
  await button(page, 'Go on training').click();
  await title(page, 'Round 1');
  assert.ok(await steps() >= reached, 'progress does not fall back');
  assert.deepEqual(errors, []);
});

test('rounds are compared by their masks', async (t) => {
  const { page, errors } = await start(t, { pace: 0.1 });
  await take_sample(page);
  await button(page, 'Train').click();
  await title(page, 'Training is finished');
  await button(page, 'Make masks').click();
  await button(page, 'Download the masks (.zip)').waitFor();
  const rounds = page.getByRole('slider', { name: 'Masks after' });
  assert.equal(await rounds.getAttribute('aria-valuetext'), 'Round 3 of 3: Spatial-BCE');
  await rounds.focus();
  await page.keyboard.press('Home');
  assert.equal(await rounds.getAttribute('aria-valuetext'), 'Round 1 of 3: classifier');
  await button(page, 'Make masks of this round').click();
  await page.locator('.score-number', { hasText: '43.4 %' }).waitFor();
  const table = page.getByRole('region', { name: 'Rounds in numbers' });
  assert.deepEqual(await table.locator('thead th').allInnerTexts(), ['', 'Round 1', 'Round 3']);
  assert.deepEqual(await table.locator('tbody tr').first().locator('td').allInnerTexts(), ['43.4 %', '61.4 %']);
  await page.locator('#results').scrollIntoViewIfNeeded();
  await screenshot(page, 'ui-rounds');
  // Back without waiting: what was made stays.
  await rounds.focus();
  await page.keyboard.press('End');
  await page.locator('.score-number', { hasText: '61.4 %' }).waitFor();
  assert.ok(await page.locator('#results .tile').count() >= 4);
  assert.deepEqual(errors, []);
});

/** Chooses the method that learns from boxes. */
async function choose_boxes(page) {
  await page.locator('#method').selectOption('box2seg');
  await page.getByRole('heading', { name: 'Boxes', exact: true }).waitFor();
  await page.waitForFunction(() => !document.querySelector('.boxes .photo.waiting'));
}

/** What the trainer was asked: commands of these names. */
const asked = async (page, ...names) => (
  (await page.workers()[0].evaluate(() => self.received)).filter(({ command }) => names.includes(command))
);

const tile = (page, n) => page.locator('.boxes .tile').nth(n);
const drawn = (page) => page.locator('.mark.drawn');

test('a method says what it learns from, and what it lacks', async (t) => {
  const { page, errors } = await start(t);
  await take_sample(page);
  const note = page.locator('.method-note');
  await note.getByText('learns from labels').waitFor();
  await note.getByText('Spatial-BCE', { exact: true }).waitFor();
  assert.equal(await page.locator('.boxes').count(), 0);
  await note.getByText('Where it comes from').click();
  await note.getByText('ECCV 2022').waitFor();
  await screenshot(page, 'ui-method');

  await choose_boxes(page);
  await note.getByText('learns from boxes, drawn below').waitFor();
  await page.getByText('Box2Seg learns from boxes: draw some above, or add boxes.csv to the photos.').waitFor();
  assert.ok(await button(page, 'Train').isDisabled());
  assert.ok(await button(page, 'Download boxes.csv').isDisabled());
  assert.equal(await page.locator('#cycle').count(), 0, 'settings of other methods are hidden');
  await screenshot(page, 'ui-boxes-1-none');
  await page.locator('#method').selectOption('cam');
  await ready(page);
  assert.equal(await page.locator('.boxes').count(), 0);
  assert.deepEqual(errors, []);
});

test('boxes are drawn with the mouse, and reach the trainer before the training', async (t) => {
  const { page, errors } = await start(t, { pace: 0.3 });
  await take_sample(page);
  await choose_boxes(page);
  await tile(page, 0).click();
  await page.getByText('Labelled with none of the classes.').waitFor();
  await drag(page, [0.25, 0.25], [0.5, 0.75]);
  assert.equal(await drawn(page).count(), 1);
  await page.getByText('Its boxes add red blood cell.').waitFor();
  const one = { class: 0, x0: 32, y0: 24, x1: 64, y1: 72 };
  assert.deepEqual(await asked(page, 'set-boxes'), [{ command: 'set-boxes', image: 0, boxes: [one] }]);

  await page.locator('.draw-tools .chip', { hasText: 'platelet' }).click();
  await drag(page, [0.6, 0.1], [0.9, 0.3]);
  // By its inside, then by its corner.
  await drag(page, [0.75, 0.2], [0.75, 0.7]);
  await drag(page, [0.9, 0.8], [1.2, 1.2]);
  const two = { class: 2, x0: 77, y0: 58, x1: 128, y1: 96 };
  assert.deepEqual((await asked(page, 'set-boxes')).at(-1).boxes, [one, two]);
  await page.locator('#box-class').selectOption({ label: 'white blood cell' });
  assert.deepEqual((await asked(page, 'set-boxes')).at(-1).boxes, [one, { ...two, class: 1 }]);
  await screenshot(page, 'ui-boxes-2-drawing');

  await drag(page, [0.05, 0.05], [0.06, 0.05]);
  assert.equal(await page.locator('.mark.selected').count(), 0, 'a click beside boxes lets go of them');
  assert.ok(await button(page, 'Delete').isDisabled());
  await drag(page, [0.4, 0.5], [0.4, 0.5]);
  await button(page, 'Delete').click();
  assert.equal(await drawn(page).count(), 1);
  await button(page, 'Undo').click();
  assert.equal(await drawn(page).count(), 2);
  await button(page, 'Redo').click();
  await button(page, 'Undo').click();
  await button(page, 'Next photo').click();
  await page.getByText('Labelled red blood cell.').waitFor();
  assert.equal(await drawn(page).count(), 0);
  assert.ok(await button(page, 'Undo').isDisabled(), 'each photo has its own steps');
  await drag(page, [0.7, 0.8], [0.2, 0.2]);
  await button(page, 'Done').click();
  await page.getByText('2 of 160 photos have a box, 3 boxes in all.').waitFor();
  await page.getByText('passes over 2 photos.').waitFor();
  await screenshot(page, 'ui-boxes-3-drawn');

  const table = await download(page, () => button(page, 'Download boxes.csv').click());
  assert.equal(table.name, 'boxes.csv');
  assert.equal(table.bytes.toString(), [
    'image,class,x0,y0,x1,y1',
    'sample/images/field_000.png,red blood cell,32,24,64,72',
    'sample/images/field_000.png,white blood cell,77,58,128,96',
    'sample/images/field_001.png,red blood cell,26,19,90,77',
    '',
  ].join('\n'));

  await button(page, 'Train').click();
  await title(page, 'Training is finished');
  assert.equal((await asked(page, 'set-boxes', 'train')).at(-1).command, 'train');
  assert.ok(await button(page, 'Train again').isDisabled());
  const changed = page.locator('#run').getByText('Boxes have changed since this run began');
  assert.equal(await changed.count(), 0);
  await tile(page, 1).click();
  await button(page, 'New box').click();
  await button(page, 'Done').click();
  await ready(page, 'Train again');
  await changed.waitFor();
  assert.deepEqual(errors, []);
});

test('boxes are drawn by keyboard alone', async (t) => {
  const { page, errors } = await start(t, { boxes: true });
  await take_sample(page);
  await choose_boxes(page);
  await page.getByText(/^\d+ of 160 photos have a box/).waitFor();
  await screenshot(page, 'ui-boxes-4-given');
  await tile(page, 0).focus();
  await page.keyboard.press('Enter');
  await page.waitForFunction(() => document.activeElement?.id === 'box-add');
  const on = (id) => page.waitForFunction((id) => document.activeElement?.id === id, id);
  const label = () => page.evaluate(() => document.activeElement.getAttribute('aria-label'));
  await page.keyboard.press('n');
  await on('box-0');
  assert.equal(await label(), 'Box 1 of 1: red blood cell, 32 × 24 pixels, 48 from the left, 36 from the top');
  assert.equal(await page.evaluate(() => getComputedStyle(document.activeElement).outlineStyle), 'solid');
  for (const key of ['ArrowRight', 'Alt+ArrowRight', 'ArrowUp', 'Shift+ArrowLeft', 'Shift+Alt+ArrowDown']) {
    await page.keyboard.press(key);
  }
  assert.equal(await label(), 'Box 1 of 1: red blood cell, 31 × 25 pixels, 50 from the left, 35 from the top');
  await page.keyboard.press('2');
  assert.match(await label(), /white blood cell/);
  await page.locator('dialog [aria-live]').getByText('white blood cell, 31 × 25 pixels').waitFor({ state: 'attached' });
  await page.keyboard.press('n');
  await on('box-1');
  await page.keyboard.press('Shift+Tab');
  await on('box-0');
  assert.equal(await page.locator('#box-0.selected').count(), 1, 'selected where the focus is');
  await page.keyboard.press('Delete');
  assert.match(await label(), /^Box 1 of 1: white blood cell, 32 × 24/);
  await page.keyboard.press('Delete');
  await on('box-add');
  await page.keyboard.press('Control+z');
  assert.equal(await drawn(page).count(), 1);
  await page.keyboard.press('Control+z');
  assert.equal(await drawn(page).count(), 2);
  await page.keyboard.press('Control+Shift+Z');
  assert.equal(await drawn(page).count(), 1);
  await page.keyboard.press('PageDown');
  await page.getByText('Labelled red blood cell.').waitFor();
  assert.equal(await drawn(page).count(), 2, 'those that came with the photo');
  await page.keyboard.press('PageDown');
  await page.keyboard.press('PageUp');
  await page.keyboard.press('PageUp');
  assert.equal(await drawn(page).count(), 1);
  await page.keyboard.press('Escape');
  await page.locator('dialog.draw').waitFor({ state: 'hidden' });
  assert.equal(await label(), null, 'the focus is back on the tile');
  assert.ok(await tile(page, 0).evaluate((element) => element === document.activeElement));
  assert.deepEqual(errors, []);
});

test('boxes are drawn with a finger on a small screen', async (t) => {
  const { page, errors } = await start(t, {}, { width: 360, height: 780 });
  await take_sample(page);
  await choose_boxes(page);
  await tile(page, 3).click();
  await page.waitForFunction(() => !document.querySelector('.draw-stage .photo.waiting'));
  const finger = (from, to) => page.locator('.draw-stage').evaluate((stage, [from, to]) => {
    const { left, top, width, height } = stage.getBoundingClientRect();
    const send = (kind, [x, y]) => stage.dispatchEvent(new PointerEvent(kind, {
      pointerId: 7, pointerType: 'touch', isPrimary: true, button: 0, bubbles: true, cancelable: true,
      clientX: left + x * width, clientY: top + y * height,
    }));
    send('pointerdown', from);
    send('pointermove', to);
    send('pointerup', to);
  }, [from, to]);
  await finger([0.25, 0.25], [0.5, 0.5]);
  // A finger needs not be exact.
  await finger([0.54, 0.55], [0.79, 0.8]);
  const boxes = [{ class: 0, x0: 32, y0: 24, x1: 101, y1: 77 }];
  assert.deepEqual((await asked(page, 'set-boxes')).at(-1), { command: 'set-boxes', image: 3, boxes });
  await screenshot(page, 'ui-boxes-5-finger');
  const small = await page.locator('dialog.draw :is(button:not(.drawn), select)').evaluateAll((all) => (
    all.map((each) => [each.innerText, each.getBoundingClientRect().height]).filter(([, height]) => height < 40)
  ));
  assert.deepEqual(small, []);
  assert.equal(await page.locator('.draw-stage').evaluate((stage) => getComputedStyle(stage).touchAction), 'none');
  const { scrollWidth, clientWidth } = await page.locator('dialog.draw').evaluate(
    ({ scrollWidth, clientWidth }) => ({ scrollWidth, clientWidth }),
  );
  assert.ok(scrollWidth <= clientWidth, `${scrollWidth} in ${clientWidth}`);
  assert.deepEqual(errors, []);
});

test('problems are listed by kind, with file and reason', async (t) => {
  const { page } = await start(t, { device: 'software' });
  await page.locator('#files-input').setInputFiles(zip_file);
  await page.getByText('2 images cannot be read').click();
  const text = await page.locator('.problems').innerText();
  for (const words of ['photos/broken.jpg', 'a text file', '1 duplicate', '1 label without an image']) {
    assert.ok(text.includes(words), words);
  }
  await screenshot(page, 'ui-problems');
});

test('data that cannot be used says why, and another try is one click away', async (t) => {
  const { page } = await start(t, { device: 'cpu', failData: 'no usable data: no image carries a label' });
  await page.locator('.device-line').click();
  assert.match(await page.locator('.device-help').innerText(), /Chrome.*Edge.*Safari.*Firefox/s);
  await button(page, 'Try the sample set').click();
  await page.getByRole('alert').getByText('no image carries a label').waitFor();
  await button(page, 'Choose a folder').waitFor();
  await screenshot(page, 'ui-no-data');
});

test('a wrong value is told beside its field and stops nothing else', async (t) => {
  const { page } = await start(t);
  await take_sample(page);
  await page.locator('#size').fill('7');
  await page.locator('#size').blur();
  await page.locator('.field', { has: page.locator('#size') }).getByText('7 is not between 32 and 1024').waitFor();
  assert.ok(await button(page, 'Train').isDisabled());
  await page.getByText('More settings').click();
  await page.locator('#backbone').selectOption('mobilenet-v2');
  await page.getByText('Where do I get it?').click();
  await screenshot(page, 'ui-settings');
  await button(page, 'Back to suggested values').click();
  await page.getByText('This network needs a weights file').waitFor();
  await page.locator('#weights').setInputFiles({ ...zip_file, name: 'resnet.pth', buffer: Buffer.from('<html>not found</html>') });
  await page.getByRole('alert').getByText('not a PyTorch file').waitFor();
  const header = Buffer.alloc(40, ' ');
  header.writeBigUInt64LE(30n);
  header.write('{', 8);
  await page.locator('#weights').setInputFiles({ ...zip_file, name: 'm.safetensors', buffer: header });
  await page.getByText('m.safetensors · 40 bytes').waitFor();
  await ready(page);
});

/** To the settings of a network that wants weights. */
async function choose(page, network) {
  await take_sample(page);
  await page.locator('#backbone').selectOption(network);
}

/** The same after a reload, which brings the data back. */
async function choose_again(page, network) {
  await page.reload();
  await button(page, 'Train').waitFor();
  await page.locator('#backbone').selectOption(network);
}

const fetch_button = (page) => page.getByRole('button', { name: /^Fetch ImageNet weights/ });

// Of the listed files ResNet-101's is the one of which only the host knows length and hash, so that a small
// file can stand for it.
test('weights are fetched on a click, kept, and used without a host', async (t) => {
  const file = weights_file(4_000_000);
  const host = await weights_host(t, file, () => ({}));
  const { page, errors, requests } = await start(t, {}, host.visit);
  await choose(page, 'resnet-101');
  await fetch_button(page).waitFor();
  await page.getByText('From huggingface.co').waitFor();
  assert.ok(await button(page, 'Train').isDisabled());
  await page.locator('.weights').scrollIntoViewIfNeeded();
  await screenshot(page, 'ui-weights-1-offer');
  assert.deepEqual(host.requests, [], 'nothing is asked for before the click');

  await fetch_button(page).click();
  await page.getByText('ImageNet weights · 4.0 MB · kept in this browser').waitFor();
  await ready(page);
  await screenshot(page, 'ui-weights-2-here');
  assert.deepEqual(host.requests.map(({ method, range }) => [method, range]), [['GET', undefined]]);
  assert.match(host.requests[0].path, /^\/timm\/resnet101.*\/model\.safetensors$/);
  assert.deepEqual([host.requests[0].referer, host.requests[0].cookie], [undefined, undefined], 'nothing but the request');

  // Another network's are others.
  await page.locator('#backbone').selectOption('resnet-50');
  await fetch_button(page).waitFor();
  assert.ok(await button(page, 'Train').isDisabled());
  await page.locator('#backbone').selectOption('resnet-101');
  await page.getByText('kept in this browser', { exact: false }).first().waitFor();
  await ready(page);

  await choose_again(page, 'resnet-101');
  await page.getByText('ImageNet weights · 4.0 MB · kept in this browser').waitFor();
  await ready(page);
  assert.equal(host.requests.length, 1, 'what is kept is not asked for again');

  await button(page, 'Remove').click();
  await fetch_button(page).waitFor();
  assert.ok(await button(page, 'Train').isDisabled());
  await choose_again(page, 'resnet-101');
  await fetch_button(page).waitFor();
  assert.equal(host.requests.length, 1);
  assert.ok(requests.every((address) => address.startsWith('http://127.0.0.1:')), requests.join());
  assert.deepEqual(errors, []);
});

test('a download that breaks off goes on where it was, also after the page was opened anew', async (t) => {
  const file = weights_file(4_000_000);
  const host = await weights_host(t, file, (n) => [{ sent: 1_000_000 }, { sent: 500_000 }][n] ?? {});
  const { page } = await start(t, {}, host.visit);
  await choose(page, 'resnet-101');
  await fetch_button(page).click();
  await page.getByRole('alert').getByText('The connection broke off').waitFor();
  await page.getByText('1.0 MB are here').waitFor();
  await screenshot(page, 'ui-weights-3-broken');
  const go_on = page.getByRole('button', { name: /^Go on fetching/ });
  await go_on.click();
  await page.getByText('1.5 MB are here').waitFor();
  await choose_again(page, 'resnet-101');
  await page.getByText('1.5 MB are here').waitFor();
  await go_on.click();
  await page.getByText('ImageNet weights · 4.0 MB · kept in this browser').waitFor();
  assert.deepEqual(
    host.requests.map(({ method, range }) => [method, range]),
    [['GET', undefined], ['GET', 'bytes=1000000-'], ['GET', 'bytes=1500000-']],
    'parts are asked for, and no leave for that',
  );
});

test('a download can be cancelled and gone on with', async (t) => {
  const host = await weights_host(t, weights_file(4_000_000), (n) => (n === 0 ? { sent: 2_000_000, hangs: true } : {}));
  const { page } = await start(t, {}, host.visit);
  await choose(page, 'resnet-101');
  await fetch_button(page).click();
  const bar = page.getByRole('progressbar', { name: 'Fetching weights' });
  await page.getByText('2.0 MB of 4.0 MB').waitFor();
  assert.equal(await bar.getAttribute('aria-valuenow'), '50');
  await page.getByText('The weights are being fetched.').waitFor();
  await screenshot(page, 'ui-weights-4-under-way');
  await button(page, 'Cancel').click();
  await page.getByText('2.0 MB are here').waitFor();
  assert.equal(await page.getByRole('alert').count(), 0, 'a wish is no failure');
  await page.getByRole('button', { name: /^Go on fetching/ }).click();
  await page.getByText('kept in this browser', { exact: false }).first().waitFor();
  assert.equal(host.requests[1].range, 'bytes=2000000-');
});

test('what is not the right file is refused and not kept', async (t) => {
  const whole = weights_file(4_000_000);
  for (const [network, file, answer, words] of [
    ['resnet-18', whole, {}, 'instead of 46807446'],
    ['mobilenet-v2', whole, {}, 'SHA-256'],
    ['resnet-101', Buffer.concat([whole, Buffer.alloc(8)]), {}, 'do not fill it'],
    ['resnet-101', Buffer.from('<!doctype html><p>Please log in'), {}, 'neither a .safetensors nor a .pth'],
    ['resnet-101', whole, { status: 404 }, 'does not have the file'],
  ]) {
    const host = await weights_host(t, file, () => answer);
    const { page } = await start(t, {}, host.visit);
    await choose(page, network);
    await fetch_button(page).click();
    await page.getByRole('alert').getByText(words).waitFor();
    assert.ok(await button(page, 'Train').isDisabled());
    await page.getByRole('button', { name: /^Fetch again/ }).waitFor();
    if (network === 'mobilenet-v2') await screenshot(page, 'ui-weights-5-refused');
    await choose_again(page, network);
    await fetch_button(page).waitFor();
  }
});

test('a file of one\'s own goes before what was fetched', async (t) => {
  const host = await weights_host(t, weights_file(400_000));
  const { page } = await start(t, {}, host.visit);
  await choose(page, 'resnet-101');
  await fetch_button(page).click();
  await page.getByText('ImageNet weights · 400 KB · kept in this browser').waitFor();
  await page.locator('#weights').setInputFiles({ ...zip_file, name: 'mine.safetensors', buffer: weights_file(40) });
  await page.getByText('mine.safetensors · ').waitFor();
  await button(page, 'Use them').click();
  await page.getByText('none chosen').waitFor();
  await ready(page);
});

test('the page outlives its trainer', async (t) => {
  const { page } = await start(t, { pace: 0.3, dieAtStep: 60, collapse: true });
  await take_sample(page);
  await button(page, 'Train').click();
  await page.getByRole('alert').getByText('The trainer has stopped').waitFor();
  await page.getByText('It ran out of memory').waitFor();
  await page.getByText('The objects have vanished').waitFor();
  await page.getByText('160 photos', { exact: true }).waitFor();
  await screenshot(page, 'ui-died');
  assert.equal(await button(page, 'Use the processor').count(), 1, 'a way off the GPU');
  await button(page, 'Start again').click();
  await page.getByText('160 photos', { exact: true }).waitFor();
  await page.locator('.device-line').waitFor();
  await ready(page, 'Train again');
});

test('on the processor there is no way to the processor', async (t) => {
  const { page } = await start(t, { pace: 0.3, device: 'cpu', dieAtStep: 60 });
  await take_sample(page);
  await button(page, 'Train').click();
  await page.getByRole('alert').getByText('The trainer has stopped').waitFor();
  assert.equal(await button(page, 'Use the processor').count(), 0);
});

test('the page notices a trainer that ends without a word', async (t) => {
  const { page } = await start(t);
  await take_sample(page);
  await page.workers()[0].evaluate(() => self.close()).catch(() => {});
  await page.getByRole('alert').getByText('The trainer has stopped').waitFor();
});

test('the whole way by keyboard', async (t) => {
  const { page } = await start(t, { pace: 0.3 });
  /** Presses Tab until the focus is on that button. */
  const reach = async (name) => {
    for (let presses = 0; presses < 120; presses++) {
      await page.keyboard.press('Tab');
      if (await page.evaluate(() => document.activeElement?.innerText?.trim()) === name) return;
    }
    assert.fail(`the keyboard does not reach ${name}`);
  };
  await reach('Try the sample set');
  await page.keyboard.press('Enter');
  await button(page, 'Train').waitFor();
  await reach('Train');
  const outline = await page.evaluate(() => getComputedStyle(document.activeElement).outlineStyle);
  assert.equal(outline, 'solid', 'the focus can be seen');
  await page.keyboard.press('Enter');
  await title(page, 'Training is finished');
  await reach('Make masks');
  await page.keyboard.press('Enter');
  await button(page, 'Download the masks (.zip)').waitFor();
});
