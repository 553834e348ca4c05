// What a training step asks of the GPU, counted in a real browser: kernel launches, read-backs, bytes
// and memory. All but how many steps one read spans is independent of the adapter's speed.

import { realpathSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { launch, open, serve } from './harness.mjs';
import { PROTOCOL_VERSION, start_worker, worker_files } from './worker.mjs';

const prelude = await readFile(new URL('./gpu-account.js', import.meta.url), 'utf8');

/**
 * Trains on made photos and returns, per stage ("cam", "network", "threshold"), what one step costs on
 * average, and the whole run's peak memory:
 * `{ stages: { name: { steps, dispatches, submits, reads, intervals, written_bytes } }, peak_memory }`.
 */
export async function count_steps({ backbone, size, batch, images = 2 * batch, epochs = 12 }) {
  const host = await serve({ files: await worker_files(prelude) });
  const browser = await launch();
  try {
    const { page } = await open(browser, `${host.url}alone.html`);
    const send = await start_worker(page);
    await send({ command: 'start', version: PROTOCOL_VERSION }, 'device-ready');
    await send({ command: 'open-sample', images, size: Math.max(size, 64), seed: 0 }, 'dataset-read');
    // One long window of each kind of step: it holds whole reads of losses, however many steps a read spans.
    const steps = epochs * Math.ceil(images / batch);
    const settings = {
      backbone, size, batch,
      output_stride: backbone === 'tiny' ? 8 : 16,
      cam: { epochs: 4 },
      spatial_bce: { rounds: 1, epochs, cycle: steps, network_steps: Math.floor(steps / 2) },
    };
    const { all } = await send({ command: 'train', settings, previews: [], keep: null }, 'training-finished');
    return account_of(all);
  } finally {
    await browser.close();
    await host.close();
  }
}

/** Sums up the stretches between two reads of losses that hold nothing but steps of one kind. */
function account_of(events) {
  const stages = {};
  let before;
  let peak_memory = 0;
  for (const event of events) {
    peak_memory = Math.max(peak_memory, event.account?.peak_memory ?? 0);
    if (event.event === 'losses') {
      const kinds = new Set(event.points.map((point) => kind_of(event.round, point)));
      if (before && before.round === event.round && kinds.size === 1) {
        const [kind] = kinds;
        const stage = stages[kind] ??= { steps: 0, intervals: 0, dispatches: 0, submits: 0, reads: 0, written_bytes: 0 };
        stage.steps += event.points.length;
        stage.intervals += 1;
        for (const what of ['dispatches', 'submits', 'reads', 'written_bytes']) {
          stage[what] += event.account[what] - before.account[what];
        }
      }
      before = event;
    } else if (event.event !== 'progress') {
      before = undefined;
    }
  }
  return { stages, peak_memory };
}

const kind_of = (round, { threshold_step }) => (round === 0 ? 'cam' : threshold_step ? 'threshold' : 'network');

/** Run by itself: a table of all networks. */
if (process.argv[1] && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) {
  console.log('network          size  batch  step of      kernels  submits  reads of losses  written KiB  peak MiB');
  for (const [backbone, size, batch] of [
    ['tiny', 64, 2], ['tiny', 128, 8], ['mobilenet-v2', 64, 2], ['resnet-18', 64, 2], ['resnet-50', 64, 2],
  ]) {
    const { stages, peak_memory } = await count_steps({ backbone, size, batch, images: batch });
    for (const [stage, { steps, intervals, dispatches, submits, reads, written_bytes }] of Object.entries(stages)) {
      const cells = [
        backbone.padEnd(15), String(size).padStart(5), String(batch).padStart(6), ` ${stage.padEnd(9)}`,
        (dispatches / steps).toFixed(0).padStart(10), (submits / steps).toFixed(1).padStart(8),
        `${(reads / intervals).toFixed(0)} for ${(steps / intervals).toFixed(1)} steps`.padStart(16),
        (written_bytes / steps / 1024).toFixed(0).padStart(12), (peak_memory / 2 ** 20).toFixed(0).padStart(9),
      ];
      console.log(cells.join(' '));
    }
  }
}
