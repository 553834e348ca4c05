// The trainer's worker is ended from outside in each phase of a job: the page says so, and after "Start again" the run,
// its masks, what was said of them and what was corrected are there.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { unzip } from './formats.mjs';
import { download, draw_over, fill, launch, open, screenshot, serve, until_card } from './harness.mjs';
import { listen, watch_page, watched_files } from './watched.mjs';

const MINUTE = 60_000;
const SOON = 2 * MINUTE;
/** Checkpoints come every third of a second. */
const SPEED = 60;

let browser;
before(async () => { browser = await launch({ webgpu: false }); });
after(() => browser.close());

const button = (page, name) => page.getByRole('button', { name, exact: true });
const title = (page, words) => page.locator('.run-title').getByText(words).waitFor({ timeout: SOON });

/** Opens the page; its workers end where `end_at` says, which is for the next worker. */
async function start(t) {
  const files = await watched_files({ speed: SPEED });
  const host = await serve({ files });
  const visit = await open(browser, host.url, { init: watch_page });
  t.after(async () => {
    await visit.close();
    await host.close();
  });
  await visit.page.locator('.device-line').waitFor({ timeout: SOON });
  const told = listen(visit.page);
  const end_at = (event, number) => {
    files['plan.json'] = JSON.stringify({ speed: SPEED, hold: event && { scope: 'worker', ends: true, event, number } });
  };
  return { ...visit, ...told, end_at };
}

/** The worker has gone: the page says so and lives on. A fresh one is started, by keyboard. */
async function start_again(visit, words) {
  const { page, end_at } = visit;
  const notice = page.getByRole('alert').filter({ hasText: 'The trainer has stopped' });
  await notice.waitFor({ timeout: SOON });
  await notice.getByText(words).waitFor();
  end_at(null);
  visit.news.length = 0;
  await button(page, 'Start again').press('Enter');
  await notice.waitFor({ state: 'detached' });
  await page.locator('.device-line').waitFor({ timeout: SOON });
}

async function take_sample(page, settings) {
  await button(page, 'Try the sample set').click();
  await page.getByText('60 photos', { exact: true }).waitFor({ timeout: SOON });
  await fill(page, settings);
}

test('while it reads the data', { timeout: 5 * MINUTE }, async (t) => {
  const visit = await start(t);
  const { page, end_at } = visit;
  end_at('progress-reading', 5);
  // The first worker was there before the plan.
  await page.reload();
  await page.locator('.device-line').waitFor({ timeout: SOON });
  await button(page, 'Try the sample set').click();
  await start_again(visit, 'Your data and settings are kept');
  await page.getByText('60 photos', { exact: true }).waitFor({ timeout: SOON });
  await button(page, 'Train').waitFor();
});

test('while it trains', { timeout: 5 * MINUTE }, async (t) => {
  const visit = await start(t);
  const { page, end_at, until } = visit;
  end_at('progress-training', 60);
  await page.reload();
  await page.locator('.device-line').waitFor({ timeout: SOON });
  await take_sample(page, { method: 'cam', size: 64, batch: 8, 'cam-epochs': 12 });
  await button(page, 'Train').click();
  await until(({ held }) => held, 'the end of the worker');
  const kept = visit.news.slice(0, visit.news.findLastIndex(({ event }) => event === 'kept'));
  const saved = kept.filter(({ event }) => event === 'saved').at(-1).step;
  await start_again(visit, 'and the run up to its last checkpoint');
  await title(page, 'Stopped');
  await screenshot(page, 'death-training');
  await button(page, 'Go on training').press('Enter');
  await title(page, 'Training is finished');
  const from = visit.news.filter(({ event }) => event === 'run-started').at(-1).done;
  t.diagnostic(`ended at step 60, kept ${saved}, went on from ${from}`);
  assert.ok(from >= saved && from <= 61, `${from}`);
});

/** Makes masks; accepts the first, rejects the second, corrects the third. */
async function review(page) {
  await page.getByText('How masks are made').click();
  await fill(page, { scales: '1' });
  await button(page, 'Make masks').click();
  await button(page, 'Download the masks (.zip)').waitFor({ timeout: SOON });
  await page.locator('#results .tile').nth(0).focus();
  await page.keyboard.press('a');
  await page.locator('#results .tile').nth(1).focus();
  await page.keyboard.press('r');
  await draw_over(page, 2);
  await page.keyboard.press('Escape');
  await page.getByText('1 mask was corrected by hand').waitFor({ timeout: SOON });
}

const masks = async (page) => unzip((await download(page, () => button(page, 'Download the masks (.zip)').click())).bytes);

async function expect_reviewed(page, before) {
  await button(page, 'Download the masks (.zip)').waitFor({ timeout: SOON });
  await page.getByText('1 mask was corrected by hand').waitFor({ timeout: SOON });
  const verdicts = page.getByRole('group', { name: 'Show verdict' });
  // A mask that was corrected is accepted with it.
  for (const [name, count] of [['Accepted', /2$/], ['Rejected', /1$/]]) {
    assert.match(await verdicts.getByRole('button', { name }).innerText(), count, name);
  }
  assert.deepEqual(await masks(page), before);
}

for (const [phase, event, act] of [
  ['packs masks', 'progress-packing', async (page) => {
    await page.locator('#mask-format').selectOption('coco-rle');
    await button(page, 'Download the masks (.zip)').click();
  }],
  ['makes masks anew', 'progress-masks', (page) => button(page, 'Make them anew').click()],
]) {
  test(`while it ${phase}`, { timeout: 5 * MINUTE }, async (t) => {
    const visit = await start(t);
    const { page, end_at, until, news } = visit;
    await take_sample(page, { method: 'cam', size: 64, batch: 8, 'cam-epochs': 1 });
    await button(page, 'Train').click();
    await title(page, 'Training is finished');
    await review(page);
    const before = await masks(page);
    await until(({ wrote }) => wrote?.kind === 'close' && wrote.file.endsWith('-2.png'), 'the correction on the disk');
    await until_card(page, '"ar');
    // A worker that ends at the third of these; masks of before are told with the same event.
    end_at(event, event === 'progress-masks' ? 60 + 3 : 3);
    await page.reload();
    await expect_reviewed(page, before);
    news.length = 0;
    await act(page);
    await until(({ held }) => held, 'the end of the worker');
    await start_again(visit, 'and the run up to its last checkpoint');
    await title(page, 'Training is finished');
    await expect_reviewed(page, before);
  });
}
