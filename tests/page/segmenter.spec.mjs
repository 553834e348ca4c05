// The network for new photos is kept with its project: it goes on where it was stopped, also after a reload. With the real
// trainer on the processor.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { unzip } from './formats.mjs';
import { download, fill, launch, open, serve, until_true } from './harness.mjs';
import { listen, watch_page, watched_files } from './watched.mjs';

const MINUTE = 60_000;
const SOON = 3 * MINUTE;
const LONG = 15 * MINUTE;

const button = (page, name) => page.getByRole('button', { name, exact: true });

test('a network for new photos that was stopped goes on after a reload', { timeout: LONG }, async (t) => {
  const host = await serve({ files: await watched_files() });
  const browser = await launch({ webgpu: false });
  t.after(async () => {
    await browser.close();
    await host.close();
  });
  const { page, errors } = await open(browser, host.url, { init: watch_page });
  const { news, until } = listen(page);
  await page.locator('.device-line').waitFor({ timeout: SOON });
  await button(page, 'Try the sample set').click();
  await page.getByText('60 photos', { exact: true }).waitFor({ timeout: SOON });
  await fill(page, { method: 'cam', size: 64, batch: 8, 'cam-epochs': 1 });
  await button(page, 'Train').click();
  const finished = page.locator('.run-title').getByText('Training is finished');
  await finished.waitFor({ timeout: LONG });
  await page.getByText('How masks are made').click();
  await fill(page, { scales: '1' });
  await button(page, 'Make masks').click();
  await button(page, 'Download the masks (.zip)').waitFor({ timeout: LONG });

  const before = news.length;
  const progress = (from) => news.slice(from).filter(({ event }) => event === 'progress-training').map(({ done }) => done);
  await page.locator('#new-photos').getByText('How it learns').click();
  await fill(page, { 'segmenter-epochs': 30 });
  await button(page, 'Train a segmenter on these masks').click();
  await until((one) => one.event === 'progress-training' && news.indexOf(one) >= before, 'its first step');
  await button(page, 'Stop here').click();
  await button(page, 'Go on learning').waitFor({ timeout: SOON });
  const stopped = progress(before).at(-1);
  await until_true(page, async () => {
    const projects = await (await navigator.storage.getDirectory()).getDirectoryHandle('projects');
    for await (const project of projects.values()) {
      const folder = await project.getDirectoryHandle('segmenter').catch(() => null);
      const file = await folder?.getFileHandle('weights.safetensors').then((handle) => handle.getFile(), () => null);
      if (file?.size) return true;
    }
    return false;
  }, 'its checkpoint on the disk');

  await page.reload();
  await finished.waitFor({ timeout: SOON });
  await button(page, 'Go on learning').and(page.locator(':enabled')).waitFor({ timeout: SOON });
  const again = news.length;
  await button(page, 'Go on learning').click();
  await until((one) => one.event === 'training-finished' && news.indexOf(one) >= again, 'its end', LONG);
  await button(page, 'Download the model').and(page.locator(':enabled')).waitFor({ timeout: SOON });
  assert.ok(progress(again)[0] > stopped, `from step ${progress(again)[0]}, where it was stopped at ${stopped}`);
  assert.equal(await button(page, 'Go on learning').count(), 0);
  const model = unzip((await download(page, () => button(page, 'Download the model').click())).bytes);
  assert.deepEqual([...model.keys()].sort(), ['model.json', 'model.onnx', 'model.safetensors']);

  // Another run takes it away, also from the disk: it has learned from masks of the one before.
  await fill(page, { seed: 5 });
  await button(page, 'Train again').click();
  await finished.waitFor({ timeout: LONG });
  await page.getByText('kept in this browser').waitFor({ timeout: SOON });
  assert.equal(await button(page, 'Download the model').count(), 0);
  await page.reload();
  await finished.waitFor({ timeout: SOON });
  await button(page, 'Make masks').and(page.locator(':enabled')).waitFor({ timeout: SOON });
  assert.equal(await button(page, 'Download the model').count(), 0);
  assert.deepEqual(errors, []);
});
