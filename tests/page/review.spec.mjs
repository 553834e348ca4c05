// Masks are looked at: thousands of them, sorted by doubt, accepted and rejected, corrected by pointer and keyboard.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fill, screenshot } from './harness.mjs';
import { button, ready, start, take_sample, title, zip_file } from './mock.mjs';
import { scroll_to } from './scrolled.mjs';

const tiles = (page) => page.locator('#results .tiles.long > li');
const large = (page) => page.getByRole('dialog', { name: 'Photo' });
const editor = (page) => page.getByRole('dialog', { name: 'Correct the mask' });
const filter = (page, name) => page.getByRole('group', { name: 'Show verdict' }).getByRole('button', { name });
const asked = async (page, ...names) => (
  (await page.workers()[0].evaluate(() => self.received)).filter(({ command }) => names.includes(command))
);
/** What the open mask's canvas shows: as many pixels as have any colour. */
const painted = (page) => page.locator('#mask-canvas').evaluate((canvas) => {
  const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
  let count = 0;
  for (let at = 3; at < data.length; at += 4) count += data[at] > 0;
  return count;
});

async function make_masks(page) {
  await button(page, 'Train').click();
  await title(page, 'Training is finished');
  await button(page, 'Make masks').click();
  await button(page, 'Download the masks (.zip)').waitFor({ timeout: 120_000 });
}

async function with_masks(t, script = {}) {
  const visit = await start(t, { pace: 0.05, ...script });
  await take_sample(visit.page);
  await visit.page.locator('#method').selectOption('cam');
  await make_masks(visit.page);
  return visit;
}

/** Opens the first mask's photo to correct it. */
async function open_editor(page) {
  await page.locator('#results .tile').nth(1).click();
  await large(page).waitFor();
  await page.keyboard.press('c');
  await editor(page).waitFor();
  await page.waitForFunction(() => document.activeElement?.id === 'mask-stage');
  await page.waitForFunction(() => document.querySelector('#mask-canvas').width > 1);
}

test('of 5,000 masks only those near the window are there', async (t) => {
  const { page, errors } = await start(t, { pace: 0.001, images: 5000, truth: false });
  await page.locator('#files-input').setInputFiles(zip_file);
  await ready(page);
  await page.locator('#method').selectOption('cam');
  await fill(page, { 'cam-epochs': 1 });
  await make_masks(page);
  assert.equal(await tiles(page).first().getAttribute('aria-setsize'), '5000');
  const list = page.locator('.tiles.long');
  const { height } = await list.boundingBox();
  for (const share of [0, 0.25, 0.5, 0.999]) {
    await scroll_to(page, share);
    assert.ok(await tiles(page).count() < 200, `${await tiles(page).count()} tiles`);
    const { height: now } = await list.boundingBox();
    assert.ok(Math.abs(now - height) < 2, `the list is ${now} px long, and was ${height}`);
  }
  assert.equal(await tiles(page).last().getAttribute('aria-posinset'), '5000');
  assert.deepEqual(errors, []);
});

test('the most doubtful comes first, and its meaning is a click away', async (t) => {
  const { page, errors } = await with_masks(t);
  await page.locator('#order').selectOption('doubt');
  await tiles(page).first().getByText('doubt 63 %').waitFor();
  const doubts = (await page.locator('.tile-doubt').allInnerTexts()).map((text) => Number.parseInt(text.slice(6), 10));
  assert.deepEqual(doubts, [...doubts].sort((a, b) => b - a));
  await page.getByText('What the doubt is').click();
  await page.getByText('The doubt is one minus the overlap').waitFor();
  await page.locator('#outline').check();
  await screenshot(page, 'review-gallery');
  assert.deepEqual(errors, []);
});

test('masks are accepted and rejected by key, and that is taken back', async (t) => {
  const { page, errors } = await with_masks(t);
  const number = async (name) => Number((await filter(page, name).innerText()).match(/\d+/)[0]);
  const total = await number('All masks');
  await filter(page, 'To review').click();
  const first = page.locator('#results .tile').first();
  const id = await first.getAttribute('id');
  const next = await page.locator('#results .tile').nth(1).getAttribute('id');
  await first.focus();
  await page.keyboard.press('a');
  await page.locator(`#${id}`).waitFor({ state: 'detached' });
  await page.waitForFunction((next) => document.activeElement?.id === next, next);
  await page.keyboard.press('r');
  await page.locator(`#${next}`).waitFor({ state: 'detached' });
  assert.deepEqual([await number('To review'), await number('Accepted'), await number('Rejected')], [total - 2, 1, 1]);
  await filter(page, 'Rejected').click();
  await page.locator(`#${next}`).waitFor();
  assert.equal(await tiles(page).count(), 1);
  await filter(page, 'All masks').click();
  assert.equal(await tiles(page).first().getAttribute('aria-setsize'), String(total));

  await page.locator('#results .tile').nth(2).click();
  await large(page).getByText(`3 of ${total}`).waitFor();
  await page.keyboard.press('a');
  await large(page).locator('[aria-pressed=true]', { hasText: 'Accept' }).waitFor();
  await page.keyboard.press('ArrowRight');
  await large(page).getByText(`4 of ${total}`).waitFor();
  await page.keyboard.press('r');
  await large(page).locator('[aria-pressed=true]', { hasText: 'Reject' }).waitFor();
  await screenshot(page, 'review-large');
  await page.keyboard.press('ArrowLeft');
  await page.keyboard.press('Control+z');
  await large(page).getByText(`4 of ${total}`).waitFor();
  assert.equal(await large(page).locator('[aria-pressed=true]').count(), 0, 'one sees whose verdict it was');
  await page.keyboard.press('Escape');
  await large(page).waitFor({ state: 'hidden' });
  assert.deepEqual([await number('Accepted'), await number('Rejected')], [2, 1]);

  await button(page, 'Train a segmenter on these masks').click();
  await button(page, 'Download the model').waitFor();
  assert.deepEqual((await asked(page, 'train-segmenter')).map(({ rejected }) => rejected), [[Number(next.slice(5))]]);
  assert.deepEqual(errors, []);
});

test('a mask is painted, erased, filled, undone and kept', async (t) => {
  const { page, errors } = await with_masks(t);
  await open_editor(page);
  const before = await painted(page);
  const { x, y, width, height } = await page.locator('.mask-stage').boundingBox();
  const stroke = async ([x0, y0], [x1, y1]) => {
    await page.mouse.move(x + x0 * width, y + y0 * height);
    await page.mouse.down();
    await page.mouse.move(x + x1 * width, y + y1 * height, { steps: 4 });
    await page.mouse.up();
  };
  await stroke([0.1, 0.95], [0.9, 0.95]);
  const one = await painted(page);
  assert.ok(one > before, `${one} of ${before}`);
  await editor(page).getByRole('button', { name: 'Eraser' }).click();
  await stroke([0.5, 0.9], [0.9, 0.99]);
  const two = await painted(page);
  assert.ok(two < one, `${two} of ${one}`);
  await button(editor(page), 'Undo').click();
  assert.equal(await painted(page), one);
  await button(editor(page), 'Undo').click();
  assert.equal(await painted(page), before);
  assert.ok(await button(editor(page), 'Undo').isDisabled());
  await button(editor(page), 'Redo').click();
  assert.equal(await painted(page), one);
  await editor(page).getByRole('button', { name: 'Fill a region' }).click();
  await page.mouse.click(x + 0.05 * width, y + 0.1 * height);
  const filled = await painted(page);
  assert.ok(filled > one, `${filled} of ${one}`);
  await editor(page).getByLabel('Outline only').check();
  assert.ok(await painted(page) < filled, 'an outline is less than what it surrounds');
  await editor(page).getByLabel('Outline only').uncheck();
  await screenshot(page, 'review-editor');
  await editor(page).getByLabel('Zoom').selectOption('4');
  assert.ok((await page.locator('.mask-stage').boundingBox()).width > 3 * width);
  await button(editor(page), 'Done').click();
  await editor(page).waitFor({ state: 'hidden' });
  await large(page).locator('[aria-pressed=true]', { hasText: 'Accept' }).waitFor();
  await page.keyboard.press('Escape');
  await tiles(page).nth(1).getByText('corrected').waitFor();
  await tiles(page).nth(1).getByText('100 %').waitFor();
  await page.getByText('1 mask was corrected by hand.').waitFor();
  assert.equal(await page.locator('.score-number').innerText(), '70.0 %');
  const kept = await page.workers()[0].evaluate(() => {
    const { image, width, height, labels } = self.corrected;
    return { image, fits: labels.length === width * height, some: labels.some((label) => label > 0) };
  });
  assert.deepEqual(kept, { image: 1, fits: true, some: true });

  await button(page, 'Make them anew').click();
  await page.waitForFunction(() => document.querySelectorAll('.tiles.long > li').length > 1);
  await button(page, 'Make them anew').waitFor();
  await tiles(page).nth(1).getByText('corrected').waitFor();
  assert.equal((await asked(page, 'set-mask')).length, 2, 'what was drawn by hand is not drawn twice');
  assert.deepEqual(errors, []);
});

test('a mask is corrected without a pointer', async (t) => {
  const { page, errors } = await with_masks(t);
  await page.locator('#results .tile').nth(1).focus();
  await page.keyboard.press('Enter');
  await large(page).waitFor();
  await page.keyboard.press('c');
  await page.waitForFunction(() => document.activeElement?.id === 'mask-stage');
  await page.waitForFunction(() => document.querySelector('#mask-canvas').width > 1);
  const before = await painted(page);
  const say = (words) => editor(page).locator('[aria-live]', { hasText: words }).waitFor();
  for (let step = 0; step < 9; step++) await page.keyboard.press('Shift+ArrowDown');
  await say('95 % down');
  await page.keyboard.press('Space');
  await say('Now red blood cell');
  const dab = await painted(page);
  assert.ok(dab > before);
  await page.keyboard.press('Enter');
  await say('Brush down');
  for (let step = 0; step < 4; step++) await page.keyboard.press('Shift+ArrowRight');
  await page.keyboard.press('Enter');
  await say('Brush up');
  const line = await painted(page);
  assert.ok(line > dab);
  await page.keyboard.press('Control+z');
  await say('Undone');
  assert.equal(await painted(page), dab);
  await page.keyboard.press('Control+Shift+Z');
  assert.equal(await painted(page), line);
  await page.keyboard.press('3');
  await say('Painting platelet');
  await page.keyboard.press('e');
  await say('Eraser');
  await page.keyboard.press('Escape');
  await editor(page).waitFor({ state: 'hidden' });
  assert.ok(await large(page).isVisible(), 'only the upper dialog is closed');
  await large(page).locator('[aria-pressed=true]', { hasText: 'Accept' }).waitFor();
  assert.deepEqual(errors, []);
});

test('changes can be thrown away, and a look changes nothing', async (t) => {
  const { page, errors } = await with_masks(t);
  await open_editor(page);
  await page.keyboard.press('Space');
  await button(editor(page), 'Discard').click();
  await editor(page).waitFor({ state: 'hidden' });
  await page.keyboard.press('c');
  await editor(page).waitFor();
  await page.keyboard.press('Escape');
  await editor(page).waitFor({ state: 'hidden' });
  assert.deepEqual(await asked(page, 'set-mask'), []);
  assert.equal(await large(page).locator('[aria-pressed=true]').count(), 0);
  assert.deepEqual(errors, []);
});

test('a finger and a pen paint', async (t) => {
  const { page, errors } = await with_masks(t);
  await open_editor(page);
  for (const pointerType of ['touch', 'pen']) {
    const before = await painted(page);
    const { x, y, width, height } = await page.locator('.mask-stage').boundingBox();
    const at = pointerType === 'touch' ? 0.05 : 0.95;
    const point = (down) => ({
      pointerId: 7, pointerType, isPrimary: true, button: 0, bubbles: true, clientX: x + down * width, clientY: y + at * height,
    });
    await page.locator('.mask-stage').dispatchEvent('pointerdown', point(0.2));
    await page.locator('.mask-stage').dispatchEvent('pointermove', point(0.6));
    await page.locator('.mask-stage').dispatchEvent('pointerup', point(0.6));
    assert.ok(await painted(page) > before, pointerType);
  }
  assert.deepEqual(errors, []);
});
