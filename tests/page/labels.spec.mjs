// Labels of photos and the list of classes are changed: by mouse, by keyboard, taken back, kept.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { download, screenshot } from './harness.mjs';
import { button, ready, start, take_sample, title, zip_file } from './mock.mjs';

const labels = (page) => page.getByRole('dialog', { name: 'Labels' });
const photo = (page, n) => labels(page).locator(`#label-${n}`);
/** The labels of a photo, as they are told. */
const told = async (page, n) => (await photo(page, n).locator('.label-list').textContent()).replaceAll(/^, |\+\d+$/g, '');
/** What the chosen photos have: `true`, `mixed` or `false`. */
const has = (page, name) => labels(page).getByRole('checkbox', { name }).getAttribute('aria-checked');
const give = (page, name) => labels(page).getByRole('checkbox', { name }).click();
const said = (page, words) => labels(page).locator('.labels-said').getByText(words, { exact: true }).waitFor();
const chosen = (page) => labels(page).locator('[role=option][aria-selected=true]').count();
const class_names = (page) => labels(page).locator('.class-name').allInnerTexts();
const asked = async (page, ...names) => (
  (await page.workers()[0].evaluate(() => self.received)).filter(({ command }) => names.includes(command))
);
/** The colour beside a class's name in the section's bars. */
const color = (page, name) => page.locator('#data .bars tr', { hasText: name }).locator('.swatch')
  .evaluate((swatch) => getComputedStyle(swatch).backgroundColor);
/** Opens what can be done with a class. */
const change = (page, name) => button(labels(page), `Change ${name}`).click();

async function open_labels(page) {
  await button(page, 'Edit labels').click();
  await labels(page).waitFor();
  await page.waitForFunction(() => document.activeElement?.id === 'label-grid');
  await page.waitForFunction(() => !document.querySelector('dialog.labels .photo.waiting'));
}

async function with_labels(t, script = {}) {
  const visit = await start(t, { pace: 0.05, ...script });
  await take_sample(visit.page);
  await open_labels(visit.page);
  return visit;
}

test('photos are chosen and labelled by mouse, and that is taken back', async (t) => {
  const { page, errors } = await with_labels(t);
  await labels(page).getByText('160 photos, 3 classes, 20 without a label').waitFor();
  assert.ok(await labels(page).getByRole('checkbox', { name: 'platelet' }).isDisabled(), 'nothing is chosen');
  await photo(page, 1).click();
  await photo(page, 4).click({ modifiers: ['Shift'] });
  await photo(page, 2).click();
  await photo(page, 6).click({ modifiers: ['Control'] });
  await photo(page, 6).click({ modifiers: ['Control'] });
  await labels(page).getByText('4 photos chosen').waitFor();
  assert.equal(await chosen(page), 4);
  // 1 is red, 3 red and white, 4 platelet, 6 white and platelet.
  assert.deepEqual([await has(page, 'red blood cell'), await has(page, 'white blood cell')], ['mixed', 'mixed']);
  await screenshot(page, 'labels-1-chosen');
  await give(page, 'white blood cell');
  await said(page, 'white blood cell added to 2 photos');
  assert.equal(await has(page, 'white blood cell'), 'true');
  assert.equal(await told(page, 1), 'red blood cell, white blood cell');
  assert.deepEqual((await asked(page, 'set-labels')).map(({ relabel }) => relabel), [
    { classes: [], labels: [[1, [0, 1]], [4, [1, 2]]] },
  ]);
  await give(page, 'white blood cell');
  await said(page, 'white blood cell taken from 4 photos');
  // The focus is not among the photos.
  await page.keyboard.press('Control+z');
  await said(page, 'Undone: white blood cell taken from 4 photos');
  await button(labels(page), 'Undo').click();
  assert.ok(await button(labels(page), 'Undo').isDisabled());
  assert.deepEqual((await asked(page, 'set-labels')).at(-1).relabel, { classes: [], labels: [] });
  await button(labels(page), 'Redo').click();
  await said(page, 'Done again: white blood cell added to 2 photos');
  await button(labels(page), 'All shown').click();
  await labels(page).getByText('160 photos chosen').waitFor();
  await button(labels(page), 'None').click();
  assert.equal(await chosen(page), 0);
  await button(labels(page), 'Done').click();
  // The section has the new numbers.
  await page.locator('#data .bars tr', { hasText: 'white blood cell' }).getByText('82').waitFor();
  assert.deepEqual(errors, []);
});

test('photos are labelled by keyboard alone', async (t) => {
  const { page, errors } = await start(t, { pace: 0.05 });
  await take_sample(page);
  await button(page, 'Edit labels').focus();
  await page.keyboard.press('Enter');
  await page.waitForFunction(() => document.activeElement?.id === 'label-grid');
  const active = () => page.locator('#label-grid').getAttribute('aria-activedescendant');
  assert.equal(await active(), 'label-0');
  await page.keyboard.press('2');
  await said(page, 'white blood cell added to 1 photo');
  await page.keyboard.press('ArrowRight');
  await page.keyboard.press('Space');
  await page.keyboard.press('Shift+ArrowRight');
  await page.keyboard.press('Shift+ArrowRight');
  assert.equal(await active(), 'label-3');
  await labels(page).getByText('3 photos chosen').waitFor();
  await page.keyboard.press('3');
  await said(page, 'platelet added to 3 photos');
  await page.keyboard.press('Control+z');
  await said(page, 'Undone: platelet added to 3 photos');
  await page.keyboard.press('Control+Shift+z');
  await said(page, 'Done again: platelet added to 3 photos');
  await page.keyboard.press('Control+a');
  await labels(page).getByText('160 photos chosen').waitFor();
  await page.keyboard.press('End');
  assert.equal(await active(), 'label-159');
  await photo(page, 159).waitFor();
  const sees = (id) => page.waitForFunction((id) => {
    const [room, tile] = ['.labels-room', `#${id}`].map((of) => document.querySelector(of)?.getBoundingClientRect());
    return tile && tile.top >= room.top - 1 && tile.bottom <= room.bottom + 1;
  }, id);
  await sees('label-159');
  await page.keyboard.press('PageUp');
  await sees(await active());
  await page.keyboard.press('Home');
  await page.keyboard.press('ArrowDown');
  await sees(await active());
  await page.keyboard.press('ArrowUp');
  assert.equal(await active(), 'label-0');
  // On to the buttons.
  await page.keyboard.press('Tab');
  assert.equal(await page.evaluate(() => document.activeElement.textContent), 'All shown');
  await page.keyboard.press('Escape');
  await labels(page).waitFor({ state: 'hidden' });
  assert.deepEqual((await asked(page, 'set-labels')).at(-1).relabel.labels, [[0, [1]], [1, [0, 2]], [2, [1, 2]], [3, [0, 1, 2]]]);
  assert.deepEqual(errors, []);
});

test('a filter shows what is so, and nothing goes under one\'s hand', async (t) => {
  const { page, errors } = await with_labels(t);
  const show = (name) => labels(page).getByRole('group', { name: 'Show' }).getByRole('button', { name }).click();
  await photo(page, 1).click();
  await show('Without a label');
  assert.equal(await photo(page, 0).getAttribute('aria-setsize'), '20');
  assert.equal(await chosen(page), 0, 'what is not shown is not chosen');
  await page.locator('#label-grid').focus();
  await page.keyboard.press('1');
  assert.equal(await told(page, 0), 'red blood cell');
  await show('Without a label');
  await photo(page, 0).waitFor({ state: 'detached' });
  await show('platelet');
  await labels(page).locator('[role=option]').first().waitFor();
  assert.equal(await labels(page).locator('[role=option]').first().getAttribute('id'), 'label-4');
  assert.deepEqual(errors, []);
});

test('classes are renamed, merged, removed and added', async (t) => {
  const { page, errors } = await with_labels(t);
  const before = await color(page, 'platelet');
  await change(page, 'red blood cell');
  await page.waitForFunction(() => document.activeElement?.id === 'class-name');
  await labels(page).locator('#class-name').fill('  erythrocyte ');
  await page.keyboard.press('Enter');
  await said(page, 'erythrocyte is the new name of red blood cell');
  assert.deepEqual(await class_names(page), ['erythrocyte', 'white blood cell', 'platelet']);

  // The name of another class merges, and says so first.
  await change(page, 'erythrocyte');
  await labels(page).locator('#class-name').fill('White Blood Cell');
  await labels(page).getByText('There is such a class already. erythrocyte becomes part of white blood cell: 80 photos of it, of which 40 had it before.').waitFor();
  await screenshot(page, 'labels-2-classes');
  await page.keyboard.press('Enter');
  await said(page, 'white blood cell has the photos of erythrocyte now');
  assert.deepEqual(await class_names(page), ['white blood cell', 'platelet']);
  assert.equal(await told(page, 3), 'white blood cell');
  assert.deepEqual((await asked(page, 'set-labels')).at(-1).relabel.classes, [{ merged: 1 }]);
  await button(labels(page), 'Undo').click();

  await change(page, 'platelet');
  await button(labels(page), 'Merge').click();
  await said(page, 'Choose the class to merge it into first.');
  await labels(page).locator('#class-into').selectOption({ label: 'erythrocyte' });
  await button(labels(page), 'Merge').click();
  await labels(page).getByRole('alert').getByText('platelet becomes part of erythrocyte: 80 photos of it, of which 40 had it before.').waitFor();
  await button(labels(page), 'Keep it').click();
  await button(labels(page), 'Merge').click();
  await button(labels(page), 'Yes, merge').click();
  await said(page, 'erythrocyte has the photos of platelet now');
  await button(labels(page), 'Undo').click();

  await change(page, 'white blood cell');
  await button(labels(page), 'Remove this class').click();
  await labels(page).getByRole('alert').getByText('This takes white blood cell from 80 photos, and leaves 20 without a label.').waitFor();
  await button(labels(page), 'Yes, remove it').click();
  await said(page, 'white blood cell removed');
  assert.deepEqual(await class_names(page), ['erythrocyte', 'platelet']);
  assert.equal(await color(page, 'platelet'), before, 'classes keep their colours');

  await labels(page).locator('#classes-add').fill('Platelet');
  await button(labels(page), 'Add').click();
  await said(page, 'There is a class platelet already.');
  await labels(page).locator('#classes-add').fill('monocyte');
  await button(labels(page), 'Add').click();
  await said(page, 'monocyte added');
  await photo(page, 0).click();
  await give(page, 'monocyte');
  await said(page, 'monocyte added to 1 photo');
  assert.deepEqual((await asked(page, 'set-labels')).at(-1).relabel, {
    classes: [{ named: 'erythrocyte' }, 'removed', 'kept', { named: 'monocyte' }], labels: [[0, [3]]],
  });
  await button(labels(page), 'Done').click();
  assert.equal(await page.locator('#data .bars tr').count(), 4, 'three classes, and none of them');
  await page.locator('#data').getByText('3 classes', { exact: true }).waitFor();
  assert.deepEqual(errors, []);
});

test('changed labels are kept and downloaded', async (t) => {
  const { page, errors } = await with_labels(t);
  await photo(page, 0).click();
  await give(page, 'platelet');
  await change(page, 'platelet');
  await labels(page).locator('#class-name').fill('thrombocyte');
  await page.keyboard.press('Enter');
  const table = await download(page, () => button(labels(page), 'Download labels').click());
  assert.equal(table.name, 'labels.csv');
  const text = table.bytes.toString();
  assert.deepEqual(text.split('\n').slice(0, 4), [
    'image,labels',
    'sample/images/field_000.png,[thrombocyte]',
    'sample/images/field_001.png,[red blood cell]',
    'sample/images/field_002.png,[white blood cell]',
  ]);
  await button(labels(page), 'Done').click();
  // Written at most a second later.
  const is_kept = () => page.evaluate(async () => {
    const projects = await (await navigator.storage.getDirectory()).getDirectoryHandle('projects');
    for await (const folder of projects.values()) {
      const card = JSON.parse(await (await (await folder.getFileHandle('project.json')).getFile()).text());
      if (card.relabel?.classes.length === 3) return true;
    }
    return false;
  }).catch(() => false);
  for (let tries = 0; tries < 600 && !await is_kept(); tries++) await page.evaluate(() => new Promise(requestAnimationFrame));
  await page.reload();
  await button(page, 'Train').waitFor();
  await page.locator('#data .bars').getByText('thrombocyte').waitFor();
  assert.deepEqual((await asked(page, 'set-labels')).map(({ relabel }) => relabel), [
    { classes: ['kept', 'kept', { named: 'thrombocyte' }], labels: [[0, [2]]] },
  ]);
  await open_labels(page);
  assert.equal(await told(page, 0), 'thrombocyte');
  assert.equal((await download(page, () => button(labels(page), 'Download labels').click())).bytes.toString(), text);
  assert.deepEqual(errors, []);
});

test('other labels are another run, and other classes drop it, which is said first', async (t) => {
  const { page, errors } = await start(t, { pace: 0.05 });
  await take_sample(page);
  await page.locator('#method').selectOption('cam');
  await button(page, 'Train').click();
  await title(page, 'Training is finished');
  await page.getByText('kept in this browser').waitFor();
  await button(page, 'Make masks').click();
  await button(page, 'Download the masks (.zip)').waitFor();
  await open_labels(page);
  // A name can be put right at any time, and taken back; but two classes do not become one.
  await change(page, 'platelet');
  assert.equal(await button(labels(page), 'Remove this class').count(), 0);
  await labels(page).locator('#class-name').fill('red blood cell');
  await page.getByText('There is such a class already. To merge them, drop the network first.').waitFor();
  assert.ok(await button(labels(page), 'Rename').isDisabled());
  await labels(page).locator('#class-name').fill('thrombocyte');
  await page.keyboard.press('Enter');
  await said(page, 'thrombocyte is the new name of platelet');
  await button(labels(page), 'Undo').click();
  await said(page, 'Undone: thrombocyte is the new name of platelet');
  await button(labels(page), 'Redo').click();
  await said(page, 'Done again: thrombocyte is the new name of platelet');
  await button(labels(page), 'Done').click();
  await page.locator('#results .bars').getByText('thrombocyte').waitFor();
  assert.equal(await page.locator('#run').getByText('Labels have changed since this run began').count(), 0);
  assert.ok(await button(page, 'Train again').isDisabled(), 'it is the same run');
  await open_labels(page);
  await photo(page, 0).click();
  await give(page, 'thrombocyte');
  await button(labels(page), 'Done').click();
  await page.locator('#run').getByText('Labels have changed since this run began').waitFor();
  await ready(page, 'Train again');
  assert.ok(await page.locator('#results .tile').count() > 0, 'masks stay');

  await open_labels(page);
  await button(labels(page), 'Drop the network').click();
  await screenshot(page, 'labels-3-drop');
  await button(labels(page), 'Yes, drop it').click();
  await said(page, 'The network is dropped: classes can be changed.');
  assert.equal((await asked(page, 'drop-run')).length, 1);
  await change(page, 'thrombocyte');
  await button(labels(page), 'Remove this class').click();
  await button(labels(page), 'Yes, remove it').click();
  await button(labels(page), 'Done').click();
  assert.equal(await page.locator('#results .tile').count(), 0);
  await button(page, 'Train').click();
  await title(page, 'Training is finished');
  assert.deepEqual((await asked(page, 'set-labels', 'train')).map(({ command }) => command).slice(-2), ['set-labels', 'train']);
  // A step back over the classes would drop the network too.
  await open_labels(page);
  await page.keyboard.press('Control+z');
  await said(page, 'This would change the classes of a trained network: see Classes.');
  await page.keyboard.press('Escape');
  await page.reload();
  await title(page, 'Training is finished');
  assert.deepEqual((await asked(page, 'set-labels', 'restore')).map(({ command }) => command), ['set-labels', 'restore']);
  assert.deepEqual(errors, []);
});

test('thousands of photos are labelled at once', async (t) => {
  const { page, errors } = await start(t, { pace: 0.001, images: 5000 });
  await page.locator('#files-input').setInputFiles(zip_file);
  await ready(page);
  await open_labels(page);
  await page.keyboard.press('Control+a');
  await page.keyboard.press('1');
  await said(page, 'red blood cell added to 2,500 photos');
  assert.ok(await labels(page).locator('[role=option]').count() < 200);
  await page.keyboard.press('Control+z');
  await said(page, 'Undone: red blood cell added to 2,500 photos');
  assert.deepEqual(errors, []);
});
