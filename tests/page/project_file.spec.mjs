// A project as one file: from page to page, and to the program and back, with the real trainer on the processor.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import { unzip } from './formats.mjs';
import { download, draw_over, fill, in_folder, launch, open, screenshot, serve } from './harness.mjs';

const MINUTE = 60_000;
const SOON = 3 * MINUTE;
const LONG = 15 * MINUTE;

/** The program, where it was built. */
const program = process.env.TAG2MASK;
const without_program = program ? {} : { skip: 'TAG2MASK is not set: the program was not built' };
const tag2mask = (...line) => execFileSync(program, line, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });

const button = (page, name) => page.getByRole('button', { name, exact: true });
const title = (page, words) => page.locator('.run-title', { hasText: words }).waitFor({ timeout: LONG });
const packed = (page) => button(page, 'Download the masks (.zip)');
const masks_of = async (page) => unzip((await download(page, () => packed(page).click())).bytes);
const save = (page) => download(page, () => button(page, 'Save as one file (.zip)').click());
const position = async (page) => Number((await page.getByRole('progressbar', { name: 'Training' })
  .getAttribute('aria-valuetext')).match(/step ([\d,]+)/)[1].replace(',', ''));

test('a project goes from page to page, to the program, and back', { timeout: 2 * LONG, ...without_program }, async (t) => {
  const host = await serve();
  const browser = await launch({ webgpu: false });
  t.after(async () => {
    await browser.close();
    await host.close();
  });
  const fresh = async () => {
    const visit = await open(browser, host.url);
    await visit.page.locator('.device-line').waitFor({ timeout: SOON });
    return visit;
  };
  const give = (page, file) => page.locator('#data input[type=file]:not([webkitdirectory])').first().setInputFiles(file);

  // A run that is stopped, its masks, one drawn by hand and one rejected.
  const first = await fresh();
  await first.page.getByRole('button', { name: 'Try the sample set' }).click();
  await first.page.getByText('60 photos', { exact: true }).waitFor({ timeout: SOON });
  await fill(first.page, { method: 'cam', size: 64, 'cam-epochs': 4 });
  await button(first.page, 'Train').click();
  const bar = first.page.getByRole('progressbar', { name: 'Training' });
  await bar.waitFor({ timeout: SOON });
  await first.page.waitForFunction((bar) => Number(bar.getAttribute('aria-valuenow')) > 0, await bar.elementHandle());
  assert.ok(await button(first.page, 'Save as one file (.zip)').isDisabled(), 'not in the middle of a training');
  await button(first.page, 'Stop').click();
  await title(first.page, 'Stopped');
  const stopped_at = await position(first.page);
  await first.page.getByText('How masks are made').click();
  await fill(first.page, { scales: '1' });
  await button(first.page, 'Make masks').click();
  await packed(first.page).waitFor({ timeout: LONG });
  await draw_over(first.page, 0);
  await first.page.keyboard.press('ArrowRight');
  await first.page.keyboard.press('r');
  await first.page.keyboard.press('Escape');
  await first.page.getByText('1 mask was corrected by hand').waitFor({ timeout: SOON });
  const masks = await masks_of(first.page);
  const judged = (page) => page.getByRole('group', { name: 'Show verdict' }).innerText();
  const verdicts = await judged(first.page);

  const file = await save(first.page);
  assert.equal(file.name, 'Sample set.zip');
  await first.page.getByText('Sample set.zip is in your downloads').waitFor();
  await screenshot(first.page, 'project-file');
  const names = [...unzip(file.bytes).keys()];
  for (const name of ['project.json', 'data/labels.csv', 'run/run.json', 'run/weights.safetensors', 'run/optimizer.safetensors', 'masks/classes.txt']) {
    assert.ok(names.includes(name), `${name} in ${names.join()}`);
  }
  await first.page.context().close();

  await in_folder(async (folder) => {
    const at = (name) => path.join(folder, name);
    await writeFile(at('cells.zip'), file.bytes);

    // Another browser, as if on another machine.
    const second = await fresh();
    await give(second.page, at('cells.zip'));
    await title(second.page, 'Stopped');
    await packed(second.page).waitFor({ timeout: SOON });
    await second.page.getByText('1 mask was corrected by hand').waitFor({ timeout: SOON });
    assert.equal(await position(second.page), stopped_at);
    assert.equal(await judged(second.page), verdicts);
    assert.deepEqual(await masks_of(second.page), masks);
    // It is a project of this browser now.
    await second.page.getByText('kept in this browser').waitFor({ timeout: SOON });
    await second.page.reload();
    await packed(second.page).waitFor({ timeout: SOON });
    assert.equal(await position(second.page), stopped_at);
    assert.equal(await judged(second.page), verdicts);
    assert.deepEqual(await masks_of(second.page), masks);
    await button(second.page, 'Go on training').click();
    await title(second.page, 'Training is finished');
    // What was drawn by hand waits for the masks of the network that has learned more.
    await button(second.page, 'Make masks').click();
    await packed(second.page).waitFor({ timeout: LONG });
    await second.page.getByText('1 mask was corrected by hand').waitFor({ timeout: SOON });
    const drawn = [...masks.keys()].filter((name) => name.endsWith('.png')).sort()[0];
    const anew = await masks_of(second.page);
    assert.ok(Buffer.from(anew.get(drawn)).equals(Buffer.from(masks.get(drawn))), 'at its full size');
    assert.notDeepEqual(anew, masks);
    assert.deepEqual([...first.errors, ...second.errors], []);
    await second.page.context().close();

    // The program goes on with it.
    assert.match(tag2mask('inspect', at('cells.zip')), /60/);
    tag2mask('train', at('cells.zip'), '--out', at('run'), '--resume', '--device', 'cpu');
    tag2mask('masks', at('run'), at('cells.zip'), '--out', at('masks'), '--scales', '1', '--device', 'cpu');
    tag2mask('pack', at('run'), at('cells.zip'), '--masks', at('masks'), '--name', 'Back again', '--out', at('back.zip'));

    // And the page takes up what the program has finished.
    const third = await fresh();
    await give(third.page, at('back.zip'));
    await title(third.page, 'Training is finished');
    await packed(third.page).waitFor({ timeout: SOON });
    await third.page.locator('#data').getByText('Back again').waitFor();
    const back = await masks_of(third.page);
    const name = [...back.keys()].find((name) => name.endsWith('.png'));
    const of_program = await readFile(path.join(at('masks'), name));
    assert.ok(Buffer.from(back.get(name)).equals(of_program), 'the program\'s masks are shown');
    assert.deepEqual(third.errors, []);
  });
});
