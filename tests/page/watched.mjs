// The page and its trainer, watched from inside: every write to the browser's disk and every event of the trainer is
// counted and told. One of them can be held for ever, which is where a test ends the tab; writes can be refused for
// lack of room; and the trainer's clock can run faster, so that its checkpoints come sooner.

import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { page_folder } from './harness.mjs';

const MARK = 'watched ';

/**
 * Runs in the page and in the worker before everything else. What is to happen is `plan.json`, asked for once:
 *
 * - `hold: { scope, write }` holds the scope's write of this number for ever, before it is done, or `after` it; with
 *   `kind` and `file` the write of this number of these;
 * - `hold: { scope: 'worker', event, number }` stops the worker as it tells its event of this name and number, or
 *   ends it there (`ends`);
 * - `refuse: { scope, from, to, kind }` refuses these writes for lack of room, of a kind or of all;
 * - `speed` is how many times faster the worker's clock runs.
 */
function watch(scope) {
  const own = scope === 'worker' ? typeof WorkerGlobalScope !== 'undefined' : location.protocol.startsWith('http');
  if (!own || globalThis.is_watched) return;
  globalThis.is_watched = true;
  const request = new XMLHttpRequest();
  request.open('GET', './plan.json', false);
  request.send();
  const plan = request.status === 200 ? JSON.parse(request.responseText) : {};
  const say = (news) => console.debug(`watched ${JSON.stringify({ scope, ...news })}`);
  const clock = performance.now.bind(performance);
  if (scope === 'worker' && plan.speed) performance.now = () => clock() * plan.speed;
  const hold = plan.hold?.scope === scope ? plan.hold : {};
  const refuse = plan.refuse?.scope === scope || plan.refuse?.scope === 'both' ? plan.refuse : null;

  const names = new WeakMap();
  let writes = 0;
  let of_kind = 0;
  const is_held = ({ kind, file, number }) => {
    if (!hold.file) return number >= hold.write;
    return kind === hold.kind && file === hold.file && of_kind++ === hold.write;
  };
  const wrap = (prototype, kind, is_write, can_be_refused) => {
    const act = prototype[kind];
    prototype[kind] = async function (...given) {
      if (!is_write(given)) return act.apply(this, given);
      const number = writes++;
      const file = typeof given[0] === 'string' ? given[0] : names.get(this) ?? this.name ?? '';
      const what = { kind, file, number };
      const stays = is_held(what);
      if (stays && !hold.after) {
        say({ held: what });
        await new Promise(() => {});
      }
      if (refuse && can_be_refused && number >= refuse.from && number <= (refuse.to ?? refuse.from) && (!refuse.kind || refuse.kind === kind)) {
        say({ refused: what });
        throw new DOMException('there is no room (a test says so)', 'QuotaExceededError');
      }
      const result = await act.apply(this, given);
      if (kind === 'createWritable') names.set(result, file);
      say({ wrote: what });
      if (stays) {
        say({ held: what });
        await new Promise(() => {});
      }
      return result;
    };
  };
  const creates = ([, options]) => Boolean(options?.create);
  wrap(FileSystemDirectoryHandle.prototype, 'getDirectoryHandle', creates, true);
  wrap(FileSystemDirectoryHandle.prototype, 'getFileHandle', creates, true);
  wrap(FileSystemDirectoryHandle.prototype, 'removeEntry', () => true, false);
  wrap(FileSystemFileHandle.prototype, 'createWritable', () => true, true);
  wrap(FileSystemWritableFileStream.prototype, 'write', () => true, true);
  wrap(FileSystemWritableFileStream.prototype, 'close', () => true, true);

  if (scope !== 'worker') return;
  const counts = {};
  const post = globalThis.postMessage.bind(globalThis);
  globalThis.postMessage = (message, transfer) => {
    post(message, transfer);
    if (!message?.json) return;
    const { event: name, phase, round, step, done, done_steps, ok, message: words } = JSON.parse(message.json);
    const event = phase ? `${name}-${phase}` : name;
    counts[event] = (counts[event] ?? 0) + 1;
    say({ event, number: counts[event], round, step, done: done ?? done_steps, ok, words, clock: performance.now() / 1000 });
    if (hold.event === event && hold.number === counts[event]) {
      say({ held: { event, number: counts[event] } });
      // What is under way goes on until it waits for the first time.
      if (hold.ends) return close();
      for (;;);
    }
  };
}

/** In the worker's words, before its own: the browser has no room as long as there is a file of this path; `*` stands for any folder. */
export const no_room_while = (path) => `{
  const write = FileSystemWritableFileStream.prototype.write;
  const is_there = async (folder, [name, ...rest]) => {
    if (rest.length === 0) return folder.getFileHandle(name).then((file) => file.getFile()).then((file) => file.size > 0, () => false);
    for await (const inner of folder.values()) {
      if (inner.kind === 'directory' && (name === '*' || name === inner.name) && await is_there(inner, rest)) return true;
    }
    return false;
  };
  FileSystemWritableFileStream.prototype.write = async function (data) {
    if (!await is_there(await navigator.storage.getDirectory(), ${JSON.stringify(path.split('/'))})) return write.call(this, data);
    throw new DOMException('no room', 'QuotaExceededError');
  };
}
`;

/** Files for `serve`: a worker that is watched, and the plan, which a test may change before the next load. */
export async function watched_files(plan = {}) {
  const worker = await readFile(path.join(page_folder, 'trainer-worker.js'), 'utf8');
  return { 'trainer-worker.js': `(${watch})('worker');\n${worker}`, 'plan.json': JSON.stringify(plan) };
}

/** For `addInitScript`: the page is watched, too. */
export const watch_page = { script: watch, argument: 'page' };

/** What is told from now on: `news` grows, and `until` waits for the first that fits, or has come already, until `end`. */
export function listen(page) {
  const news = [];
  const waiting = new Set();
  const hear = (message) => {
    const text = message.text();
    if (!text.startsWith(MARK)) return;
    news.push(JSON.parse(text.slice(MARK.length)));
    for (const look of waiting) look();
  };
  page.on('console', hear);
  const until = (fits, what, timeout = 120_000) => new Promise((done, fail) => {
    const timer = setTimeout(() => {
      waiting.delete(look);
      fail(new Error(`never came: ${what}; the last were ${JSON.stringify(news.slice(-5))}`));
    }, timeout);
    const look = () => {
      const found = news.find(fits);
      if (!found) return;
      waiting.delete(look);
      clearTimeout(timer);
      done(found);
    };
    waiting.add(look);
    look();
  });
  return { news, until, end: () => page.off('console', hear) };
}

/** The same numbers from the same seed, whole ones from `from` to `to`. */
export function random(seed) {
  let state = seed >>> 0;
  return (from, to) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return from + ((mixed ^ (mixed >>> 14)) >>> 0) % (to - from + 1);
  };
}
