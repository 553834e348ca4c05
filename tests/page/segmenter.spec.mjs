// The network for new photos is kept with its project: it goes on where it was stopped, also after a reload. With the real
// trainer on the processor.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { unzip } from './formats.mjs';
import { download, fill, until_true } from './harness.mjs';
import { LONG, SOON, button, finished, make_masks, start, train } from './trained.mjs';
import { listen, watch_page, watched_files } from './watched.mjs';

test('a network for new photos that was stopped goes on after a reload', { timeout: LONG }, async (t) => {
  const { page, errors } = await start(t, { files: await watched_files(), init: watch_page });
  const { news, until } = listen(page);
  await train(page, { batch: 8 });
  await make_masks(page);

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
  await finished(page);
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
  await finished(page);
  await page.getByText('kept in this browser').waitFor({ timeout: SOON });
  assert.equal(await button(page, 'Download the model').count(), 0);
  await page.reload();
  await finished(page);
  await button(page, 'Make masks').and(page.locator(':enabled')).waitFor({ timeout: SOON });
  assert.equal(await button(page, 'Download the model').count(), 0);
  assert.deepEqual(errors, []);
});
