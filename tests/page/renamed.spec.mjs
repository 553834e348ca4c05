// A class gets another name after a training, with the real trainer on the processor: nothing is lost of it, and the name
// is everywhere.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { unzip } from './formats.mjs';
import { download, draw_over, fill, until_card } from './harness.mjs';
import { LONG, SOON, button, finished, make_masks, start, train } from './trained.mjs';

const fetched = async (page, name) => unzip((await download(page, () => button(page, name).click())).bytes);

test('a class that is renamed takes what was learned and made along', { timeout: LONG }, async (t) => {
  const { page, errors } = await start(t);
  await train(page, { 'cam-epochs': 2 });
  await make_masks(page);
  await draw_over(page, 0);
  await page.keyboard.press('Escape');
  await page.getByText('1 mask was corrected by hand').waitFor({ timeout: SOON });
  const before = await fetched(page, 'Download the masks (.zip)');
  await page.locator('#new-photos').getByText('How it learns').click();
  await fill(page, { 'segmenter-epochs': 1 });
  await button(page, 'Train a segmenter on these masks').click();
  await button(page, 'Download the model').waitFor({ timeout: LONG });
  const segmenter = await fetched(page, 'Download the model');

  await button(page, 'Edit labels').click();
  await button(page, 'Change leukocyte').click();
  await page.locator('#class-name').fill('white cell');
  await page.keyboard.press('Enter');
  await page.getByText('white cell is the new name of leukocyte').waitFor({ timeout: SOON });
  await page.keyboard.press('Escape');
  await page.locator('#results .bars').getByText('white cell').waitFor({ timeout: SOON });

  /** The names are new, and everything else is as it was. */
  const look = async ({ has_segmenter = true } = {}) => {
    const masks = await fetched(page, 'Download the masks (.zip)');
    assert.deepEqual([...masks.keys()].sort(), [...before.keys()].sort());
    for (const [name, bytes] of masks) {
      if (name !== 'classes.txt') assert.ok(bytes.equals(before.get(name)), name);
    }
    assert.equal(masks.get('classes.txt').toString(), 'background\nerythrocyte\nwhite cell\nbacillus\n');
    const run = await fetched(page, 'Download the trained network');
    assert.deepEqual(JSON.parse(run.get('run.json')).classes, ['erythrocyte', 'white cell', 'bacillus']);
    if (has_segmenter) {
      const model = await fetched(page, 'Download the model');
      assert.deepEqual(JSON.parse(model.get('model.json')).classes, ['background', 'erythrocyte', 'white cell', 'bacillus']);
      assert.deepEqual([...model.keys()], [...segmenter.keys()]);
      assert.ok(model.get('model.safetensors').subarray(-1000).equals(segmenter.get('model.safetensors').subarray(-1000)));
    }
    assert.equal(await page.getByText('Labels have changed since this run began').count(), 0, 'it is the same run');
    assert.equal(await page.getByText('leukocyte').count(), 0);
  };
  await look();
  await until_card(page, 'white cell');
  await page.reload();
  await finished(page);
  await page.getByText('1 mask was corrected by hand').waitFor({ timeout: SOON });
  await button(page, 'Download the model').waitFor({ timeout: SOON });
  await look();

  // It goes as one file, too, and comes back.
  const file = await download(page, () => button(page, 'Save as one file (.zip)').click());
  await button(page, 'Choose other data').click();
  await page.locator('#files-input').setInputFiles({ name: 'again.zip', mimeType: 'application/zip', buffer: file.bytes });
  await finished(page);
  await page.getByText('1 mask was corrected by hand').waitFor({ timeout: SOON });
  await look({ has_segmenter: false });
  assert.deepEqual(errors, []);
});
