// Score maps: what the network says of every class at every pixel, for NumPy.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import { bmp, npy, png_pixels, unzip } from './formats.mjs';
import { download, fill, in_folder, screenshot } from './harness.mjs';
import { button, start as start_mock, take_sample, title } from './mock.mjs';
import { LONG, PHOTOS, SOON, make_masks, start, train } from './trained.mjs';

const program = process.env.TAG2MASK;

test('packing says how far it is and how long still, and can be cancelled', async (t) => {
  const { page, errors } = await start_mock(t, { pace: 0.1, hold: true });
  await take_sample(page);
  await button(page, 'Train').click();
  await title(page, 'Training is finished');
  await button(page, 'Make masks').click();
  await button(page, 'Download the masks (.zip)').waitFor();
  await page.locator('#mask-format').selectOption('score-maps');
  // 160 photos of the mock's 128 × 96 pixels, three classes, four bytes each.
  await page.getByText('About 23 MB.').waitFor();
  await page.getByText('All score maps in one zip', { exact: false }).waitFor();
  await screenshot(page, 'scores-1-chosen');
  await button(page, 'Download the score maps (.zip)').click();
  await page.getByText(/^Packing the score maps: 53 of 160$/).waitFor();
  await page.getByText(/left$/).first().waitFor();
  await screenshot(page, 'scores-2-packing');
  await button(page, 'Cancel').click();
  await button(page, 'Download the score maps (.zip)').waitFor();
  assert.equal(await page.getByRole('alert').count(), 0, 'nothing has failed');
  assert.deepEqual(errors, []);
});

/** Files of score maps by photo, and the names of the maps. */
function maps_in(files) {
  const names = files.get('channels.txt').toString().trimEnd().split('\n');
  const maps = [...files].filter(([name]) => name !== 'channels.txt').map(([name, bytes]) => [name, npy(bytes)]);
  return { names, maps: new Map(maps) };
}

/** The largest difference of two lists of numbers, and the largest number. */
function compare(found, expected) {
  let [difference, largest] = [0, 0];
  found.forEach((value, at) => {
    assert.ok(Number.isFinite(value));
    difference = Math.max(difference, Math.abs(value - expected[at]));
    largest = Math.max(largest, Math.abs(expected[at]));
  });
  return { difference, largest };
}

test('they are what masks are cut from, and what the program writes', { timeout: 2 * LONG }, async (t) => {
  const { page, errors } = await start(t);
  await train(page);
  await page.getByText('How masks are made').click();
  await fill(page, { refine: 'none' });
  await page.getByText('How masks are made').click();
  await make_masks(page);
  await page.locator('#mask-format').selectOption('score-maps');
  const packed = await download(page, () => button(page, 'Download the score maps (.zip)').click());
  assert.equal(packed.name, 'score-maps.zip');
  await page.getByText('score-maps.zip is in your downloads.').waitFor({ timeout: SOON });
  const { names, maps } = maps_in(unzip(packed.bytes));
  assert.deepEqual(names, ['erythrocyte', 'leukocyte', 'bacillus']);
  assert.equal(maps.size, PHOTOS);

  await t.test('as the program has them', program ? {} : { skip: 'TAG2MASK is not set' }, async () => {
    const project = await download(page, () => button(page, 'Save as one file (.zip)').click());
    await in_folder(async (folder) => {
      const at = (...parts) => path.join(folder, ...parts);
      await writeFile(at('cells.zip'), project.bytes);
      const line = ['masks', at('cells.zip'), at('cells.zip'), '--out', at('masks'), '--scores', at('maps')];
      execFileSync(program, [...line, '--scales', '1', '--refine', 'none', '--device', 'cpu'], { stdio: 'pipe' });
      assert.equal(await readFile(at('maps', 'channels.txt'), 'utf8'), `${names.join('\n')}\n`);
      for (const [name, { shape, values }] of maps) {
        const own = npy(await readFile(at('maps', name)));
        assert.deepEqual(shape, own.shape, name);
        const { difference, largest } = compare(values, own.values);
        assert.ok(largest > 0 && difference < 1e-4 * largest, `${name} differs by ${difference} of ${largest}`);
      }
    });
  });

  await t.test('of new photos also the background', async () => {
    await page.getByText('How it learns').click();
    await fill(page, { 'segmenter-epochs': 1 });
    await button(page, 'Train a segmenter on these masks').click();
    await button(page, 'Download the model').waitFor({ timeout: LONG });
    const buffer = bmp(50, 30, (x, y) => (Math.hypot(x - 20, y - 15) < 9 ? [190, 60, 70] : [235, 225, 215]));
    await page.locator('#new-files-input').setInputFiles([{ name: 'new.bmp', mimeType: 'image/bmp', buffer }]);
    await button(page, 'Download these masks (.zip)').waitFor({ timeout: LONG });
    const masks = unzip((await download(page, () => button(page, 'Download these masks (.zip)').click())).bytes);
    const drawn = png_pixels(masks.get('new.png')).pixels;
    await page.locator('#new-mask-format').selectOption('score-maps');
    const packed = await download(page, () => button(page, 'Download these score maps (.zip)').click());
    assert.equal(packed.name, 'new-score-maps.zip');
    const { names: all, maps } = maps_in(unzip(packed.bytes));
    assert.deepEqual(all, ['background', ...names]);
    const { shape, values } = maps.get('new.npy');
    assert.deepEqual(shape, [4, 30, 50]);
    const score = (map, at) => values[map * 30 * 50 + at];
    const cut = Array.from({ length: 30 * 50 }, (_, at) => (
      [1, 2, 3].reduce((best, map) => (score(map, at) > score(best, at) ? map : best), 0)
    ));
    assert.deepEqual(cut, [...drawn]);
  });
  assert.deepEqual(errors, []);
});
