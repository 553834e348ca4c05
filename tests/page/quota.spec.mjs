// The browser has no room: each write of a whole job is refused, one alone or all from it on. The job goes on, the user is
// told, and what was kept before is there after a reload.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { unzip } from './formats.mjs';
import { download, draw_over, fill, launch, open, serve, until_true } from './harness.mjs';
import { listen, random, watch_page, watched_files } from './watched.mjs';

const MINUTE = 60_000;
const SOON = MINUTE;
const SEED = Number(process.env.TAG2MASK_SEED ?? 7);
/** Beside the first write of each file: how many writes alone, and from how many on. All, if this says so: half an hour. */
const [ALONE, FROM] = process.env.TAG2MASK_ALL_WRITES ? [Infinity, Infinity] : [2, 3];

let browser;
before(async () => { browser = await launch({ webgpu: false }); });
after(() => browser.close());

const button = (page, name) => page.getByRole('button', { name, exact: true });

/** From the sample set to masks that are looked at and corrected. */
async function job(page) {
  await page.locator('.device-line').waitFor({ timeout: SOON });
  await button(page, 'Try the sample set').click();
  await page.getByText('60 photos', { exact: true }).waitFor({ timeout: SOON });
  await fill(page, { method: 'spatial-bce', size: 64, batch: 8, rounds: 1, 'cam-epochs': 1, epochs: 1 });
  await button(page, 'Train').click();
  await page.locator('.run-title').getByText('Training is finished').waitFor({ timeout: SOON });
  await page.getByText('How masks are made').click();
  await fill(page, { scales: '1' });
  await button(page, 'Make masks').click();
  await button(page, 'Download the masks (.zip)').waitFor({ timeout: SOON });
  await draw_over(page, 0);
  await page.keyboard.press('Escape');
  await page.getByText('1 mask was corrected by hand').waitFor({ timeout: SOON });
}

/** Does the job with this plan, in a browser profile of its own. */
async function run(plan, look) {
  const files = await watched_files(plan);
  const host = await serve({ files });
  const errors = [];
  const visit = await open(browser, 'about:blank', { init: watch_page });
  const { page } = visit;
  try {
    page.on('pageerror', (error) => errors.push(String(error)));
    page.on('console', (message) => message.type() === 'error' && errors.push(message.text()));
    const { news, until } = listen(page);
    await page.goto(host.url);
    await note_notices(page);
    await job(page);
    // The correction is on the disk, or nothing more comes there.
    const corrected = await until(({ event }) => event === 'mask-corrected', 'the correction');
    const is_over = (one) => one.event === 'kept' && (!one.ok || news.indexOf(one) > news.indexOf(corrected));
    await until(is_over, 'the end of writing');
    await look({ page, news, until, errors, again: () => { files['plan.json'] = '{}'; return page.reload(); } });
  } finally {
    await visit.close();
    await host.close();
  }
}

/** How many writes were refused, and what the user was told of that: a moment later, if the last one was just now. */
async function refusals(page, news) {
  for (let frames = 0; ; frames++) {
    const told = await page.evaluate(() => globalThis.told);
    const refused = news.filter(({ refused }) => refused).length;
    if ((told.length > 0) === (refused > 0) || frames === 600) return { refused, told };
    await page.evaluate(() => new Promise(requestAnimationFrame));
  }
}

/** From now on notes what the user is told, each time that it appears. */
const note_notices = (page) => page.evaluate(() => {
  globalThis.told = [];
  let shown = [];
  const look = () => {
    const now = [...document.querySelectorAll('.notice:not([role=alert]) li')].map((item) => item.innerText);
    globalThis.told.push(...now.filter((words) => !shown.includes(words)));
    shown = now;
  };
  new MutationObserver(look).observe(document.body, { subtree: true, childList: true, characterData: true });
  look();
});

/** What is kept can be opened, and is of one moment; how far it is, in words. */
async function reopen(page) {
  await page.locator('.device-line').waitFor({ timeout: SOON });
  const title = page.locator('.run-title').getByText(/Training is finished|Stopped/);
  const start = button(page, 'Try the sample set');
  const train = page.getByRole('button', { name: /^Train( again)?$/ });
  await title.or(start).or(train).first().waitFor({ timeout: SOON });
  const open = page.locator('.project').getByRole('button', { name: 'Open', exact: true });
  if (await start.isVisible()) {
    // The list is looked through after the page is there, unless what was open before is opened again.
    await until_true(page, async () => {
      const root = await navigator.storage.getDirectory();
      const projects = await root.getDirectoryHandle('projects').catch(() => null);
      for await (const project of projects?.values() ?? []) {
        if (await project.getFileHandle('project.json').then((file) => file.getFile()).then((file) => file.size, () => 0)) {
          return document.querySelector('.project, #data .bars') !== null;
        }
      }
      return true;
    }, 'the list of projects');
    if (await start.isVisible()) {
      if (await open.count() === 0) return 'nothing';
      await open.first().click();
    }
    await title.or(train).first().waitFor({ timeout: SOON });
  }
  await train.first().waitFor({ timeout: SOON });
  const card = await page.evaluate(async () => {
    const projects = await (await navigator.storage.getDirectory()).getDirectoryHandle('projects');
    for await (const project of projects.values()) {
      // The page may be writing it anew just then.
      for (;;) {
        try {
          const file = await (await project.getFileHandle('project.json')).getFile();
          const text = await file.text();
          if (text) return JSON.parse(text);
          break;
        } catch (error) {
          if (error.name !== 'NotReadableError') break;
        }
      }
    }
    return null;
  });
  if (!card?.progress) return 'the data';
  await title.or(page.locator('[role=alert]:not(.warn)')).first().waitFor({ timeout: SOON });
  await page.waitForFunction(() => !document.querySelector('#results [role=progressbar]'));
  if (!await title.isVisible()) return 'the data';
  const words = await title.innerText();
  if (await page.getByText('1 mask was corrected by hand').isVisible()) return `${words}, corrected`;
  return words;
}

test('wherever room runs out, the job goes on, the user is told, and what was kept stays', { timeout: (process.env.TAG2MASK_ALL_WRITES ? 120 : 40) * MINUTE }, async (t) => {
  const number = random(SEED);
  t.diagnostic(`seed ${SEED} (TAG2MASK_SEED)`);
  const writes = { page: [], worker: [] };
  await run({}, async ({ page, news, errors, again }) => {
    for (const { scope, wrote } of news) if (wrote && wrote.kind !== 'removeEntry') writes[scope].push(wrote);
    assert.deepEqual(await page.evaluate(() => globalThis.told), []);
    await again();
    await page.getByText('1 mask was corrected by hand').waitFor({ timeout: SOON });
    assert.deepEqual(errors, []);
  });
  const all = Object.entries(writes).flatMap(([scope, writes]) => writes.map((write) => ({ scope, ...write })));
  t.diagnostic(`${all.length} writes: ${writes.page.length} of the page, ${writes.worker.length} of the trainer`);
  const trained = writes.worker.findLast(({ kind, file }) => kind === 'close' && file === 'events.jsonl').number;
  // Folders of projects are called by the time.
  const kind = ({ scope, kind, file }) => `${scope} ${kind} ${file.replace(/^[0-9a-f]{11}-.*/, 'its folder')}`;
  const kinds = [...new Map(all.map((write) => [kind(write), write]).reverse()).values()];
  const some = (count) => (count >= all.length ? all : Array.from({ length: count }, () => all[number(0, all.length - 1)]));
  // The first write of each file: of the steps of writing it, one refusal looks like another to the page.
  const first = kinds.filter(({ kind }) => process.env.TAG2MASK_ALL_WRITES || kind === 'write');
  const cases = [
    ...[...first, ...some(ALONE)].map(({ scope, number, kind, file }) => ({ scope, from: number, to: number, words: `${kind} ${file}` })),
    ...some(FROM).map(({ scope, number, kind, file }) => ({ scope, from: number, to: 1e9, words: `from ${kind} ${file} on` })),
    { scope: 'both', from: 0, to: 1e9, words: 'every write' },
  ];
  for (const { words, ...refuse } of cases) {
    const what = `${refuse.scope} ${refuse.from}: ${words}`;
    const started = performance.now();
    await run({ refuse }, async ({ page, news, errors, again }) => {
      const { refused, told } = await refusals(page, news);
      // How often the page writes its card depends on how fast all goes: the last times may not come.
      assert.ok(refused > 0 || refuse.scope === 'page', `${what}: nothing was refused`);
      assert.equal(told.length > 0, refused > 0, `${what}: ${JSON.stringify(told)}`);
      assert.deepEqual(told, [...new Set(told)], `${what}: told again`);
      for (const words of told) assert.match(words, /there is no room|ran out of room/, what);
      const packed = unzip((await download(page, () => button(page, 'Download the masks (.zip)').click())).bytes);
      assert.equal([...packed.keys()].filter((name) => name.endsWith('.png')).length, 60, what);
      await again();
      const after = await reopen(page);
      const faults = await page.locator('[role=alert]:not(.warn)').allInnerTexts();
      t.diagnostic(`${what}: ${refused} refused; told ${JSON.stringify(told)}; after a reload: ${after} (${((performance.now() - started) / 1000).toFixed(1)} s)`);
      assert.deepEqual([...faults, ...errors], [], what);
      // The run of before is there once its last checkpoint was.
      if (refuse.scope === 'worker' && refuse.from > trained) assert.match(after, /^Training is finished/, what);
      // What the page writes, it writes again.
      if (refuse.scope === 'page' && refuse.to === refuse.from) assert.equal(after, 'Training is finished, corrected', what);
    });
  }
});
