// Accepted masks teach the next run, with the real trainer on the processor.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { unzip } from './formats.mjs';
import { download, fill, screenshot, until_card } from './harness.mjs';
import { LONG, SOON, button, make_masks, start, train } from './trained.mjs';


test('the next run learns from accepted masks, also where its page ends before a checkpoint', { timeout: LONG }, async (t) => {
  const { page, errors } = await start(t);
  await train(page, { 'cam-epochs': 2 });
  const choice = page.getByLabel(/^Learn from the/);
  assert.equal(await choice.count(), 0, 'nothing was accepted yet');
  await make_masks(page);

  // Two are accepted and one is rejected, by keyboard.
  await page.locator('#results .tile').first().focus();
  await page.keyboard.press('Enter');
  await page.getByRole('dialog', { name: 'Photo' }).waitFor({ timeout: SOON });
  for (const key of ['a', 'ArrowRight', 'a', 'ArrowRight', 'r', 'Escape']) await page.keyboard.press(key);
  await page.getByText('Learn from the 2 accepted masks, too').waitFor();
  assert.ok(await choice.isChecked());
  await screenshot(page, 'accepted-masks');

  // Without them this would be the run that is finished; with another seed and without them it learns from labels only.
  assert.ok(await button(page, 'Train again').isEnabled());
  await choice.uncheck();
  assert.ok(await button(page, 'Train again').isDisabled());
  await choice.check();
  await fill(page, { method: 'cam', 'cam-epochs': 60 });
  await button(page, 'Train again').click();
  const facts = page.getByText('labels and 2 accepted masks');
  await facts.waitFor({ timeout: SOON });
  await page.getByText('kept in this browser').waitFor({ timeout: SOON });
  await until_card(page, '"is_training":true');

  // It ends at once, before its first checkpoint, and goes on by itself with what it was given.
  await page.reload();
  await facts.waitFor({ timeout: SOON });
  const bar = page.getByRole('progressbar', { name: 'Training' });
  await page.waitForFunction((bar) => Number(bar.getAttribute('aria-valuenow')) > 0, await bar.elementHandle(), { timeout: SOON });
  await button(page, 'Stop').click();
  await button(page, 'Go on training').waitFor({ timeout: SOON });
  const run = unzip((await download(page, () => button(page, 'Download the trained network').click())).bytes);
  const given = [...unzip(run.get('given-masks.zip')).keys()];
  assert.equal(given.filter((name) => name.endsWith('.png')).length, 2, given.join());
  assert.deepEqual(errors, []);
});
