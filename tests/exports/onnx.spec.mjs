// Our networks as ONNX, run by onnxruntime on its processor, beside what the program itself says of the same photos.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtemp, readFile, readdir, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import zlib from 'node:zlib';
import * as ort from 'onnxruntime-web/wasm';

const SIDE = 64;
const CLASSES = 3;
const TOLERANCE = 1e-3;

let folder;
before(async () => {
  ort.env.wasm.numThreads = 1;
  folder = await mkdtemp(path.join(os.tmpdir(), 'tag2mask-onnx-'));
  tag2mask('sample', at('data'), '--images', '4', '--size', String(SIDE), '--seed', '3');
});
after(() => rm(folder, { recursive: true }));

const at = (...names) => path.join(folder, ...names);
const tag2mask = (...line) => execFileSync(process.env.TAG2MASK, line, { stdio: ['ignore', 'pipe', 'pipe'] });

/** A PNG of 8 bits a channel without interlacing, as `[3, height, width]` of 0 to 1. */
function read_png(bytes) {
  let [width, height, channels] = [0, 0, 0];
  const packed = [];
  for (let place = 8; place < bytes.length;) {
    const length = bytes.readUInt32BE(place);
    const kind = bytes.toString('latin1', place + 4, place + 8);
    const data = bytes.subarray(place + 8, place + 8 + length);
    if (kind === 'IHDR') {
      [width, height] = [data.readUInt32BE(0), data.readUInt32BE(4)];
      assert.deepEqual([data[8], data[12]], [8, 0]);
      channels = { 2: 3, 6: 4 }[data[9]];
    }
    if (kind === 'IDAT') packed.push(data);
    place += length + 12;
  }
  const raw = zlib.inflateSync(Buffer.concat(packed));
  const stride = width * channels;
  const lines = new Uint8Array(height * stride);
  const byte = (row, column) => (row < 0 || column < 0 ? 0 : lines[row * stride + column]);
  const paeth = (a, b, c) => {
    const [pa, pb, pc] = [a, b, c].map((each) => Math.abs(a + b - c - each));
    return pa <= pb && pa <= pc ? a : pb <= pc ? b : c;
  };
  for (let row = 0; row < height; row++) {
    const filter = raw[row * (stride + 1)];
    for (let column = 0; column < stride; column++) {
      const [left, up] = [byte(row, column - channels), byte(row - 1, column)];
      const corner = byte(row - 1, column - channels);
      const predicted = [0, left, up, (left + up) >> 1, paeth(left, up, corner)][filter];
      lines[row * stride + column] = raw[row * (stride + 1) + 1 + column] + predicted;
    }
  }
  const pixels = width * height;
  const value = (_, index) => lines[(index % pixels) * channels + Math.floor(index / pixels)] / 255;
  return Float32Array.from({ length: 3 * pixels }, value);
}

/** The numbers of a `.npy` of float32, and its shape. */
function read_npy(bytes) {
  const end = 10 + bytes.readUInt16LE(8);
  const shape = bytes.toString('latin1', 10, end).match(/\(([^)]*)\)/)[1].split(',').map(Number);
  // Copied, as numbers must stand at a multiple of their size.
  return { shape, values: new Float32Array(Uint8Array.from(bytes.subarray(end)).buffer) };
}

/** Enlarges `[channels, from, from]` bilinearly, with pixel centres at half-integers. */
function enlarged(values, channels, from, to) {
  const taps = Array.from({ length: to }, (_, target) => {
    const position = Math.max((target + 0.5) * from / to - 0.5, 0);
    const first = Math.min(Math.floor(position), from - 1);
    return [first, Math.min(first + 1, from - 1), position - first];
  });
  const result = new Float32Array(channels * to * to);
  for (let channel = 0; channel < channels; channel++) {
    const value = (row, column) => values[(channel * from + row) * from + column];
    taps.forEach(([top, bottom, down], row) => taps.forEach(([left, right, across], column) => {
      const line = (y) => value(y, left) + (value(y, right) - value(y, left)) * across;
      result[(channel * to + row) * to + column] = line(top) + (line(bottom) - line(top)) * down;
    }));
  }
  return result;
}

function softmax(values, channels) {
  const pixels = values.length / channels;
  const result = new Float32Array(values.length);
  for (let pixel = 0; pixel < pixels; pixel++) {
    const own = Array.from({ length: channels }, (_, channel) => Math.exp(values[channel * pixels + pixel]));
    const sum = own.reduce((a, b) => a + b);
    own.forEach((value, channel) => { result[channel * pixels + pixel] = value / sum; });
  }
  return result;
}

const largest_difference = (a, b) => {
  assert.equal(a.length, b.length);
  return a.reduce((largest, value, index) => Math.max(largest, Math.abs(value - b[index])), 0);
};

/** Trains a method for two passes, and gives its network as a session, and the maps that we make of the photos. */
async function trained(method, options = [], name = method) {
  const [run, masks, maps, file] = ['run', 'masks', 'maps', 'onnx'].map((part) => at(`${name}.${part}`));
  const settings = ['masks.flip=false', 'masks.views=square'].flatMap((setting) => ['--set', setting]);
  const size = ['--epochs', '2', '--size', String(SIDE), '--batch', '4'];
  tag2mask('train', at('data'), '--out', run, '--method', method, '--device', 'cpu', ...size, ...settings, ...options);
  const plain = ['--scales', '1', '--refine', 'none'];
  tag2mask('masks', run, at('data'), '--out', masks, '--scores', maps, '--device', 'cpu', ...plain);
  const said = JSON.parse(tag2mask('onnx', run, '--out', file, '--json'));
  assert.equal(said.classes.length, CLASSES);
  const session = await ort.InferenceSession.create(await readFile(file));
  return { session, maps };
}

/** Each photo as the graph takes it, with our maps of it. */
async function photos(maps) {
  const names = (await readdir(at('data', 'images'))).sort();
  assert.equal(names.length, 4);
  return Promise.all(names.map(async (name) => ({
    image: read_png(await readFile(at('data', 'images', name))),
    ours: read_npy(await readFile(path.join(maps, name.replace('.png', '.npy')))),
  })));
}

function input(images) {
  const values = Float32Array.from(images.flatMap((image) => [...image]));
  return { image: new ort.Tensor('float32', values, [images.length, 3, SIDE, SIDE]) };
}

for (const [method, options] of [
  ['deeplab', () => ['--masks', at('data', 'masks')]],
  ['adaptive-affinity', () => []],
  ['box2seg', () => []],
]) {
  test(`the segmenter of ${method} says in onnxruntime what it says here`, async () => {
    const { session, maps } = await trained(method, options());
    assert.deepEqual([session.inputNames, session.outputNames], [['image'], ['logits', 'probabilities']]);
    for (const { image, ours } of await photos(maps)) {
      assert.deepEqual(ours.shape, [CLASSES + 1, SIDE, SIDE]);
      const { logits, probabilities } = await session.run(input([image]));
      const side = logits.dims[2];
      assert.deepEqual(logits.dims, [1, CLASSES + 1, side, side]);
      assert.deepEqual(probabilities.dims, [1, CLASSES + 1, SIDE, SIDE]);
      const difference = largest_difference(enlarged(logits.data, CLASSES + 1, side, SIDE), ours.values);
      assert.ok(difference < TOLERANCE, `logits differ by ${difference}`);
      const of_probabilities = largest_difference(probabilities.data, softmax(ours.values, CLASSES + 1));
      assert.ok(of_probabilities < TOLERANCE, `probabilities differ by ${of_probabilities}`);
      const spread = largest_difference(ours.values, ours.values.map(() => ours.values[0]));
      assert.ok(spread > 10 * TOLERANCE, 'flat maps would prove nothing');
    }
  });
}

for (const [method, second] of [['cam', 'logits'], ['spatial-bce', 'thresholds'], ['adversarial-erasing', 'logits']]) {
  test(`the class maps of ${method} are the same in onnxruntime`, async () => {
    const { session, maps } = await trained(method);
    assert.deepEqual(session.outputNames, ['maps', second]);
    const biases = [];
    for (const { image, ours } of await photos(maps)) {
      const results = await session.run(input([image]));
      const side = results.maps.dims[2];
      const difference = largest_difference(enlarged(results.maps.data, CLASSES, side, SIDE), ours.values);
      assert.ok(difference < TOLERANCE, `maps differ by ${difference}`);
      const of_image = results[second];
      assert.deepEqual(of_image.dims, [1, CLASSES]);
      if (second === 'thresholds') {
        assert.ok(of_image.data.every((value) => value > 0 && value < 1));
      } else {
        const pixels = side * side;
        const mean = (channel) => results.maps.data.slice(channel * pixels, (channel + 1) * pixels).reduce((a, b) => a + b) / pixels;
        biases.push(of_image.data.map((logit, channel) => logit - mean(channel)));
      }
    }
    // What stands beside the mean of a map is the same for every photo.
    biases.forEach((bias) => assert.ok(largest_difference(bias, biases[0]) < 1e-5));
  });
}

test('any number of images of any size goes through at once', async () => {
  const { session, maps } = await trained('cam', [], 'sizes');
  const all = (await photos(maps)).map(({ image }) => image);
  const together = await session.run(input(all));
  const side = together.maps.dims[2];
  for (const [index, image] of all.entries()) {
    const alone = await session.run(input([image]));
    const pixels = CLASSES * side * side;
    const own = together.maps.data.slice(index * pixels, (index + 1) * pixels);
    assert.ok(largest_difference(alone.maps.data, own) < 1e-5);
  }
  const wide = new ort.Tensor('float32', new Float32Array(3 * 50 * 131).fill(0.5), [1, 3, 50, 131]);
  const results = await session.run({ image: wide });
  const stride = SIDE / side;
  assert.deepEqual(results.maps.dims, [1, CLASSES, Math.ceil(50 / stride), Math.ceil(131 / stride)]);
});
