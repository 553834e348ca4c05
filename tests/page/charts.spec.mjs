// What a run looks like over its steps, what is taken for what, and both on paper.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { download, fill, screenshot } from './harness.mjs';
import { button, start, take_sample, title } from './mock.mjs';

const panels = (page) => page.locator('.panels > li');
const line = (page, kind, nth = 0) => panels(page).nth(nth).locator(`path.${kind}-line`).getAttribute('d');
const asked = async (page, name) => (
  (await page.workers()[0].evaluate(() => self.received)).filter(({ command }) => command === name)
);

/** Where things stand on the page, whatever is scrolled. */
const places = (page, ...selectors) => page.evaluate((selectors) => selectors.flatMap((selector) => (
  [...document.querySelectorAll(selector)].map((element) => {
    const { x, y, width, height } = element.getBoundingClientRect();
    return [selector, x, y + scrollY, width, height].join(' ');
  })
)), selectors);

async function train(page) {
  await button(page, 'Train').click();
  await title(page, 'Training is finished');
}

async function make_masks(page) {
  await button(page, 'Make masks').click();
  await button(page, 'Download the masks (.zip)').waitFor();
}

test('shares and thresholds are drawn as they come, and nothing moves', async (t) => {
  const { page, errors } = await start(t, { pace: 0.3 });
  await take_sample(page);
  await button(page, 'Train').click();
  await title(page, 'Round 1');
  await page.waitForFunction(() => document.querySelector('.panels path.share-line')?.getAttribute('d'));
  const where = await places(page, '.class-charts', '.panels > li', '.panels svg');
  assert.equal(where.length, 7);
  assert.equal(await line(page, 'cut'), '', 'the plain classifier learns no threshold');
  await title(page, 'Round 2');
  await page.waitForFunction(() => document.querySelector('.panels path.cut-line')?.getAttribute('d'));
  assert.deepEqual(await places(page, '.class-charts', '.panels > li', '.panels svg'), where);
  await title(page, 'Training is finished');
  // A line a class, further than it was; a dot after each round but the last.
  for (const nth of [0, 1, 2]) {
    assert.match(await line(page, 'share', nth), /^M0\.0 [\d.]+(L[\d.]+ [\d.]+){5,}$/);
    assert.match(await line(page, 'cut', nth), /^M\d+/);
    assert.equal((await line(page, 'all', nth)).match(/h0/g).length, 2);
  }
  const words = await page.getByRole('img', { name: /^red blood cell: share of its photos from/ }).getAttribute('aria-label');
  assert.match(words, /^red blood cell: share of its photos from \d+ % to \d+ %, threshold from 0\.\d\d to 0\.\d\d$/);
  await page.getByText('As a table').click();
  const table = page.getByRole('region', { name: 'Classes over the steps, in numbers' });
  const cells = await table.locator('tbody tr').first().locator('td').allTextContents();
  const [, ...numbers] = words.match(/from (\d+ %) to (\d+ %), threshold from (0\.\d\d) to (0\.\d\d)/);
  assert.deepEqual(cells, numbers, 'the table says what the chart does');
  await screenshot(page, 'charts');
  assert.deepEqual(errors, []);
});

test('a method without thresholds tells of none', async (t) => {
  const { page, errors } = await start(t, { pace: 0.05 });
  await take_sample(page);
  await page.locator('#method').selectOption('cam');
  await train(page);
  assert.equal(await page.locator('.key.cut-line').count(), 0);
  assert.ok(await line(page, 'share'));
  assert.deepEqual([await line(page, 'cut'), await line(page, 'all')], ['', '']);
  await make_masks(page);
  assert.equal(await page.locator('.before-after').count(), 0, 'it has no masks before the last ones');
  assert.deepEqual(errors, []);
});

test('what is taken for what, and shares before and after', async (t) => {
  const { page, errors } = await start(t, { pace: 0.05 });
  await take_sample(page);
  await train(page);
  await make_masks(page);
  const rows = page.locator('.heat tbody tr');
  assert.equal(await rows.count(), 4);
  // 200, 740, 20 and 10 of 970 pixels.
  assert.deepEqual(await rows.nth(1).locator('td').allTextContents(), ['21', '76', '2', '1']);
  const shade = (row, column) => rows.nth(row).locator('td').nth(column).evaluate((cell) => getComputedStyle(cell).backgroundColor);
  assert.notEqual(await shade(1, 1), await shade(1, 2), 'more is darker');
  const change = await page.locator('.before-after tbody tr').first().locator('.bars-value').textContent();
  assert.match(change, /^12 % → \d+ %$/);
  await screenshot(page, 'confusion');
  assert.deepEqual(errors, []);
});

test('of many classes all can be read, in boxes of their own', async (t) => {
  const { page, errors } = await start(t, { pace: 0.05, classes: 24 });
  await take_sample(page);
  await train(page);
  assert.equal(await panels(page).count(), 24);
  await make_masks(page);
  assert.equal(await page.locator('.heat tbody td').count(), 25 * 25);
  await screenshot(page, 'many-classes');
  await page.setViewportSize({ width: 360, height: 780 });
  for (const selector of ['.heat', '.panels']) {
    const box = page.locator(selector);
    const { inside, shown } = await box.evaluate((box) => ({
      inside: box.scrollHeight + box.scrollWidth, shown: box.clientHeight + box.clientWidth,
    }));
    assert.ok(inside > shown, `${selector} scrolls`);
    await box.focus();
    assert.ok(await box.evaluate((box) => box === document.activeElement), `${selector} is reached by keyboard`);
  }
  // Names stay beside and above their numbers.
  const head = page.locator('.heat tbody th').nth(2);
  const before = (await head.boundingBox()).x;
  await page.locator('.heat').evaluate((box) => { box.scrollLeft = 300; });
  assert.ok(Math.abs((await head.boundingBox()).x - before) < 2);
  assert.deepEqual(errors, []);
});

test('a run has a report, with the masks that are shown', async (t) => {
  const { page, errors } = await start(t, { pace: 0.05 });
  await take_sample(page);
  await train(page);
  assert.equal((await download(page, () => button(page, 'Run report').click())).name, 'report.html');
  await page.getByText('report.html is in your downloads.').waitFor();
  await make_masks(page);
  await page.getByRole('slider', { name: 'Masks after' }).focus();
  await page.keyboard.press('Home');
  await button(page, 'Make masks of this round').waitFor();
  await download(page, () => button(page, 'Run report').click());
  assert.deepEqual(await asked(page, 'pack-report'), [{ command: 'pack-report', round: null }, { command: 'pack-report', round: 0 }]);
  assert.deepEqual(errors, []);
});

test('masks of new photos come in every format', async (t) => {
  const { page, errors } = await start(t, { pace: 0.05 });
  await take_sample(page);
  await page.locator('#method').selectOption('cam');
  await fill(page, { 'cam-epochs': 1 });
  await train(page);
  await make_masks(page);
  await button(page, 'Train a segmenter on these masks').click();
  await button(page, 'Download the model').waitFor();
  assert.equal(await page.locator('#new-mask-format').count(), 0, 'there are no masks yet');
  await page.locator('#new-files-input').setInputFiles([{ name: '1.jpg', mimeType: 'image/jpeg', buffer: Buffer.from('x') }]);
  const keep = button(page, 'Download these masks (.zip)');
  await keep.waitFor();
  const formats = await page.locator('#mask-format option').allTextContents();
  assert.deepEqual(await page.locator('#new-mask-format option').allTextContents(), formats);
  await page.locator('#new-mask-format').selectOption('yolo-seg');
  await page.locator('#new-mask-photos').check();
  assert.equal((await download(page, () => keep.click())).name, 'new-masks-yolo-seg.zip');
  await page.locator('#new-mask-format').selectOption('index-png');
  await download(page, () => keep.click());
  assert.deepEqual(await asked(page, 'pack-predictions'), [
    { command: 'pack-predictions', format: 'yolo-seg', photos: true },
    { command: 'pack-predictions', format: 'index-png', photos: false },
  ]);
  assert.deepEqual(errors, []);
});
