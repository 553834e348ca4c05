// A project that another tab has open is looked at, and not changed.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { unzip } from './formats.mjs';
import { download, draw_over, screenshot } from './harness.mjs';
import { button, start as start_mock, take_sample, title } from './mock.mjs';
import { LONG, PHOTOS, SOON, finished, make_masks, start, train } from './trained.mjs';

const look = (page) => button(page, 'Look at it').click();
const banner = (page) => page.locator('.notice', { hasText: 'is open in another tab' });

/** Every file on the browser's disk: how long it is, and when it was written. */
const on_disk = (page) => page.evaluate(async () => {
  const files = {};
  const walk = async (folder, path) => {
    for await (const [name, handle] of folder.entries()) {
      if (handle.kind === 'directory') await walk(handle, `${path}${name}/`);
      else {
        const { size, lastModified } = await handle.getFile();
        files[path + name] = [size, lastModified];
      }
    }
  };
  await walk(await navigator.storage.getDirectory(), '');
  return files;
});

/** Waits until the card on the disk says so. */
async function card_says(page, words) {
  const card = async () => {
    const projects = await (await navigator.storage.getDirectory()).getDirectoryHandle('projects');
    for await (const project of projects.values()) {
      const file = await project.getFileHandle('project.json').then((handle) => handle.getFile(), () => null);
      if (file) return file.text();
    }
    return '';
  };
  for (let tries = 0; tries < 600; tries++) {
    if ((await page.evaluate(card)).includes(words)) return;
    await page.evaluate(() => new Promise(requestAnimationFrame));
  }
  assert.fail(`the card does not say ${words}`);
}

/** The same site in another tab. */
async function second_tab(page, context, errors) {
  const second = await context.newPage();
  second.on('pageerror', (error) => errors.push(String(error)));
  await second.goto(page.url());
  return second;
}

test('what another tab has open can be looked at, and taken over once it is free', async (t) => {
  const { page, context, errors } = await start_mock(t, { pace: 0.05 });
  await take_sample(page);
  await button(page, 'Train').click();
  await title(page, 'Training is finished');
  await button(page, 'Make masks').click();
  await page.locator('.score-number', { hasText: '61.4 %' }).waitFor();
  await page.locator('#results .tile').nth(1).focus();
  await page.keyboard.press('r');
  await card_says(page, '"verdicts":[[null,"-r"]]');

  const second = await second_tab(page, context, errors);
  await button(second, 'Look at it').waitFor();
  const before = await on_disk(second);
  await look(second);
  await banner(second).waitFor();
  await title(second, 'Training is finished');
  await second.locator('.score-number', { hasText: '61.4 %' }).waitFor();
  const rejected = second.getByRole('group', { name: 'Show verdict' }).getByRole('button', { name: 'Rejected' });
  assert.match(await rejected.innerText(), /1$/);
  await second.evaluate(() => scrollTo(0, 0));
  await screenshot(second, 'elsewhere-1-looking');

  // Nothing that changes anything is offered, and keys do not either.
  for (const name of ['Train again', 'Edit labels', 'Make them anew', 'Train a segmenter on these masks', 'Undo verdict']) {
    assert.equal(await button(second, name).count(), 0, name);
  }
  assert.ok(await second.locator('#seed').isDisabled());
  const tile = second.locator('#results .tile').first();
  await tile.focus();
  await second.keyboard.press('a');
  await second.keyboard.press('Control+z');
  await tile.click();
  const large = second.getByRole('dialog');
  await large.waitFor();
  for (const key of ['a', 'r', 'c']) await second.keyboard.press(key);
  assert.equal(await button(large, 'Accept').count(), 0);
  await second.keyboard.press('Escape');
  assert.match(await rejected.innerText(), /1$/);
  assert.equal((await second.workers()[0].evaluate(() => self.received)).some(({ command }) => command === 'show-mask'), false);
  // What is there can be taken along.
  const masks = await download(second, () => button(second, 'Download the masks (.zip)').click());
  assert.equal(masks.name, 'masks.zip');
  assert.deepEqual(await on_disk(second), before, 'nothing was written');

  await button(second, 'Change it here').click();
  await second.getByText('The other tab still has it.', { exact: false }).waitFor();
  await button(page, 'Choose other data').click();
  await page.getByText('Drop a folder of labelled photos').waitFor();
  await button(second, 'Change it here').click();
  await button(second, 'Edit labels').waitFor();
  await banner(second).waitFor({ state: 'hidden' });
  await second.locator('.score-number', { hasText: '61.4 %' }).waitFor();
  await page.locator('.project', { hasText: 'Sample set' }).getByText('Open in another tab').waitFor();
  assert.match(await rejected.innerText(), /1$/);
  await second.close();
  assert.deepEqual(errors, []);
});

test('looking writes nothing to the disk', { timeout: LONG }, async (t) => {
  const { page, context, errors } = await start(t);
  await train(page);
  await make_masks(page);
  // What was drawn by hand is put into its place again as the masks are read.
  await draw_over(page, 0);
  await page.keyboard.press('Escape');
  await page.getByText('1 mask was corrected by hand').waitFor({ timeout: SOON });
  const own = unzip((await download(page, () => button(page, 'Download the masks (.zip)').click())).bytes);
  await card_says(page, '"is_finished":true');

  const second = await second_tab(page, context, errors);
  const look_at = button(second, 'Look at it');
  await look_at.waitFor({ timeout: SOON });
  const before = await on_disk(second);
  assert.ok(Object.keys(before).some((path) => path.includes('/run/')), Object.keys(before).join(' '));
  await look_at.click();
  await finished(second);
  await button(second, 'Download the masks (.zip)').waitFor({ timeout: SOON });
  const shown = unzip((await download(second, () => button(second, 'Download the masks (.zip)').click())).bytes);
  assert.deepEqual([...shown.keys()].sort(), [...own.keys()].sort());
  assert.deepEqual([...shown].filter(([name, bytes]) => !bytes.equals(own.get(name))).map(([name]) => name), []);
  const run = await download(second, () => button(second, 'Download the trained network').click());
  assert.ok(unzip(run.bytes).has('weights.safetensors'));
  await second.locator('#mask-format').selectOption('score-maps');
  const scores = await download(second, () => button(second, 'Download the score maps (.zip)').click());
  assert.ok(unzip(scores.bytes).size > PHOTOS);
  await button(second, 'Choose other data').click();
  await second.getByText('Drop a folder of labelled photos').waitFor();
  await look_at.waitFor({ timeout: SOON });
  // The card is the other tab's to write, whenever it likes.
  const files = (all) => Object.entries(all).filter(([path]) => !path.endsWith('/project.json'));
  assert.deepEqual(files(await on_disk(second)), files(before));
  await second.close();
  assert.deepEqual(errors, []);
});
