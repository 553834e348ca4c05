// axe-core over every screen, light and dark, wide and narrow: nothing serious or critical.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { test } from 'node:test';
import { widths } from './harness.mjs';
import { button, ready, start, take_sample, title, zip_file } from './mock.mjs';
import { weights_file, weights_host } from './weights-host.mjs';

const axe = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
/** Rules of these weights must hold; the others are told. */
const GRAVE = ['serious', 'critical'];

/** What axe finds on the screen as it is, at each width in light and dark, one line a finding. */
async function look(page, screen) {
  const found = new Set();
  const before = page.viewportSize();
  for (const colorScheme of ['light', 'dark']) {
    await page.emulateMedia({ colorScheme });
    for (const width of widths) {
      await page.setViewportSize({ width, height: 900 });
      // By the debugger, which the page's policy does not bind.
      await page.evaluate((axe) => globalThis.axe ?? (0, eval)(axe), axe);
      const { violations } = await page.evaluate(() => globalThis.axe.run(document, { resultTypes: ['violations'] }));
      for (const { id, impact, nodes } of violations) {
        for (const { target, failureSummary } of nodes) {
          const reason = failureSummary.split('\n')[1]?.trim();
          found.add(`${impact} ${id}: ${target.join(' ')}: ${reason} (${screen}, ${width} px, ${colorScheme})`);
        }
      }
    }
  }
  await page.emulateMedia({ colorScheme: 'light' });
  await page.setViewportSize(before);
  return [...found];
}

/** Looks at one screen after the other, and fails at the end with all that is grave. */
function inspector(t, page) {
  const grave = [];
  const told = new Set();
  return {
    async look(screen) {
      for (const line of await look(page, screen)) {
        const [finding] = line.split(' (');
        if (GRAVE.includes(line.split(' ')[0])) grave.push(line);
        else if (!told.has(finding)) t.diagnostic(line);
        told.add(finding);
      }
    },
    done: () => assert.deepEqual(grave, []),
  };
}

test('data, settings, training, masks, results and a comparison', async (t) => {
  const { page, errors } = await start(t, { pace: 0.3 });
  const { look, done } = inspector(t, page);
  await look('empty');
  await page.locator('#files-input').setInputFiles(zip_file);
  await ready(page);
  await page.getByText('2 images cannot be read').click();
  await look('data with problems');
  await page.getByText('More settings').click();
  for (const summary of await page.locator('#settings details:not([open]) > summary').all()) await summary.click();
  await look('settings open');
  await page.locator('#size').fill('7');
  await page.locator('#size').blur();
  await look('a wrong value');
  await button(page, 'Back to suggested values').click();
  await page.locator('#method').selectOption('cam');

  await button(page, 'Train').click();
  await title(page, 'Round 1');
  await button(page, 'Pause').click();
  await page.getByText('paused', { exact: true }).waitFor();
  await page.getByText('As a table').click();
  await look('training, paused');
  await button(page, 'Resume').click();
  await title(page, 'Training is finished');
  await look('trained');
  await button(page, 'Make masks').click();
  await button(page, 'Download the masks (.zip)').waitFor();
  await look('masks');
  await page.locator('#results .tile').first().click();
  await page.getByRole('dialog').waitFor();
  await page.keyboard.press('a');
  await page.locator('.large [aria-pressed=true]').waitFor();
  await look('a mask in large');
  await page.keyboard.press('c');
  const editor = page.getByRole('dialog', { name: 'Correct the mask' });
  await editor.waitFor();
  await editor.getByText('Keys', { exact: true }).click();
  await look('a mask being corrected');
  await page.keyboard.press('Escape');
  await editor.waitFor({ state: 'hidden' });
  await page.keyboard.press('Escape');
  await page.locator('#results .tile').nth(1).focus();
  await page.keyboard.press('r');
  await page.getByText('What the doubt is').click();
  await look('verdicts, and what the doubt is');

  await page.locator('#method').selectOption('spatial-bce');
  await button(page, 'Train again').click();
  await title(page, 'Training is finished');
  await button(page, 'Make masks').click();
  await page.locator('.compared > li').first().waitFor();
  await page.getByRole('slider', { name: 'Masks after' }).focus();
  await page.keyboard.press('Home');
  await button(page, 'Make masks of this round').click();
  await page.getByRole('region', { name: 'Rounds in numbers' }).waitFor();
  await look('rounds and comparison');
  await button(page, 'Train a segmenter on these masks').click();
  await button(page, 'Download the model').waitFor();
  await page.locator('#new-files-input').setInputFiles([{ name: '1.jpg', mimeType: 'image/jpeg', buffer: Buffer.from('x') }]);
  await button(page, 'Download these masks (.zip)').waitFor();
  await look('new photos');
  await page.getByText('kept in this browser').waitFor();
  await button(page, 'Choose other data').click();
  await page.locator('.project').getByText(/saved .* · \d/).waitFor();
  await look('a project');
  await button(page, 'Rename').click();
  await look('a project that gets another name');
  await button(page, 'Cancel').click();
  await button(page, 'Delete').click();
  await look('a question before a project is deleted');
  done();
  assert.deepEqual(errors, []);
});

test('boxes', async (t) => {
  const { page, errors } = await start(t, { boxes: true });
  const { look, done } = inspector(t, page);
  await take_sample(page);
  await page.locator('#method').selectOption('box2seg');
  await page.waitForFunction(() => !document.querySelector('.boxes .photo.waiting'));
  await look('boxes');
  await page.locator('.boxes .tile').nth(3).click();
  await page.locator('dialog.draw').waitFor();
  await look('drawing');
  await button(page, 'New box').click();
  await page.locator('.mark.drawn.selected').waitFor();
  for (const summary of await page.locator('dialog.draw details:not([open]) > summary').all()) await summary.click();
  await look('drawing, a box chosen');
  done();
  assert.deepEqual(errors, []);
});

test('labels', async (t) => {
  const { page, errors } = await start(t, { pace: 0.3 });
  const { look, done } = inspector(t, page);
  await take_sample(page);
  await button(page, 'Edit labels').click();
  const dialog = page.getByRole('dialog', { name: 'Labels' });
  await dialog.waitFor();
  await page.waitForFunction(() => !document.querySelector('dialog.labels .photo.waiting'));
  await look('labels');
  await dialog.getByRole('option').nth(1).click();
  await dialog.getByRole('option').nth(2).click();
  await page.keyboard.press('3');
  await dialog.getByText('platelet added to 2 photos').waitFor();
  for (const summary of await dialog.locator('details:not([open]) > summary').all()) await summary.click();
  await look('photos chosen');
  await button(dialog, 'Change platelet').click();
  await dialog.locator('#class-into').selectOption({ label: 'red blood cell' });
  await button(dialog, 'Merge').click();
  await dialog.getByRole('alert').waitFor();
  await look('a question before classes are merged');
  await button(dialog, 'Done').click();
  await page.locator('#method').selectOption('cam');
  await button(page, 'Train').click();
  await title(page, 'Training is finished');
  await button(page, 'Edit labels').click();
  await button(dialog, 'Drop the network').waitFor();
  await look('labels of a trained network');
  done();
  assert.deepEqual(errors, []);
});

test('failures, devices and weights', async (t) => {
  const host = await weights_host(t, weights_file(4_000_000), (n) => (n === 0 ? { sent: 2_000_000 } : {}));
  const { page } = await start(t, { device: 'cpu', pace: 0.3, dieAtStep: 60, collapse: true }, host.visit);
  const { look, done } = inspector(t, page);
  await page.locator('.device-line').click();
  await look('help with the device');
  await page.locator('.device-line').click();
  await take_sample(page);
  await page.locator('#backbone').selectOption('resnet-101');
  const fetch_button = page.getByRole('button', { name: /^Fetch ImageNet weights/ });
  await fetch_button.waitFor();
  await look('weights on offer');
  await fetch_button.click();
  await page.getByRole('alert').getByText('The connection broke off').waitFor();
  await look('weights broken off');
  await page.locator('#backbone').selectOption('tiny');
  await button(page, 'Train').click();
  await page.getByRole('alert').getByText('The trainer has stopped').waitFor();
  await look('the trainer has died');
  done();
});

test('what is grave is found', async (t) => {
  const { page } = await start(t);
  await take_sample(page);
  await page.evaluate(() => document.querySelector('label[for=size]').remove());
  const found = await look(page, 'a label less');
  assert.ok(found.some((line) => line.startsWith('critical label: #size')), found.join('\n'));
});

test('nothing moves for those who want no motion', async (t) => {
  const { page } = await start(t, { pace: 0.3 });
  await take_sample(page);
  await button(page, 'Train').click();
  await title(page, 'Round 1');
  // The harness asks for reduced motion.
  const moving = () => page.evaluate(() => document.getAnimations().length
    + [...document.querySelectorAll('*')].filter((element) => {
      const { transitionDuration, animationName, scrollBehavior } = getComputedStyle(element);
      return transitionDuration !== '0s' || animationName !== 'none' || scrollBehavior === 'smooth';
    }).length);
  assert.equal(await moving(), 0);
  await page.emulateMedia({ reducedMotion: 'no-preference' });
  assert.ok(await moving() > 0, 'it does move for others');
});
