// The trainer's worker without the page: commands in, events out.

import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { page_folder } from './harness.mjs';

const protocol = await readFile(new URL('../../app/src/protocol.rs', import.meta.url), 'utf8');
/** The version of the messages, as the page and the trainer tell it each other. */
export const PROTOCOL_VERSION = Number(/PROTOCOL_VERSION: u32 = (\d+);/.exec(protocol)[1]);

/** Files for `serve`: a page that holds nothing, and the worker with `prelude` before its own script. */
export async function worker_files(prelude = '') {
  return {
    'alone.html': '<!doctype html><title>no page, the worker only</title>',
    'trainer-worker.js': prelude + await readFile(path.join(page_folder, 'trainer-worker.js'), 'utf8'),
  };
}

/**
 * Starts a worker on the page `alone.html` and waits until it takes commands. Returns a function that sends
 * one command and waits for the event called `wanted`, or a failure: it resolves to `{ event, all, bytes }`,
 * `all` being every event heard meanwhile and `bytes` the first buffer, as text. In a payload,
 * `[{ name, bytes }]`, the bytes are addresses, fetched where they are sent.
 */
export async function start_worker(page, program = 'trainer') {
  await page.evaluate(async (program) => {
    const worker = new Worker('./trainer-worker.js', { type: 'module' });
    let hear;
    worker.onmessage = ({ data }) => hear?.(data);
    worker.onerror = (error) => hear?.({ died: error.message });
    const until = (message, fits) => new Promise((done, fail) => {
      const all = [];
      hear = (data) => {
        const event = data.json ? JSON.parse(data.json) : {};
        if (data.json) all.push({ ...event, account: data.account });
        if (data.died ?? data.noGpu) fail(new Error(data.died ?? data.noGpu));
        else if (event.event === 'failed') fail(new Error(event.message));
        else if (fits(data, event)) done({ event, buffers: data.buffers, all });
      };
      worker.postMessage(message);
    });
    const wasm = await (await fetch(`./${program}_bg.wasm`)).arrayBuffer();
    await until({ wasm, program }, (data) => data.ready);
    globalThis.send_to_worker = (command, payload, wanted) =>
      until({ json: JSON.stringify(command), payload }, (_, { event }) => event === wanted);
  }, program);
  return (command, wanted, payload) => page.evaluate(async ({ command, wanted, payload }) => {
    for (const file of payload ?? []) file.bytes = await (await fetch(file.bytes)).arrayBuffer();
    const { event, all, buffers } = await globalThis.send_to_worker(command, payload, wanted);
    return { event, all, bytes: buffers?.length ? new TextDecoder().decode(buffers[0]) : '' };
  }, { command, wanted, payload });
}
