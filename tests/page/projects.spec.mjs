// Projects that the browser keeps, with a trainer that only plays and writes its checkpoints where the real one does.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { download, drag, screenshot, until_true } from './harness.mjs';
import { button, ready, start, take_sample, title, zip_file } from './mock.mjs';

/** A project of the list, by what stands in it. */
const project = (page, words) => page.locator('.project', { hasText: words });
const open_project = (page, words) => project(page, words).getByRole('button', { name: 'Open', exact: true }).click();

/** To the list of projects. */
async function leave(page) {
  await button(page, 'Choose other data').click();
  await page.getByText('Drop a folder of labelled photos').waitFor();
}

/** Trains to the end, with few steps. */
async function train(page, name = 'Train') {
  await ready(page, name);
  await button(page, name).click();
  await title(page, 'Training is finished');
  await page.getByText('kept in this browser').waitFor();
}

async function set_seed(page, seed) {
  await page.locator('#seed').evaluate((field) => { field.closest('details').open = true; });
  await page.locator('#seed').fill(seed);
  await page.locator('#seed').blur();
}

const steps = async (page) => Number((await page.getByRole('progressbar', { name: 'Training' })
  .getAttribute('aria-valuetext')).match(/step ([\d,]+)/)[1].replace(',', ''));

/** What the trainer was asked: commands of these names. */
const asked = async (page, ...names) => (
  (await page.workers()[0].evaluate(() => self.received)).filter(({ command }) => names.includes(command))
);

/** What lies on the browser's disk: the text of every file, by its path. */
const on_disk = (page) => page.evaluate(async () => {
  const files = {};
  const walk = async (folder, path) => {
    for await (const [name, handle] of folder.entries()) {
      if (handle.kind === 'directory') await walk(handle, `${path}${name}/`);
      else files[path + name] = await (await handle.getFile()).text();
    }
  };
  await walk(await navigator.storage.getDirectory(), '');
  return files;
});

/** Writes `{ path: text }` to the browser's disk. */
const write_disk = (page, files) => page.evaluate(async (files) => {
  for (const [path, text] of Object.entries(files)) {
    const parts = path.split('/');
    let folder = await navigator.storage.getDirectory();
    for (const part of parts.slice(0, -1)) folder = await folder.getDirectoryHandle(part, { create: true });
    const file = await (await folder.getFileHandle(parts.at(-1), { create: true })).createWritable();
    await file.write(text);
    await file.close();
  }
}, files);

/** Waits until what lies on the disk is as wanted: its files and the cards of projects, by their names. */
async function disk(page, is_so) {
  for (let tries = 0; tries < 600; tries++) {
    const files = await on_disk(page).catch(() => ({}));
    const cards = {};
    for (const [path, text] of Object.entries(files)) {
      const id = path.match(/^projects\/([^/]+)\/project\.json$/)?.[1];
      if (id && text) cards[JSON.parse(text).name] = { ...JSON.parse(text), id };
    }
    if (is_so(cards, files)) return { cards, files };
    await page.evaluate(() => new Promise(requestAnimationFrame));
  }
  return assert.fail('the disk is not as wanted');
}

test('a run outlives the page, and goes on by itself', async (t) => {
  const { page, errors } = await start(t);
  await take_sample(page);
  await set_seed(page, '7');
  await page.locator('#cam-epochs').fill('2');
  await page.locator('#cam-epochs').blur();
  await button(page, 'Train').click();
  await title(page, 'Round 2 of 3: Spatial-BCE');
  await page.getByText('kept in this browser').waitFor();
  const { cards } = await disk(page, (cards) => cards['Sample set']?.is_training);
  const reached = Number(cards['Sample set'].progress.match(/step (\d+)/)[1]);
  assert.ok(reached >= 40, `${reached}`);
  await page.reload();
  // What is told before it goes on is of the run as it was left.
  while ((await asked(page, 'train').catch(() => [])).length === 0) {
    await page.evaluate(() => new Promise(requestAnimationFrame));
  }
  await title(page, /Round [23]/);
  await button(page, 'Stop').click();
  assert.ok(await steps(page) >= reached);
  assert.ok(await page.locator('.chart .line').count() >= 2, 'the losses of before are there');
  assert.equal(await page.locator('#seed').inputValue(), '7');

  // Stopped by the user, it waits.
  await title(page, 'Stopped');
  await disk(page, (cards) => cards['Sample set']?.is_training === false);
  await page.reload();
  await title(page, 'Stopped');
  await button(page, 'Go on training').click();
  await title(page, 'Training is finished');
  await disk(page, (cards) => cards['Sample set']?.is_finished);
  await page.reload();
  await title(page, 'Training is finished');
  await button(page, 'Make masks').waitFor();
  assert.deepEqual(errors, []);
});

test('what was opened is there after a reload, and leaves nothing once it is left', async (t) => {
  const { page, errors } = await start(t, { pace: 0.05 });
  await page.locator('#files-input').setInputFiles(zip_file);
  await ready(page);
  await disk(page, (cards) => cards['photos.zip']?.source.is_kept);
  await page.reload();
  await ready(page);
  assert.equal(await page.locator('#data strong').innerText(), 'photos.zip');
  // In another tab it is in the list; what was taken from there stays there.
  const id = await page.evaluate(() => sessionStorage.getItem('tag2mask-open-project'));
  await page.evaluate(() => sessionStorage.clear());
  await page.reload();
  await project(page, 'photos.zip').getByText('40 photos · not trained yet').waitFor();
  await open_project(page, 'photos.zip');
  await ready(page);
  await leave(page);
  await project(page, 'photos.zip').waitFor();
  await button(page, 'Delete').click();
  await button(page, 'Yes, delete it').click();
  await page.locator('.projects').waitFor({ state: 'detached' });

  // One whose photos were not all copied when the page ended is of no use.
  await write_disk(page, { [`projects/${id}/project.json`]: JSON.stringify({
    version: 1, name: 'photos.zip', source: { kind: 'files', paths: ['photos.zip'], folder: 'photos', is_kept: false },
    photos: 40, fingerprint: '0', weights: null, progress: '', is_finished: false, is_fresh: true,
  }) });
  await page.reload();
  await disk(page, (_, files) => Object.keys(files).length === 0);

  // What was only looked at goes by itself, also where other data take its place.
  await page.locator('#files-input').setInputFiles(zip_file);
  await ready(page);
  await disk(page, (cards) => cards['photos.zip']);
  await leave(page);
  await disk(page, (_, files) => Object.keys(files).length === 0);
  await take_sample(page);
  await disk(page, (cards) => cards['Sample set']);
  await leave(page);
  await disk(page, (_, files) => Object.keys(files).length === 0);
  assert.equal(await page.locator('.projects').count(), 0);
  assert.deepEqual(errors, []);
});

test('a run that waits by the user\'s wish waits after a reload, too', async (t) => {
  const { page, errors } = await start(t);
  await take_sample(page);
  await button(page, 'Train').click();
  await page.getByText('kept in this browser').waitFor();
  await button(page, 'Pause').click();
  await page.getByText('paused', { exact: true }).waitFor();
  await disk(page, (cards) => cards['Sample set']?.is_training === false);
  await page.reload();
  await title(page, 'Stopped');
  await button(page, 'Go on training').click();
  await title(page, 'Round 1');
  assert.deepEqual(errors, []);
});

test('two projects lie side by side, are renamed and deleted', async (t) => {
  const { page, errors } = await start(t, { pace: 0.05 });
  assert.equal(await page.locator('.projects').count(), 0, 'nothing is shown of an empty list');
  await take_sample(page);
  await leave(page);
  assert.equal(await page.locator('.projects').count(), 0, 'data that was only looked at leaves nothing');
  await take_sample(page);
  await train(page);
  await leave(page);
  await project(page, 'Sample set').getByText('160 photos · 3 rounds, finished').waitFor();
  await page.locator('#files-input').setInputFiles(zip_file);
  await train(page);
  await disk(page, (cards) => cards['photos.zip']?.source.is_kept);
  await leave(page);
  await project(page, 'photos.zip').getByText(/^40 photos/).waitFor();
  const names = page.locator('.project-name');
  assert.deepEqual(await names.allInnerTexts(), ['photos.zip', 'Sample set'], 'the newest first');
  await project(page, 'photos.zip').getByText(/saved just now · \d/).waitFor();
  await page.getByText(/^[\d.]+ \w+ of [\d.]+ GB used\. /).waitFor();
  await screenshot(page, 'projects-1-list');

  await project(page, 'Sample set').getByRole('button', { name: 'Rename' }).click();
  const input = page.getByRole('textbox', { name: 'Name of the project' });
  await input.and(page.locator(':focus')).waitFor();
  await input.fill('Not this one');
  await page.keyboard.press('Escape');
  await button(page, 'Rename').and(page.locator(':focus')).waitFor();
  await project(page, 'Sample set').getByRole('button', { name: 'Rename' }).click();
  await input.fill('  Blood cells ');
  await screenshot(page, 'projects-2-rename');
  await page.keyboard.press('Enter');
  await project(page, 'Blood cells').waitFor();
  await page.reload();
  await open_project(page, 'Blood cells');
  await title(page, 'Training is finished');
  await page.locator('#data').getByText('Blood cells', { exact: true }).waitFor();
  await leave(page);
  await open_project(page, 'photos.zip');
  await title(page, 'Training is finished');
  assert.equal(await page.locator('#data strong').innerText(), 'photos.zip');
  await leave(page);

  // What is deleted is gone from the disk before it leaves the list.
  await project(page, 'photos.zip').getByRole('button', { name: 'Delete' }).click();
  await screenshot(page, 'projects-3-delete');
  await project(page, 'photos.zip').getByRole('button', { name: 'Keep it' }).click();
  await project(page, 'photos.zip').getByRole('button', { name: 'Delete' }).click();
  await button(page, 'Yes, delete it').click();
  await project(page, 'photos.zip').waitFor({ state: 'detached' });
  await page.reload();
  await project(page, 'Blood cells').waitFor();
  assert.equal(await project(page, 'photos.zip').count(), 0);
  const { files } = await disk(page, () => true);
  assert.equal(new Set(Object.keys(files).map((path) => path.split('/')[1])).size, 1, Object.keys(files).join());
  await button(page, 'Delete').click();
  await button(page, 'Yes, delete it').click();
  await page.locator('.projects').waitFor({ state: 'detached' });
  assert.deepEqual(Object.keys(await on_disk(page)), []);
  assert.deepEqual(errors, []);
});

test('a deletion that a reload interrupts does not bring the project back', async (t) => {
  const { page, errors } = await start(t, { pace: 0.05 }, {
    init: {
      // The disk is slow: the folder goes only when the test says so, which it does not.
      script: () => {
        const remove = FileSystemDirectoryHandle.prototype.removeEntry;
        FileSystemDirectoryHandle.prototype.removeEntry = async function (name, options) {
          if (sessionStorage.slow && this.name === 'projects') await new Promise(() => {});
          return remove.call(this, name, options);
        };
      },
    },
  });
  await take_sample(page);
  await train(page);
  await leave(page);
  await project(page, 'Sample set').getByText('finished').waitFor();
  await page.evaluate(() => { sessionStorage.slow = 'yes'; });
  await button(page, 'Delete').click();
  await button(page, 'Yes, delete it').click();
  await project(page, 'Sample set').getByText('Deleting…').waitFor();
  await screenshot(page, 'projects-4-deleting');
  await disk(page, (cards) => !cards['Sample set']);
  await page.evaluate(() => { delete sessionStorage.slow; });
  await page.reload();
  await button(page, 'Try the sample set').waitFor();
  // What was left is swept away.
  await disk(page, (_, files) => Object.keys(files).length === 0);
  assert.equal(await page.locator('.projects').count(), 0);
  assert.deepEqual(errors, []);
});

test('two tabs keep a project each, and leave the other\'s alone', async (t) => {
  const { page, context, errors } = await start(t, { pace: 0.05 });
  await take_sample(page);
  await train(page);
  const second = await context.newPage();
  second.on('pageerror', (error) => errors.push(String(error)));
  await second.goto(page.url());
  await project(second, 'Sample set').getByText('Open in another tab').waitFor();
  assert.deepEqual(await project(second, 'Sample set').getByRole('button').allInnerTexts(), ['Look at it']);
  await screenshot(second, 'projects-5-elsewhere');

  await second.locator('#files-input').setInputFiles(zip_file);
  await train(second);
  await disk(second, (cards) => cards['photos.zip']?.is_finished && cards['photos.zip'].source.is_kept && cards['Sample set']?.is_finished);
  await set_seed(page, '3');
  await train(page, 'Train again');

  // The first lets go: the second is told, and the other way round.
  await leave(page);
  await project(page, 'photos.zip').getByText('Open in another tab').waitFor();
  await leave(second);
  await project(second, 'Sample set').getByRole('button', { name: 'Open', exact: true }).waitFor();
  await project(page, 'photos.zip').getByRole('button', { name: 'Open', exact: true }).waitFor();
  await open_project(page, 'photos.zip');
  await title(page, 'Training is finished');
  await project(second, 'photos.zip').getByText('Open in another tab').waitFor();
  // A tab that ends says nothing; its project is free nevertheless.
  await page.close();
  await until_true(second, async () => (
    (await navigator.locks.query()).held.every(({ name }) => !name.startsWith('tag2mask-project-'))
  ), 'the other page to let go');
  await second.evaluate(() => dispatchEvent(new Event('focus')));
  await project(second, 'photos.zip').getByRole('button', { name: 'Open', exact: true }).waitFor();
  await second.close();
  assert.deepEqual(errors, []);
});

test('leaving a run that goes on loses nothing of it', async (t) => {
  const { page, errors } = await start(t);
  await take_sample(page);
  await button(page, 'Train').click();
  await title(page, 'Round 1');
  await page.locator('.chart .line').first().waitFor();
  await button(page, 'Choose other data').click();
  await page.getByText('This stops the training. It can go on when you open the project again.').waitFor();
  const reached = await steps(page);
  await button(page, 'Yes, choose other data').click();
  await project(page, 'Sample set').getByText(/Round 1 of 3/).waitFor();
  await open_project(page, 'Sample set');
  await title(page, 'Stopped');
  assert.ok(await steps(page) >= reached, `${await steps(page)} of ${reached}`);
  await button(page, 'Go on training').click();
  await title(page, 'Round 1');
  assert.deepEqual(errors, []);
});

test('masks are there again after a reload', async (t) => {
  const { page, errors } = await start(t, { pace: 0.05 });
  await take_sample(page);
  await train(page);
  await button(page, 'Make masks').click();
  await page.locator('.score-number', { hasText: '61.4 %' }).waitFor();
  await page.getByRole('slider', { name: 'Masks after' }).focus();
  await page.keyboard.press('Home');
  await button(page, 'Make masks of this round').click();
  await page.locator('.score-number', { hasText: '43.4 %' }).waitFor();
  await page.locator('#results .tile').nth(1).focus();
  await page.keyboard.press('r');
  await disk(page, (_, files) => Object.values(files).some((text) => text.includes('"round":0')));
  await disk(page, (_, files) => Object.values(files).some((text) => text.includes('"verdicts":[[0,"-r"]]')));
  await page.reload();
  await page.locator('.score-number', { hasText: '43.4 %' }).waitFor();
  assert.ok(await page.locator('#results .tile').count() >= 4);
  const verdicts = page.getByRole('group', { name: 'Show verdict' });
  assert.match(await verdicts.getByRole('button', { name: 'Rejected' }).innerText(), /1$/);
  const table = page.getByRole('region', { name: 'Rounds in numbers' });
  assert.deepEqual(await table.locator('tbody tr').first().locator('td').allInnerTexts(), ['43.4 %', '61.4 %']);
  const masks = await download(page, () => button(page, 'Download the masks of round 1 (.zip)').click());
  assert.equal(masks.name, 'masks.zip');
  assert.deepEqual(await asked(page, 'masks'), [], 'none is made anew');
  assert.deepEqual(errors, []);
});

test('files are kept with their project', async (t) => {
  const { page, errors } = await start(t, { pace: 0.05 });
  await page.locator('#files-input').setInputFiles(zip_file);
  await train(page);
  const with_photos = (cards) => cards['photos.zip']?.source.is_kept && cards['photos.zip'].is_finished;
  const photos = ({ cards, files }) => files[`projects/${cards['photos.zip'].id}/photos/000000`];
  assert.equal(photos(await disk(page, with_photos)), 'PK');
  await page.reload();
  await title(page, 'Training is finished');
  await page.getByText('photos.zip', { exact: true }).first().waitFor();

  // Another run on the same photos stays in their project.
  await set_seed(page, '5');
  await page.getByText('This replaces the run of this project.').waitFor();
  await train(page, 'Train again');
  const again = await disk(page, with_photos);
  assert.equal(photos(again), 'PK');
  assert.equal(Object.keys(again.cards).length, 1);

  // Without them, the user is asked for them; others are told apart.
  const lose_photos = () => page.evaluate(async (id) => {
    let folder = await navigator.storage.getDirectory();
    for (const name of ['projects', id]) folder = await folder.getDirectoryHandle(name);
    await folder.removeEntry('photos', { recursive: true });
  }, again.cards['photos.zip'].id);
  await leave(page);
  await lose_photos();
  await open_project(page, 'photos.zip');
  await page.getByText('Give the same photos again').waitFor();
  await screenshot(page, 'projects-6-photos');
  await button(page, 'Not now').click();
  await open_project(page, 'photos.zip');
  await button(page, 'Try the sample set').click();
  await page.getByText('These are not the photos of the project photos.zip').waitFor();
  await leave(page);
  await open_project(page, 'photos.zip');
  await page.getByText('Give the same photos again').waitFor();
  await page.locator('#files-input').setInputFiles(zip_file);
  await title(page, 'Training is finished');
  // Given again, they are kept again.
  await disk(page, (cards, files) => cards['photos.zip'] && files[`projects/${cards['photos.zip'].id}/photos/000000`] === 'PK');
  assert.deepEqual(errors, []);
});

/** Chooses the method that learns from boxes. */
async function choose_boxes(page) {
  await page.locator('#method').selectOption('box2seg');
  await page.getByRole('heading', { name: 'Boxes', exact: true }).waitFor();
  await page.waitForFunction(() => !document.querySelector('.boxes .photo.waiting'));
}

const tile = (page, n) => page.locator('.boxes .tile').nth(n);

test('drawn boxes are kept, before a run and with it', async (t) => {
  const { page, errors } = await start(t, { pace: 0.1 });
  await take_sample(page);
  await choose_boxes(page);
  await tile(page, 0).click();
  await drag(page, [0.25, 0.25], [0.5, 0.75]);
  await button(page, 'Done').click();
  const boxes = [{ class: 0, x0: 32, y0: 24, x1: 64, y1: 72 }];
  await disk(page, (cards) => cards['Sample set']?.boxes[0]);
  await page.reload();
  await button(page, 'Train').waitFor();
  await choose_boxes(page);
  await page.getByText('1 of 160 photos has a box, 1 box in all.').waitFor();
  await leave(page);
  await project(page, 'Sample set').getByText('160 photos · 1 box drawn, not trained yet').waitFor();
  await open_project(page, 'Sample set');
  await button(page, 'Train').waitFor();
  await choose_boxes(page);
  await train(page);
  const { cards } = await disk(page, (cards) => cards['Sample set']?.is_finished);
  assert.deepEqual([cards['Sample set'].boxes, cards['Sample set'].has_new_boxes], [{ 0: boxes }, false]);
  await page.reload();
  await title(page, 'Training is finished');
  await page.getByText('1 of 160 photos has a box, 1 box in all.').waitFor();
  assert.deepEqual((await asked(page, 'set-boxes', 'restore')).map(({ command }) => command), ['set-boxes', 'restore']);
  assert.ok(await button(page, 'Train again').isDisabled());

  // Boxes that came later are told apart from those that the run has learned from.
  await tile(page, 1).click();
  await button(page, 'New box').click();
  await button(page, 'Done').click();
  await ready(page, 'Train again');
  await disk(page, (cards) => cards['Sample set']?.has_new_boxes);
  await page.reload();
  await title(page, 'Training is finished');
  await page.getByText('2 of 160 photos have a box').waitFor();
  assert.deepEqual((await asked(page, 'set-boxes', 'restore')).map(({ command }) => command), ['restore', 'set-boxes', 'set-boxes']);
  await ready(page, 'Train again');
  assert.deepEqual(errors, []);
});

test('the project of an earlier version is taken over', async (t) => {
  const { page, errors } = await start(t, { pace: 0.05 });
  await page.locator('#files-input').setInputFiles(zip_file);
  await train(page);
  const { cards, files } = await disk(page, (cards) => cards['photos.zip']?.source.is_kept && cards['photos.zip'].is_finished);
  const { id, is_training, saved, ...card } = cards['photos.zip'];
  await leave(page);
  await project(page, 'photos.zip').waitFor();
  await button(page, 'Delete').click();
  await button(page, 'Yes, delete it').click();
  await page.locator('.projects').waitFor({ state: 'detached' });

  card.source.folder = 'photos-7';
  await write_disk(page, {
    'project/project.json': JSON.stringify(card),
    'project/run/mock.json': files[`projects/${id}/run/mock.json`],
    'project/photos-7/000000': 'PK',
  });
  await page.reload();
  await open_project(page, 'photos.zip');
  await title(page, 'Training is finished');
  const after = await disk(page, () => true);
  assert.ok(!Object.keys(after.files).some((path) => path.startsWith('project/')), Object.keys(after.files).join());
  assert.deepEqual(errors, []);
});

test('where room runs out, others give what only going on needs, and the user is told', async (t) => {
  const { page, errors } = await start(t, { pace: 0.05 }, {
    init: {
      script: () => {
        // The browser grants what it is asked for, and says so.
        StorageManager.prototype.persisted = async () => Boolean(sessionStorage.persistent);
        StorageManager.prototype.persist = async () => {
          sessionStorage.persistent = `${sessionStorage.persistent ?? ''}x`;
          return true;
        };
        const write = FileSystemWritableFileStream.prototype.write;
        FileSystemWritableFileStream.prototype.write = async function (data) {
          if (sessionStorage.full) {
            const root = await navigator.storage.getDirectory();
            const projects = await root.getDirectoryHandle('projects');
            for await (const project of projects.values()) {
              const run = await project.getDirectoryHandle('run').catch(() => null);
              const file = await run?.getFileHandle('optimizer.safetensors').catch(() => null);
              if (file && project.name === sessionStorage.full) throw new DOMException('no room', 'QuotaExceededError');
            }
          }
          return write.call(this, data);
        };
      },
    },
  });
  await take_sample(page);
  await train(page);
  await leave(page);
  await page.locator('#files-input').setInputFiles(zip_file);
  await train(page);
  const { cards } = await disk(page, (cards) => cards['photos.zip']?.is_finished && cards['photos.zip'].source.is_kept);
  const older = cards['Sample set'].id;
  await page.evaluate((id) => { sessionStorage.full = id; }, older);
  await set_seed(page, '5');
  await train(page, 'Train again');
  await page.getByText('the training state of Sample set was removed').waitFor();
  await screenshot(page, 'projects-7-room');
  assert.equal(await page.evaluate(() => sessionStorage.persistent), 'x', 'asked once, for the first project');
  const { files } = await disk(page, (cards) => cards['photos.zip']?.is_finished);
  assert.equal(files[`projects/${older}/run/optimizer.safetensors`], undefined);
  assert.ok(files[`projects/${older}/run/mock.json`], 'what was learned stays');
  assert.ok(files[`projects/${cards['photos.zip'].id}/run/optimizer.safetensors`], 'its own stays');
  await leave(page);
  await page.getByText('It is kept until you delete it.').waitFor();
  assert.deepEqual(errors, []);
});

test('a browser that keeps nothing says so, and everything else works', async (t) => {
  const { page } = await start(t, { pace: 0.05 }, {
    init: { script: () => { delete Navigator.prototype.locks; } },
  });
  await page.getByText('This browser keeps nothing for this page').waitFor();
  await take_sample(page);
  await button(page, 'Train').click();
  await title(page, 'Training is finished');
  assert.deepEqual((await asked(page, 'train')).map(({ keep }) => keep), [null]);
});
