// A set that no memory holds decoded: 5,000 photos of 12 megapixels.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fill, launch, open, screenshot, serve } from './harness.mjs';
import { largest_renderer } from './memory.mjs';

const MINUTE = 60_000;
const PHOTOS = 5000;
/** Decoded, one photo is 34 MiB and the set 168 GiB. */
const MOST_MEMORY = 2 * 2 ** 30;

test('5,000 photos of 12 megapixels', { timeout: 15 * MINUTE }, async (t) => {
  const host = await serve();
  const browser = await launch();
  t.after(async () => {
    await browser.close();
    await host.close();
  });
  const { page, errors } = await open(browser, host.url);
  await page.locator('.device-line').waitFor({ timeout: 3 * MINUTE });
  // One photo, given 5,000 names: what differs is a byte count behind its end, so that no two are the same.
  await page.evaluate(async (count) => {
    const canvas = new OffscreenCanvas(4000, 3000);
    const context = canvas.getContext('2d');
    for (let i = 0; i < 4000; i++) {
      context.fillStyle = `hsl(${(i * 37) % 360} 60% ${30 + (i % 50)}%)`;
      context.fillRect((i * 613) % 4000, (i * 389) % 3000, 120, 90);
    }
    const photo = await canvas.convertToBlob({ type: 'image/jpeg', quality: 0.9 });
    const rows = ['image,labels'];
    const transfer = new DataTransfer();
    for (let i = 0; i < count; i++) {
      const name = `photo_${i}.jpg`;
      rows.push(`${name},${['boat', 'bird', 'boat bird'][i % 3]}`);
      transfer.items.add(new File([photo, new Uint8Array(i)], name, { type: 'image/jpeg' }));
    }
    transfer.items.add(new File([rows.join('\n')], 'labels.csv', { type: 'text/csv' }));
    document.querySelector('#files-input').files = transfer.files;
  }, PHOTOS);
  // Long tasks of the page's own thread: what makes a page stutter.
  await page.evaluate(() => {
    globalThis.longest_task = 0;
    new PerformanceObserver((list) => {
      for (const { duration } of list.getEntries()) globalThis.longest_task = Math.max(globalThis.longest_task, duration);
    }).observe({ entryTypes: ['longtask'] });
  });

  await page.evaluate(() => {
    document.querySelector('#files-input').dispatchEvent(new Event('change', { bubbles: true }));
  });
  const started = performance.now();
  await page.getByText('5,000 photos', { exact: true }).waitFor({ timeout: 5 * MINUTE });
  t.diagnostic(`read in ${((performance.now() - started) / 1000).toFixed(1)} s`);
  await page.waitForFunction(() => !document.querySelector('#data .photo.waiting'), undefined, { timeout: 3 * MINUTE });
  await screenshot(page, 'large-data');

  // Some steps of training: decoded photos are kept only as far as the cache reaches.
  await fill(page, { method: 'cam', size: 64, batch: 8 });
  await page.getByRole('button', { name: 'Train', exact: true }).click();
  const bar = page.getByRole('progressbar', { name: 'Training' });
  await bar.waitFor({ timeout: 3 * MINUTE });
  await page.waitForFunction(
    (element) => Number(/step ([\d,]+)/.exec(element.getAttribute('aria-valuetext') ?? '')?.[1] ?? 0) >= 10,
    await bar.elementHandle(), { timeout: 10 * MINUTE },
  );
  await page.getByRole('button', { name: 'Stop' }).click();
  await page.locator('.run-title').getByText('Stopped').waitFor({ timeout: 3 * MINUTE });

  const memory = await largest_renderer();
  t.diagnostic(`${(memory / 2 ** 20).toFixed(0)} MiB at most in the page's process`);
  t.diagnostic(`longest task of the page's thread ${await page.evaluate(() => globalThis.longest_task.toFixed(0))} ms`);
  assert.ok(memory > 0 && memory < MOST_MEMORY, `${memory} bytes`);
  assert.deepEqual(errors, []);
});
