// Many photos through the whole job with the real trainer on the processor: read, trained on, masked, scrolled through and
// exported. 300 of them, 5,000 with TAG2MASK_MANY=1; the README tells the figures of these.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { unzip } from './formats.mjs';
import { download, fill } from './harness.mjs';
import { largest_renderer } from './memory.mjs';
import { scroll_to } from './scrolled.mjs';
import { SOON, button, finished, make_masks, start } from './trained.mjs';

const MINUTE = 60_000;
const PHOTOS = process.env.TAG2MASK_MANY ? 5000 : 300;
const shown = PHOTOS.toLocaleString('en');

/** Photos with a disc each, red or blue, and the table of their labels. */
const give = (page) => page.evaluate(async (count) => {
  const canvas = new OffscreenCanvas(320, 240);
  const context = canvas.getContext('2d');
  const transfer = new DataTransfer();
  const rows = ['image,labels'];
  for (let i = 0; i < count; i++) {
    context.fillStyle = `hsl(${(i * 37) % 360} 20% 70%)`;
    context.fillRect(0, 0, 320, 240);
    context.fillStyle = i % 2 ? '#c03030' : '#3040c0';
    context.beginPath();
    context.arc(60 + (i * 53) % 200, 60 + (i * 29) % 120, 40, 0, 7);
    context.fill();
    const name = `photo_${i}.jpg`;
    transfer.items.add(new File([await canvas.convertToBlob({ type: 'image/jpeg', quality: 0.8 })], name, { type: 'image/jpeg' }));
    rows.push(`${name},${i % 2 ? 'red' : 'blue'}`);
  }
  transfer.items.add(new File([rows.join('\n')], 'labels.csv', { type: 'text/csv' }));
  document.querySelector('#files-input').files = transfer.files;
}, PHOTOS);

test(`${shown} photos are read, masked, scrolled through and exported`, { timeout: 40 * MINUTE }, async (t) => {
  const { page, errors } = await start(t);
  await give(page);
  let began = performance.now();
  const took = (what) => {
    t.diagnostic(`${what} in ${((performance.now() - began) / 1000).toFixed(1)} s`);
    began = performance.now();
  };
  await page.locator('#files-input').dispatchEvent('change');
  await page.getByText(`${shown} photos`, { exact: true }).waitFor({ timeout: 5 * MINUTE });
  took('read');
  await fill(page, { method: 'cam', size: 32, 'cam-epochs': 1, batch: 32 });
  await button(page, 'Train').click();
  await finished(page);
  took('trained for one pass');
  await page.getByText('How masks are made').click();
  await fill(page, { refine: 'none' });
  await page.getByText('How masks are made').click();
  await make_masks(page);
  took('masks made');

  const tiles = page.locator('.tiles.long > li');
  assert.equal(await tiles.first().getAttribute('aria-setsize'), String(PHOTOS));
  for (let share = 0; share < 1; share += 0.05) {
    await scroll_to(page, share, SOON);
  }
  took('scrolled through, 20 places');
  assert.ok(await tiles.count() < 200, `${await tiles.count()} tiles`);

  await page.locator('#mask-format').selectOption('coco-rle');
  await page.locator('#mask-photos').setChecked(true);
  began = performance.now();
  const { name, bytes } = await download(page, () => button(page, 'Download the masks (.zip)').click());
  took(`${(bytes.length / 1e6).toFixed(0)} MB of COCO with photos exported`);
  assert.equal(name, 'masks-coco-rle.zip');
  const files = unzip(bytes);
  assert.equal([...files.keys()].filter((name) => name.endsWith('.jpg')).length, PHOTOS);
  const json = JSON.parse(files.get([...files.keys()].find((name) => name.endsWith('.json'))).toString());
  assert.equal(json.images.length, PHOTOS);
  assert.ok(json.annotations.length > PHOTOS / 2, `${json.annotations.length} objects`);
  t.diagnostic(`${(await largest_renderer() / 2 ** 20).toFixed(0)} MiB at most in the page's process`);
  assert.deepEqual(errors, []);
});
