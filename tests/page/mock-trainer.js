// A trainer that only plays: it speaks the page's protocol (app/src/protocol.rs) with drawn pictures
// and made-up numbers, so that every state of the page can be looked at in seconds and without a GPU.
//
// How it behaves is the line below, which a test replaces: pace (1 = as written), device, at which step
// it dies, how many photos files hold, whether it tells of a collapse or a data set that cannot be read, whether there is truth, whether a
// network that learns from masks waits to be stopped, whether the photos come with boxes, what stands in every name
// and message, and how many classes there are (only three of them in photos). What it was asked is in `received`.
const script = { pace: 1, device: 'gpu', images: 40, dieAtStep: -1, collapse: false, failData: '', truth: true, hold: false, boxes: false, text: '', classes: 3 };

const classes = ['red blood cell', 'white blood cell', 'platelet', ...Array.from({ length: script.classes - 3 }, (_, c) => `class ${c + 4}`)]
  .map((name) => script.text + name);
const colors = ['#c0453f', '#7a5bb0', '#c99b3d'];
const [columns, rows] = [128, 96];
let images = [];
self.received = [];
let wish = 'go';
let stopped = {};

const wait = (ms) => new Promise((done) => setTimeout(done, ms * script.pace));
const say = (event, buffers = []) => postMessage({ json: JSON.stringify(event), buffers }, buffers);

/** The same numbers every time. */
function random(seed) {
  let state = (seed + 1) * 2654435761 >>> 0;
  return () => {
    state ^= state << 13;
    state >>>= 0;
    state ^= state >>> 17;
    state ^= state << 5;
    state >>>= 0;
    return state / 4294967296;
  };
}

function make_images(count) {
  images = Array.from({ length: count }, (_, index) => {
    const next = random(index);
    const labels = [0, 1, 2].filter((label) => (index >> label) % 2 === 1);
    const blobs = labels.flatMap((label) => Array.from({ length: 2 }, () => ({
      label, x: 0.15 + 0.7 * next(), y: 0.2 + 0.6 * next(), radius: 0.08 + 0.1 * next(),
    })));
    return { labels, blobs };
  });
}

function draw(image, side) {
  const [width, height] = [side, Math.round(side * rows / columns)];
  const canvas = new OffscreenCanvas(width, height);
  const context = canvas.getContext('2d');
  context.fillStyle = '#e9dfd8';
  context.fillRect(0, 0, width, height);
  const next = random(image + 99);
  for (let i = 0; i < 200; i++) {
    context.fillStyle = `rgb(120 90 90 / ${0.05 + 0.1 * next()})`;
    context.beginPath();
    context.arc(next() * width, next() * height, next() * width / 30, 0, 7);
    context.fill();
  }
  for (const { label, x, y, radius } of images[image].blobs) {
    context.fillStyle = colors[label];
    context.globalAlpha = 0.85;
    context.beginPath();
    context.ellipse(x * width, y * height, radius * width, radius * width * 0.8, x * 3, 0, 7);
    context.fill();
    context.globalAlpha = 1;
  }
  return { width, height, rgba: context.getImageData(0, 0, width, height).data };
}

/** Labels and strength at low resolution: a wide haze that draws together on the blobs. */
function look(image, width, height, sharpness) {
  const labels = new Uint8Array(width * height);
  const strength = new Uint8Array(width * height);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      let best = 0;
      for (const blob of images[image].blobs) {
        const dx = (x + 0.5) / width - blob.x;
        const dy = ((y + 0.5) / height - blob.y) * rows / columns / 0.8;
        const distance = Math.hypot(dx, dy) / blob.radius;
        const value = 1 / (1 + Math.exp((distance - 1.05) * (1.5 + 10 * sharpness)));
        if (value > best && value > 0.3) {
          best = value;
          labels[y * width + x] = blob.label + 1;
          strength[y * width + x] = 255 * Math.min(1, value * (0.4 + 0.6 * sharpness));
        }
      }
    }
  }
  return { labels, strength };
}

/** A box around each blob. */
function boxes_of(index) {
  return images[index].blobs.map(({ label, x, y, radius }) => ({
    class: label,
    x0: Math.max(0, (x - radius) * columns),
    y0: Math.max(0, y * rows - 0.8 * radius * columns),
    x1: Math.min(columns, (x + radius) * columns),
    y1: Math.min(rows, y * rows + 0.8 * radius * columns),
  }));
}

function summary() {
  return {
    layout: 'labels-table',
    classes,
    images_per_class: classes.map((_, c) => images.filter(({ labels }) => labels.includes(c)).length),
    without_class: images.filter(({ labels }) => labels.length === 0).length,
    several_classes: images.filter(({ labels }) => labels.length > 1).length,
    with_mask: script.truth ? images.length : 0,
    boxes: script.boxes ? images.flatMap((_, index) => boxes_of(index)).length : 0,
    images: images.map(({ labels }, index) => ({
      path: `sample/images/${script.text}field_${String(index).padStart(3, '0')}.png`,
      stem: `${script.text}field_${String(index).padStart(3, '0')}`,
      width: columns,
      height: rows,
      labels,
      boxes: script.boxes ? boxes_of(index) : [],
    })),
    problems: script.problems ?? [],
  };
}

async function read_data(count, problems) {
  if (script.failData) return say({ event: 'failed', message: script.failData });
  for (let done = 0; done < count; done += 8) {
    say({ event: 'progress', phase: 'reading', done, total: count, seconds_left: (count - done) * 0.02 });
    await wait(30);
  }
  make_images(count);
  script.problems = problems;
  say({ event: 'dataset-read', summary: summary() });
}

/** A file of the browser's disk that stands for a checkpoint. */
async function kept_file(project, name = 'mock.json') {
  let folder = await navigator.storage.getDirectory();
  for (const part of ['projects', project, 'run']) folder = await folder.getDirectoryHandle(part, { create: true });
  return folder.getFileHandle(name, { create: true });
}

async function write(project, name, text) {
  const file = await (await kept_file(project, name)).createWritable();
  await file.write(text);
  await file.close();
}

/** The project that the run is kept in, and of which rounds it has masks. */
let kept = {};

async function write_kept(project, settings, done) {
  kept = { project, settings, done, masks: same_run(settings) ? kept.masks ?? [] : [] };
  await write_card();
}

const same_run = (settings) => JSON.stringify(kept.settings) === JSON.stringify(settings);

async function write_card() {
  await write(kept.project, 'mock.json', JSON.stringify(kept));
  await write(kept.project, 'optimizer.safetensors', 'momentum');
  say({ event: 'kept', ok: true });
}

/** Tells the news of the kept run again, and that it stopped at its checkpoint. */
async function restore({ project, masks }) {
  const text = await (await (await kept_file(project)).getFile()).text();
  if (!text) return say({ event: 'failed', message: 'no usable data: the kept run cannot be read' });
  kept = { ...JSON.parse(text), project };
  const { settings, done } = kept;
  stopped = { settings: JSON.stringify(settings), done };
  const { rounds, steps_of, total_steps } = plan_of(settings);
  say({
    event: 'run-started', settings, device: device(), parameters: 274563, micro_batch: settings.batch,
    total_steps, done_steps: 0,
  });
  let start = 0;
  for (let round = 0; round < rounds && start < done; round++) {
    const steps = steps_of(round);
    say({ event: 'round-started', round, rounds, epochs: 1, steps });
    const points = Array.from({ length: Math.min(steps, done - start) }, (_, step) => {
      const total = 0.2 + 0.5 * Math.exp(-3 * step / steps);
      return { step, total, main: total, share: 0, activation: 0.3, threshold_step: false };
    });
    say(measured(round, 0, 1));
    say(measured(round, Math.min(steps, done - start) - 1, 0));
    say({ event: 'losses', round, points, learning_rate: 0.01 });
    start += steps;
  }
  say(done === total_steps ? { event: 'training-finished', seconds: 31 } : { event: 'stopped', round: 0, step: done });
  for (const { round, settings } of masks ? kept.masks : []) {
    say({ event: 'masks-restored', round, settings, are_all: true });
    await make_masks({ round }, 0);
  }
}

function plan_of(settings) {
  const { method } = settings;
  const rounds = method === 'spatial-bce' ? 1 + settings.spatial_bce.rounds : 1;
  const per_pass = Math.ceil(images.length / settings.batch);
  const own = method === 'spatial-bce' ? settings.cam : settings[method.replace('-', '_')];
  const steps_of = (round) => per_pass * (round === 0 ? own : settings.spatial_bce).epochs;
  const total_steps = Array.from({ length: rounds }, (_, round) => steps_of(round)).reduce((a, b) => a + b, 0);
  return { rounds, steps_of, total_steps };
}

async function train({ settings, previews, keep }) {
  const same = JSON.stringify(settings) === stopped.settings;
  const { rounds, steps_of, total_steps } = plan_of(settings);
  wish = 'go';
  await wait(300);
  say({
    event: 'run-started', settings, device: device(), parameters: 274563, micro_batch: settings.batch,
    total_steps, done_steps: same ? stopped.done : 0,
  });
  const next = random(7);
  let done = 0;
  for (let round = 0; round < rounds; round++) {
    const steps = steps_of(round);
    const skipped = same ? Math.min(steps, Math.max(0, stopped.done - done)) : 0;
    done += skipped;
    if (skipped === steps) continue;
    say({ event: 'round-started', round, rounds, epochs: 1, steps });
    let points = [];
    for (let step = skipped; step < steps; step++, done++) {
      if (done === script.dieAtStep) throw new Error('wgpu error: Out of memory');
      if (wish === 'pause') {
        say({ event: 'paused', round, step });
        while (wish === 'pause') await wait(20);
        say({ event: 'resumed', round, step });
      }
      if (wish === 'stop') {
        stopped = { settings: JSON.stringify(settings), done };
        say({ event: 'stopped', round, step });
        if (keep) await write_kept(keep, settings, done);
        return;
      }
      const threshold_step = round > 0 && step % 100 >= 80;
      const fall = Math.exp(-3 * step / steps);
      const main = (round === 0 ? 0.12 + 0.55 * fall : 0.2 + 0.35 * fall) * (0.85 + 0.3 * next());
      const share = round === 0 ? 0 : (0.03 + 0.2 * fall) * (0.8 + 0.4 * next());
      const total = threshold_step ? 1.2 + 0.3 * fall + 0.1 * next() : main + share;
      points.push({ step, total, main, share, activation: 0.2 + 0.2 * fall, threshold_step });
      if (points.length === 5 || step + 1 === steps) {
        say({ event: 'losses', round, points, learning_rate: 0.01 * (1 - step / steps) });
        say({ event: 'progress', phase: 'training', done: step + 1, total: steps, seconds_left: null });
        points = [];
        await wait(20);
      }
      if (step % 20 === 0) {
        for (const image of previews) {
          const { labels, strength } = look(image, 16, 16, Math.min(1, done / total_steps));
          say({ event: 'preview', image, round, step, width: 16, height: 16 }, [labels.buffer, strength.buffer]);
        }
        say(measured(round, step, fall));
        if (round > 0) {
          say({ event: 'thresholds', round, per_class: classes.map((_, c) => 0.45 - 0.1 * (c % 3) - 0.1 * fall) });
        }
      }
      if (keep && done % 40 === 39) {
        say({ event: 'saved', round, step: step + 1 });
        await write_kept(keep, settings, done + 1);
      }
      if (script.collapse && done === 30) {
        say({
          event: 'collapsed', round, step, kind: 'all-background',
          advice: script.text + 'Lower the learning rate, or raise the smallest share.',
        });
      }
    }
    say({ event: 'round-finished', round, seconds: 3 });
    if (round + 1 < rounds) {
      for (let image = 0; image < images.length; image += 4) {
        const seconds_left = (images.length - image) * 0.05;
        say({ event: 'progress', phase: 'shares', done: image, total: images.length, seconds_left });
        await wait(30);
      }
      const score = script.truth ? score_of(48 + 6 * round) : null;
      say({ event: 'shares-updated', round: round + 1, mean: [0.12, 0.18, 0.07], score });
    }
  }
  say({ event: 'training-finished', seconds: 31 });
  if (keep) await write_kept(keep, settings, total_steps);
}

/** Shares that settle, and thresholds where they are learned. */
function measured(round, step, fall) {
  const shares = classes.map((_, c) => [c, 0.1 + 0.05 * (c % 3) + (round === 0 ? 0.3 : 0.08) * fall * (c % 3 + 1) / 2]);
  const thresholds = round === 0 ? [] : classes.map((_, c) => [c, 0.45 - 0.1 * (c % 3) - 0.1 * fall]);
  return { event: 'measured', round, step, shares, thresholds };
}

function score_of(miou) {
  const iou = [['background', 88.2], ...classes.map((name, c) => [name, miou - 8 + 6 * (c % 3)])];
  const labels = iou.length;
  // Most is right; of the rest, the most is taken for background.
  const row = (truth) => [...Array.from({ length: labels }, (_, drawn) => (
    drawn === truth ? 700 + 40 * truth : drawn === 0 ? 200 : Math.max(0, 10 * (4 - drawn))
  )), 0];
  const confusion = Array.from({ length: labels }, (_, truth) => row(truth));
  return { miou, iou, images: images.length, looked_at_truth: false, confusion };
}

/** Of an earlier round: a haze. */
async function make_masks({ round, settings }, pause = 15) {
  const sharpness = round === null ? 1 : 0.1 + 0.3 * round;
  wish = 'go';
  for (let image = 0; image < images.length; image++) {
    if (wish === 'stop') return say({ event: 'stopped', round: 0, step: 0 });
    const { labels } = look(image, columns, rows, sharpness);
    const shares = images[image].labels.map((label) => (
      [label, labels.reduce((sum, each) => sum + (each === label + 1), 0) / labels.length]
    ));
    const miou = script.truth ? 40 + image * 37 % 55 : null;
    const thresholds = images[image].labels.map((label) => [label, 0.7 - 0.1 * label - 0.1 * sharpness]);
    const doubt = image * 29 % 64 / 100;
    say({ event: 'mask-ready', image, width: columns, height: rows, shares, thresholds, miou, doubt }, [labels.buffer]);
    const seconds_left = (images.length - image) * 0.03;
    say({ event: 'progress', phase: 'masks', done: image + 1, total: images.length, seconds_left });
    // A message each takes a turn of its own; of thousands, a pause now and then is enough.
    if (pause && (images.length < 500 || image % 100 === 0)) await wait(pause);
  }
  say({ event: 'masks-finished', images: images.length, seconds: 2, score: script.truth ? score_of(41.4 + 20 * sharpness) : null });
  if (settings && kept.project) {
    kept.masks = [...kept.masks.filter((made) => made.round !== round), { round, settings }];
    await write_card();
  }
}

/** The mask as it was made, four times as large. */
function show_mask({ image }) {
  const [width, height] = [4 * columns, 4 * rows];
  const { labels } = look(image, width, height, 1);
  say({ event: 'mask-shown', image, width, height }, [labels.buffer]);
}

/** A corrected mask is right. */
function set_mask({ round, image, width, height }, labels) {
  self.corrected = { image, width, height, labels };
  const [miou, score] = script.truth ? [100, score_of(70)] : [null, null];
  say({ event: 'mask-corrected', round, image, miou, score });
}

let learned = { settings: '', step: 0 };

async function train_segmenter({ settings }) {
  wish = 'go';
  const total = settings.deeplab.epochs * Math.ceil(images.length / settings.batch);
  const same = JSON.stringify(settings) === learned.settings;
  learned = { settings: JSON.stringify(settings), step: same ? learned.step : 0 };
  say({
    event: 'run-started', settings, device: device(), parameters: 281000, micro_batch: settings.batch,
    total_steps: total, done_steps: learned.step,
  });
  say({ event: 'round-started', round: 0, rounds: 1, epochs: settings.deeplab.epochs, steps: total });
  while (learned.step < total) {
    if (wish === 'stop') {
      script.hold = false;
      return say({ event: 'stopped', round: 0, step: learned.step });
    }
    learned.step = Math.min(total, learned.step + 5);
    const seconds_left = (total - learned.step) * 0.02;
    say({ event: 'progress', phase: 'training', done: learned.step, total, seconds_left });
    await wait(40);
    // Time to look at it, until it is stopped for the first time.
    while (script.hold && learned.step > total / 3 && wish !== 'stop') await wait(20);
  }
  say({ event: 'training-finished', seconds: 4 });
}

async function predict() {
  wish = 'go';
  const count = 9;
  const bad = { path: `new/${script.text}notes.jpg`, kind: 'unreadable-image', reason: `${script.text}This is a text file. Left out.` };
  say({ event: 'photos-read', photos: count, problems: [bad] });
  for (let photo = 0; photo < count; photo++) {
    if (wish === 'stop') return say({ event: 'stopped', round: 0, step: 0 });
    const image = photo + 1;
    const { width, height, rgba } = draw(image, 320);
    const { labels } = look(image, width, height, 1);
    const shares = images[image].labels.map((label) => [label, 0.1]);
    say({ event: 'photo-ready', name: `new/${script.text}${image}.jpg`, width, height, shares }, [rgba.buffer, labels.buffer]);
    say({ event: 'progress', phase: 'masks', done: photo + 1, total: count, seconds_left: (count - photo) * 0.1 });
    await wait(60);
  }
  say({ event: 'masks-finished', images: count, seconds: 1, score: null });
}

function device() {
  return {
    gpu: { name: script.text + 'NVIDIA GeForce RTX 4070', backend: 'webgpu', hardware: true, max_binding: 2147483644, max_buffer: 4294967296 },
    software: { name: 'SwiftShader', backend: 'webgpu', hardware: false, max_binding: 1073741824, max_buffer: 1073741824 },
    cpu: { name: 'CPU', backend: 'cpu', hardware: false, max_binding: null, max_buffer: null },
  }[script.device];
}

const problems = [
  { path: 'photos/broken.jpg', kind: 'unreadable-image', reason: 'The file ends in the middle of the image; left out.' },
  { path: 'photos/notes.png', kind: 'unreadable-image', reason: 'This is a text file, not a PNG; left out.' },
  { path: 'photos/ghost.jpg', kind: 'label-without-image', reason: 'Line 14 of labels.csv names it, but it is not there.' },
  { path: 'photos/copy of 3.jpg', kind: 'duplicate', reason: 'The same bytes as photos/3.jpg; left out.' },
  { path: 'photos/unlisted.jpg', kind: 'image-without-label', reason: 'labels.csv does not name it; left out.' },
].map(({ path, kind, reason }) => ({ path: script.text + path, kind, reason: script.text + reason }));

const commands = {
  start: () => say({ event: 'device-ready', device: device() }),
  'open-files': () => read_data(script.images, problems),
  'open-sample': ({ images: count }) => read_data(count, []),
  thumbnails({ images: wanted, side }) {
    for (const image of wanted) {
      const { width, height, rgba } = draw(image, side);
      say({ event: 'thumbnail', image, width, height }, [rgba.buffer]);
    }
  },
  // Other labels or boxes are another run.
  'set-labels'() { stopped = {}; },
  'drop-run'() { stopped = {}; },
  'set-boxes'() { stopped = {}; },
  weights() {},
  restore,
  train(command) {
    train(command).catch((error) => postMessage({ died: error.message }));
  },
  pause: () => { wish = 'pause'; },
  resume: () => { wish = 'go'; },
  stop: () => { wish = 'stop'; },
  masks: make_masks,
  'show-mask': show_mask,
  'set-mask': set_mask,
  'train-segmenter': train_segmenter,
  predict,
  async 'pack-predictions'({ format }) {
    await wait(100);
    const bytes = new TextEncoder().encode('not really masks');
    const name = format === 'index-png' ? 'new-masks.zip' : `new-masks-${format}.zip`;
    say({ event: 'file-ready', name }, [bytes.buffer]);
  },
  async 'pack-report'() {
    await wait(100);
    const bytes = new TextEncoder().encode('<!doctype html><title>not really a report</title>');
    say({ event: 'file-ready', name: 'report.html' }, [bytes.buffer]);
  },
  async 'pack-segmenter'() {
    const bytes = new TextEncoder().encode('not really a model');
    say({ event: 'file-ready', name: 'segmenter.zip' }, [bytes.buffer]);
  },
  async 'pack-masks'({ format }) {
    await wait(300);
    const bytes = new TextEncoder().encode('not really a zip');
    const name = format === 'index-png' ? 'masks.zip' : `masks-${format}.zip`;
    say({ event: 'file-ready', name }, [bytes.buffer]);
  },
  async 'pack-scores'() {
    wish = 'go';
    for (let done = 1; done <= images.length; done++) {
      await wait(20);
      // Time to look at it, until it is stopped.
      while (script.hold && done > images.length / 3 && wish !== 'stop') await wait(20);
      if (wish === 'stop') return say({ event: 'stopped', round: 0, step: 0 });
      say({ event: 'progress', phase: 'packing', done, total: images.length, seconds_left: (images.length - done) * 0.3 });
    }
    const bytes = new TextEncoder().encode('not really maps');
    say({ event: 'file-ready', name: 'score-maps.zip' }, [bytes.buffer]);
  },
  async 'pack-run'() {
    const bytes = new TextEncoder().encode('not really a network');
    say({ event: 'file-ready', name: 'tag2mask-run.zip' }, [bytes.buffer]);
  },
};

addEventListener('message', ({ data }) => {
  if (data.wasm) {
    navigator.locks.request(data.lock, () => {
      postMessage({ ready: true, webgpu: true });
      return new Promise(() => {});
    });
  } else if (data.ping) {
    postMessage({ pong: true });
  } else {
    const command = JSON.parse(data.json);
    if (command.command !== 'thumbnails') self.received.push(command);
    commands[command.command](command, data.payload);
  }
});
