// The tab is killed in the middle of a training, over and over: the page comes back where it was, the run goes on by
// itself from its last checkpoint, and what it has learned in the end is what it would have learned undisturbed.

import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { unzip } from './formats.mjs';
import { download, fill, in_folder, launch_kept, serve, until_card } from './harness.mjs';
import { listen, random, watch_page, watched_files } from './watched.mjs';

const MINUTE = 60_000;
const SOON = 2 * MINUTE;
const SEED = Number(process.env.TAG2MASK_SEED ?? 20);
const KILLS = 20;
/** The processor trains; if this says so, WebGPU in software: a third of the steps, and many times as long. */
const WEBGPU = { webgpu: Boolean(process.env.TAG2MASK_WEBGPU) };
const EPOCHS = WEBGPU.webgpu ? 4 : 12;
const LONG = (WEBGPU.webgpu ? 60 : 5) * MINUTE;
/** The trainer's clock runs this many times faster: 20 seconds between two checkpoints are two thirds of one. */
const SPEED = 30;
/** By that clock, what may be lost. */
const MOST_LOST = 30;
/** Where this machine is slow, the trainer's clock is all the more: this many of the longest waits between two news come on top. */
const WAITS = 3;
const TRAINING = { method: 'spatial-bce', size: 64, batch: 8, rounds: 2, 'cam-epochs': EPOCHS, epochs: EPOCHS };
/** Of three rounds; before the last one shares are measured for the last time. */
const LAST_ROUND = 2 * EPOCHS * 8;

/** What the run has learned, as the browser keeps it: a digest of each file, and the losses by round and step. */
const learned = (page) => page.evaluate(async () => {
  const projects = await (await navigator.storage.getDirectory()).getDirectoryHandle('projects');
  const found = [];
  for await (const project of projects.values()) {
    const run = await project.getDirectoryHandle('run');
    const bytes = async (name) => (await (await run.getFileHandle(name)).getFile()).arrayBuffer();
    const files = {};
    const digest = async (bytes) => {
      const hash = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
      return [...hash.slice(0, 8)].map((byte) => byte.toString(16).padStart(2, '0')).join('');
    };
    for await (const name of run.keys()) {
      const content = await bytes(name);
      if (/^(shares|masks)-\d+/.test(name)) files[name] = await digest(content);
      if (!name.endsWith('.safetensors')) continue;
      // The momentum lies under one name or the other.
      const kept = name.replace('-other', '');
      // Tensors by name: in what order a file says what it is, is not the same every time.
      const start = 8 + Number(new DataView(content).getBigUint64(0, true));
      const { __metadata__: said, ...tensors } = JSON.parse(new TextDecoder().decode(content.slice(8, start)));
      files[kept] = { said: `${said.stage} ${said.round}/${said.step}` };
      for (const [tensor, { data_offsets: [from, to] }] of Object.entries(tensors)) {
        files[kept][tensor] = await digest(content.slice(start + from, start + to));
      }
    }
    const losses = {};
    for (const line of new TextDecoder().decode(await bytes('events.jsonl')).split('\n').filter(Boolean)) {
      const event = JSON.parse(line);
      if (event.event !== 'losses') continue;
      for (const { step, total } of event.points) {
        const place = `${event.round}/${step}`;
        losses[place] = [...new Set([...(losses[place] ?? []), total])];
      }
    }
    found.push({ files, losses });
  }
  return found;
});

/** Starts a training of the sample set. */
async function begin(page, training) {
  await page.locator('.device-line').waitFor({ timeout: SOON });
  await page.getByRole('button', { name: 'Try the sample set' }).click();
  await page.getByText('60 photos', { exact: true }).waitFor({ timeout: SOON });
  await fill(page, training);
  await page.getByRole('button', { name: 'Train', exact: true }).click();
}

/** Ends the process of the browser that keeps its files in this folder, as a dead battery does. */
async function cut_power(folder) {
  for (const id of (await readdir('/proc')).filter((name) => /^\d+$/.test(name))) {
    const command = await readFile(`/proc/${id}/cmdline`, 'utf8').catch(() => '');
    if (command.includes(`--user-data-dir=${folder}`) && !command.includes('--type=')) process.kill(Number(id), 'SIGKILL');
  }
}

/** Where a life ends: at a step, in the middle of a write, between two phases. `kept` steps are done before it. */
function choose(number, kept) {
  const places = [
    () => ({ scope: 'worker', event: 'progress-training', number: number(1, 12) }),
    () => ({ scope: 'worker', write: number(0, 30), after: number(0, 1) === 1 }),
    () => ({ scope: 'worker', event: 'progress-training', number: number(10, 25) }),
    () => ({ scope: 'page', write: number(0, 8), after: number(0, 1) === 1 }),
    () => ({ scope: 'worker', event: 'saved', number: number(1, 3) }),
    () => (kept < LAST_ROUND ? { scope: 'worker', event: 'progress-shares', number: number(1, 8) } : { scope: 'worker', event: 'saved', number: 1 }),
    () => ({ scope: 'worker', event: 'progress-reading', number: number(1, 20) }),
    () => ({ scope: 'worker', event: 'run-started', number: number(1, 2) }),
  ];
  // Steps and writes are most of a run's time, and most of these.
  return places[[0, 0, 0, 1, 1, 1, 2, 2, 3, 4, 5, 6, 7][number(0, 12)]]();
}

/** A training that nobody disturbs: what it has learned. */
async function undisturbed(host, training) {
  let found;
  await in_folder(async (folder) => {
    const context = await launch_kept(folder, watch_page, WEBGPU);
    try {
      const page = await context.newPage();
      await page.goto(host.url);
      await begin(page, training);
      found = await learned_in_the_end(page);
    } finally {
      await context.close();
    }
  });
  return found;
}

/** A browser and its tabs, which a test ends one after the other. */
class Visitor {
  constructor(host, files, folder) {
    Object.assign(this, { host, files, folder, context: null, page: null });
  }

  /** Opens the page, or loads it again where it was only reloaded, with a plan for this life. */
  async opens(plan) {
    this.files['plan.json'] = JSON.stringify(plan);
    this.context ??= await launch_kept(this.folder, watch_page, WEBGPU);
    const is_new = this.page === null;
    this.page ??= await this.context.newPage();
    const { page } = this;
    const errors = [];
    const hear = (message) => message.type() === 'error' && errors.push(message.text());
    const fail = (error) => errors.push(String(error));
    page.on('console', hear);
    page.on('pageerror', fail);
    const told = listen(page);
    await (is_new ? page.goto(this.host.url) : page.reload());
    const faults = async () => {
      // A training this short may lose the objects, which is no error.
      const shown = await page.locator('[role=alert]:not(.warn)').allInnerTexts();
      told.end();
      page.off('console', hear);
      page.off('pageerror', fail);
      return [...shown, ...errors];
    };
    return { ...told, faults };
  }

  /** The tab or the whole browser ends, without a word. */
  async dies(how) {
    const { context, page } = this;
    if (how === 'reload') return;
    if (how === 'power') {
      await Promise.all([new Promise((done) => context.once('close', done)), cut_power(this.folder)]);
      this.context = null;
    } else if (how === 'crash') {
      const session = await context.newCDPSession(page);
      const gone = page.waitForEvent('crash');
      // Whom it asks cannot answer any more.
      session.send('Page.crash').catch(() => {});
      await gone;
      await page.close();
    } else {
      await page.close({ runBeforeUnload: false });
    }
    this.page = null;
  }

  close() {
    return this.context?.close();
  }
}

/** Serves the page with all that is watched, and hands it to `use` with an empty profile's visitor. */
async function with_visitor(t, use) {
  const files = await watched_files();
  const host = await serve({ files });
  try {
    await in_folder(async (folder) => {
      const visitor = new Visitor(host, files, folder);
      try {
        await use(visitor);
      } finally {
        await visitor.close();
      }
    });
  } finally {
    await host.close();
  }
}

/** The page has written that the run is under way: what ends before that was not there. */
const noted = async ({ news, until }) => {
  const kept = await until(({ event, ok }) => event === 'kept' && ok, 'the first files on the disk');
  const is_card = (one) => one.wrote?.kind === 'close' && one.wrote.file === 'project.json';
  await until((one) => is_card(one) && news.indexOf(one) > news.indexOf(kept), 'the card on the disk');
};

/** The two runs are the same to the last bit. */
function expect_same(t, found, reference) {
  assert.equal(found.length, 1, 'one project');
  const [{ files, losses }] = found;
  const places = Object.keys(reference[0].losses);
  // The log follows the network: where the tab ends between them, what it tells has a gap.
  const known = places.filter((place) => losses[place]);
  const differ = known.filter((place) => String(losses[place]) !== String(reference[0].losses[place]));
  t.diagnostic(`${known.length - differ.length} of ${places.length} steps have the very same loss, ${differ.length} another one, of ${places.length - known.length} it was not written`);
  assert.deepEqual(differ, []);
  assert.deepEqual(files, reference[0].files);
}

test(`a tab that is killed at ${KILLS} points of a training loses nothing but seconds`, { timeout: 3 * LONG }, async (t) => {
  const number = random(SEED);
  t.diagnostic(`seed ${SEED} (TAG2MASK_SEED)`);
  await with_visitor(t, async (visitor) => {
    const reference = await undisturbed(visitor.host, TRAINING);
    const lives = [];
    let without_checkpoint = 0;
    for (let life = 0; life <= KILLS; life++) {
      const before = lives.at(-1);
      const how = ['close', 'crash', 'reload', 'power'][number(0, 3)];
      // What ends before the page has written that a run is under way was not there; and a run that has ended the page
      // three times before its next checkpoint waits for the user.
      const hold = life === 0 ? { scope: 'worker', event: 'progress-training', number: number(1, 12) }
        : without_checkpoint > 1 ? { scope: 'worker', event: 'saved', number: 1 } : choose(number, before.kept);
      const { news, until, faults } = await visitor.opens({ speed: SPEED, hold: life < KILLS ? hold : undefined });
      if (life === 0) await begin(visitor.page, TRAINING);
      const ended = await until(({ held, event }) => held || event === 'training-finished', `life ${life}: ${JSON.stringify(hold)}`);
      if (life === 0) await noted({ news, until });
      if (life < KILLS) assert.ok(ended.held, `life ${life}: the training was over before ${JSON.stringify(hold)}`);
      assert.deepEqual(await faults(), [], `life ${life}`);
      // It has gone on from where it was. What was told of it again ends with "stopped".
      const again = news.findIndex(({ event }) => event === 'stopped');
      const resumed = life === 0 || again >= 0 ? news.slice(again + 1).find(({ event }) => event === 'run-started') : undefined;
      if (resumed && before) assert.ok(resumed.done >= before.kept, `life ${life} began at step ${resumed.done}, and ${before.kept} were kept`);
      lives.push(account(news, resumed, before));
      without_checkpoint = news.some(({ event }) => event === 'saved') ? 0 : without_checkpoint + 1;
      const { lost, kept, reached, wait } = lives.at(-1);
      if (life === KILLS) break;
      t.diagnostic(`life ${life}: ${how} at ${JSON.stringify(ended.held)}: from step ${resumed?.done ?? '–'} to ${reached}, kept ${kept}; lost ${lost.toFixed(1)} s by the trainer's clock`);
      assert.ok(lost <= MOST_LOST + WAITS * wait, `life ${life}: ${lost} s were lost; the longest wait was ${wait} s`);
      await visitor.dies(how);
    }
    expect_same(t, await learned_in_the_end(visitor.page), reference);
  });
});

test('a run that ends the page again and again waits for the user', { timeout: 5 * MINUTE }, async (t) => {
  await with_visitor(t, async (visitor) => {
    const hold = { scope: 'worker', event: 'progress-training', number: 2 };
    for (let life = 0; life < 4; life++) {
      const { news, until, faults } = await visitor.opens({ hold });
      if (life === 0) await begin(visitor.page, TRAINING);
      await until(({ held }) => held, `life ${life}`);
      if (life === 0) await noted({ news, until });
      assert.deepEqual(await faults(), []);
      await visitor.dies('crash');
    }
    const { until } = await visitor.opens({ hold });
    await visitor.page.locator('.project').getByRole('button', { name: 'Open', exact: true }).click();
    await visitor.page.locator('.run-title').getByText('Stopped').waitFor({ timeout: SOON });
    await visitor.page.getByRole('button', { name: /^Train( again)?$/ }).click();
    await until(({ held }) => held, 'it goes on at the user\'s wish');
  });
});

test('a tab that is killed between the two files of a checkpoint goes on with its momentum', { timeout: 5 * MINUTE }, async (t) => {
  await with_visitor(t, async (visitor) => {
    const training = { method: 'cam', size: 64, batch: 8, 'cam-epochs': 12 };
    const reference = await undisturbed(visitor.host, training);
    const hold = { scope: 'worker', kind: 'close', file: 'optimizer.safetensors', write: 1, after: true };
    const { until } = await visitor.opens({ speed: SPEED, hold });
    await begin(visitor.page, training);
    await until(({ held }) => held, 'the first of the two files of a checkpoint');
    await visitor.dies('close');
    await visitor.opens({});
    expect_same(t, await learned_in_the_end(visitor.page), reference);
  });
});

/** Trains, is killed while masks are made, and opens the page again, with a part of the masks: how many are there. */
async function killed_while_making(visitor) {
  await visitor.opens({});
  await begin(visitor.page, { method: 'cam', size: 64, batch: 8, 'cam-epochs': 1 });
  await visitor.page.locator('.run-title').getByText('Training is finished').waitFor({ timeout: SOON });
  await until_settled(visitor.page);
  await visitor.dies('reload');
  // Writes what it has made after each group of photos.
  const first = await visitor.opens({ speed: 1e4, hold: { scope: 'worker', event: 'progress-masks', number: 4 } });
  await visitor.page.locator('.run-title').getByText('Training is finished').waitFor({ timeout: SOON });
  await visitor.page.getByText('How masks are made').click();
  await fill(visitor.page, { scales: '0.5, 1' });
  await visitor.page.getByRole('button', { name: 'Make masks', exact: true }).click();
  await first.until(({ held }) => held, 'the fourth group');
  assert.deepEqual(await first.faults(), []);
  await visitor.dies('crash');

  const second = await visitor.opens({});
  await visitor.page.locator('.project').getByRole('button', { name: 'Open', exact: true }).click();
  await visitor.page.getByText(/^\d+ masks are there, not all/).waitFor({ timeout: SOON });
  const there = parseInt(await visitor.page.getByText(/^\d+ masks are there, not all/).innerText());
  assert.equal(there, made(first)[2], 'what was written before the last group');
  return { second, there };
}

/** How many masks were said to be there, each time. */
const made = ({ news }) => news.filter(({ event }) => event === 'progress-masks').map(({ done }) => done);

/** The masks, once all are there. */
async function packed(page) {
  const button = page.getByRole('button', { name: 'Download the masks (.zip)' });
  await button.waitFor({ timeout: SOON });
  return unzip((await download(page, () => button.click())).bytes);
}

test('a tab that is killed while masks are made goes on with the others', { timeout: 5 * MINUTE }, async (t) => {
  await with_visitor(t, async (visitor) => {
    const { second, there } = await killed_while_making(visitor);
    const told_again = made(second).length;
    // With the settings of those that are there, which the page has put into the form again.
    await visitor.page.getByRole('button', { name: 'Make masks', exact: true }).click();
    const whole = await packed(visitor.page);
    // Those that are there are told one by one; after them come groups.
    const told = made(second).slice(told_again);
    assert.deepEqual(told.slice(0, there), Array.from({ length: there }, (_, index) => index + 1));
    assert.ok(told[there] > there + 1, 'it goes on');
    assert.equal(whole.size, 61, '60 masks and the classes');
    // All anew, undisturbed.
    await visitor.page.getByRole('button', { name: 'Make them anew' }).click();
    const reference = await packed(visitor.page);
    assert.deepEqual([...whole.keys()], [...reference.keys()]);
    for (const [name, bytes] of reference) assert.ok(bytes.equals(whole.get(name)), name);
  });
});

test('masks that are not all there begin anew where labels were changed meanwhile', { timeout: 5 * MINUTE }, async (t) => {
  await with_visitor(t, async (visitor) => {
    const { second } = await killed_while_making(visitor);
    const told_again = made(second).length;
    const { page } = visitor;
    await page.getByRole('button', { name: 'Edit labels', exact: true }).click();
    await page.getByRole('button', { name: /^Without a label/ }).click();
    await page.locator('#label-grid').focus();
    await page.keyboard.press('1');
    await page.getByText('erythrocyte added to 1 photo').waitFor({ timeout: SOON });
    await page.keyboard.press('Escape');
    await page.getByRole('button', { name: 'Make masks', exact: true }).click();
    assert.equal((await packed(page)).size, 61, '60 masks and the classes');
    // None is told one by one: all come in groups.
    const told = made(second).slice(told_again);
    assert.ok(told[0] > 1 && told.at(-1) === 60, told.join());
  });
});

/** What is on the disk once the training is finished, and all of it is written. */
async function learned_in_the_end(page) {
  await page.locator('.run-title').getByText('Training is finished').waitFor({ timeout: LONG });
  await until_settled(page);
  return learned(page);
}

/** The last files are on the disk, and the card says so. */
const until_settled = (page) => until_card(page, '"is_finished":true');

/** How far a life came, how much of that was kept, and what was lost of training, by the trainer's clock. */
function account(news, resumed, before) {
  const begins = resumed ? news.indexOf(resumed) : news.length;
  const mine = news.slice(begins);
  const steps = mine.filter(({ event }) => event === 'progress-training');
  const reached = steps.at(-1)?.done ?? resumed?.done ?? before?.kept ?? 0;
  let kept = { step: resumed?.done ?? before?.kept ?? 0, clock: resumed?.clock ?? 0 };
  let written = null;
  let last = resumed;
  for (const one of mine) {
    if (one.event === 'progress-training') last = one;
    if (one.event === 'saved') written = { step: last.done, clock: last.clock };
    // Between two rounds photos are measured; what was measured until then is written every few seconds.
    if (one.event === 'progress-shares' || one.event === 'shares-updated') written = { step: last.done, clock: one.clock };
    if (one.event === 'kept' && one.ok && written) kept = written;
  }
  const clocks = mine.filter(({ clock }) => clock).map(({ clock }) => clock);
  const wait = Math.max(0, ...clocks.slice(1).map((clock, index) => clock - clocks[index]));
  return { reached, kept: kept.step, wait, steps: reached - kept.step, lost: Math.max(0, (clocks.at(-1) ?? kept.clock) - kept.clock) };
}
