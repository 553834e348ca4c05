// The browser has no room, and nothing else has any to give: the run's own earlier rounds do, and it goes on.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import { unzip } from './formats.mjs';
import { download, fill, launch, open, page_folder, serve } from './harness.mjs';
import { no_room_while } from './watched.mjs';

const SOON = 120_000;

test('earlier rounds of a run give room for what it learns next', { timeout: 5 * SOON }, async (t) => {
  const full_disk = no_room_while('projects/*/run/round-0.safetensors');
  const worker = full_disk + await readFile(path.join(page_folder, 'trainer-worker.js'), 'utf8');
  const host = await serve({ files: { 'trainer-worker.js': worker } });
  const browser = await launch({ webgpu: false });
  t.after(async () => {
    await browser.close();
    await host.close();
  });
  const { page, errors } = await open(browser, host.url);
  const button = (name) => page.getByRole('button', { name, exact: true });
  const finished = () => page.locator('.run-title').getByText('Training is finished').waitFor({ timeout: SOON });
  await page.locator('.device-line').waitFor({ timeout: SOON });
  await button('Try the sample set').click();
  await page.getByText('60 photos', { exact: true }).waitFor({ timeout: SOON });
  await fill(page, { method: 'spatial-bce', size: 64, batch: 8, rounds: 2, 'cam-epochs': 1, epochs: 1 });
  await button('Train').click();
  await finished();
  await page.getByText('its network after round 1 was removed').waitFor({ timeout: SOON });
  await page.getByText('kept in this browser').waitFor({ timeout: SOON });
  // There was room for all that came after.
  assert.equal(await page.getByText('ran out of room').count(), 1);

  // After a reload there is all but that round, and what wants it is told so.
  await page.reload();
  await finished();
  await page.getByText('How masks are made').click();
  await fill(page, { scales: '1' });
  await button('Make masks').click();
  await button('Download the masks (.zip)').waitFor({ timeout: SOON });
  const rounds = page.getByRole('slider', { name: 'Masks after' });
  await rounds.focus();
  await page.keyboard.press('Home');
  await button('Make masks of this round').click();
  await page.getByText('the network after round 1 is not there any more').waitFor({ timeout: SOON });
  await rounds.focus();
  await page.keyboard.press('ArrowRight');
  await button('Make masks of this round').click();
  await page.getByRole('region', { name: 'Rounds in numbers' }).waitFor({ timeout: SOON });

  const packed = unzip((await download(page, () => button('Save as one file (.zip)').click())).bytes);
  const kept = [...packed.keys()].filter((name) => /^run\/round-/.test(name));
  assert.deepEqual(kept.sort(), ['run/round-1.safetensors', 'run/round-2.safetensors']);
  assert.deepEqual(errors, []);
});
