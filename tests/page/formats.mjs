// As much of the file formats as the page's tests need, without a library.

import assert from 'node:assert/strict';
import { crc32, deflateRawSync, deflateSync, inflateRawSync, inflateSync } from 'node:zlib';

/** The files of a zip, by name. */
export function unzip(bytes) {
  // The end record, found from the end: a comment may follow it.
  const end = bytes.lastIndexOf(Buffer.from('PK\x05\x06', 'latin1'));
  assert.ok(end >= 0, 'not a zip');
  const files = new Map();
  let at = bytes.readUInt32LE(end + 16);
  for (let left = bytes.readUInt16LE(end + 10); left > 0; left -= 1) {
    const [method, packed] = [bytes.readUInt16LE(at + 10), bytes.readUInt32LE(at + 20)];
    const [name, extra, comment] = [28, 30, 32].map((field) => bytes.readUInt16LE(at + field));
    const local = bytes.readUInt32LE(at + 42);
    const start = local + 30 + bytes.readUInt16LE(local + 26) + bytes.readUInt16LE(local + 28);
    const data = bytes.subarray(start, start + packed);
    const content = method === 0 ? data : inflateRawSync(data);
    assert.equal(crc32(content), bytes.readUInt32LE(at + 16), 'checksum of a file in the zip');
    files.set(bytes.toString('utf8', at + 46, at + 46 + name), content);
    at += 46 + name + extra + comment;
  }
  return files;
}

/** A zip of `{ name: content }`. */
export function zip(files) {
  const locals = [];
  const entries = [];
  let offset = 0;
  for (const [name, content] of Object.entries(files)) {
    const [label, data] = [Buffer.from(name), Buffer.from(content)];
    const packed = deflateRawSync(data);
    const common = Buffer.alloc(26);
    common.writeUInt16LE(20, 0);
    common.writeUInt16LE(8, 4);
    common.writeUInt32LE(crc32(data), 10);
    common.writeUInt32LE(packed.length, 14);
    common.writeUInt32LE(data.length, 18);
    common.writeUInt16LE(label.length, 22);
    locals.push(Buffer.from('PK\x03\x04', 'latin1'), common, label, packed);
    const tail = Buffer.alloc(14);
    tail.writeUInt32LE(offset, 10);
    entries.push(Buffer.from('PK\x01\x02\x14\x00', 'latin1'), common, tail, label);
    offset += 30 + label.length + packed.length;
  }
  const directory = Buffer.concat(entries);
  const end = Buffer.alloc(22);
  end.write('PK\x05\x06', 'latin1');
  end.writeUInt16LE(Object.keys(files).length, 8);
  end.writeUInt16LE(Object.keys(files).length, 10);
  end.writeUInt32LE(directory.length, 12);
  end.writeUInt32LE(offset, 16);
  return Buffer.concat([...locals, directory, end]);
}

/** Size and kind of a PNG, from its header. */
export function png_header(bytes) {
  assert.equal(bytes.toString('latin1', 1, 4), 'PNG');
  return { width: bytes.readUInt32BE(16), height: bytes.readUInt32BE(20), is_palette: bytes[25] === 3 };
}

/** A PNG of one size whose pixels `color(x, y)` gives: [red, green, blue], or one number, which makes it grey. */
export function png(width, height, color) {
  const channels = typeof color(0, 0) === 'number' ? 1 : 3;
  const rows = Buffer.alloc((1 + width * channels) * height);
  for (let y = 0; y < height; y += 1) {
    for (let x = 0; x < width; x += 1) {
      rows.set([color(x, y)].flat(), y * (1 + width * channels) + 1 + x * channels);
    }
  }
  const head = Buffer.alloc(13);
  head.writeUInt32BE(width, 0);
  head.writeUInt32BE(height, 4);
  head.set([8, channels === 1 ? 0 : 2], 8);
  const chunk = (kind, data) => {
    const bytes = Buffer.alloc(12 + data.length);
    bytes.writeUInt32BE(data.length, 0);
    bytes.write(kind, 4, 'latin1');
    bytes.set(data, 8);
    bytes.writeUInt32BE(crc32(bytes.subarray(4, 8 + data.length)), 8 + data.length);
    return bytes;
  };
  const signature = Buffer.from('\x89PNG\r\n\x1a\n', 'latin1');
  return Buffer.concat([signature, chunk('IHDR', head), chunk('IDAT', deflateSync(rows)), chunk('IEND', Buffer.alloc(0))]);
}

/** The samples of a PNG of 8 bits a channel, row by row: numbers of the palette, or red, green, blue and opacity. */
export function png_pixels(bytes) {
  const { width, height } = png_header(bytes);
  const channels = { 0: 1, 2: 3, 3: 1, 6: 4 }[bytes[25]];
  assert.deepEqual([bytes[24], bytes[28]], [8, 0], 'bits a channel, interlacing');
  const packed = [];
  for (let at = 8; at < bytes.length; at += 12 + bytes.readUInt32BE(at)) {
    if (bytes.toString('latin1', at + 4, at + 8) === 'IDAT') packed.push(bytes.subarray(at + 8, at + 8 + bytes.readUInt32BE(at)));
  }
  const raw = inflateSync(Buffer.concat(packed));
  const row = width * channels;
  const pixels = new Uint8Array(row * height);
  const nearest = (left, up, corner) => [left, up, corner].reduce((best, each) => (
    Math.abs(left + up - corner - each) < Math.abs(left + up - corner - best) ? each : best
  ));
  for (let y = 0; y < height; y += 1) {
    const filter = raw[y * (row + 1)];
    for (let x = 0; x < row; x += 1) {
      const left = x < channels ? 0 : pixels[y * row + x - channels];
      const up = y === 0 ? 0 : pixels[(y - 1) * row + x];
      const corner = x < channels || y === 0 ? 0 : pixels[(y - 1) * row + x - channels];
      const guess = [0, left, up, (left + up) >> 1, nearest(left, up, corner)][filter];
      pixels[y * row + x] = raw[y * (row + 1) + 1 + x] + guess;
    }
  }
  return { width, height, channels, pixels };
}

/** A BMP of one size whose pixels `color(x, y)` gives as [red, green, blue]. */
export function bmp(width, height, color) {
  const row = Math.ceil((3 * width) / 4) * 4;
  const bytes = Buffer.alloc(54 + row * height);
  bytes.write('BM', 'latin1');
  bytes.writeUInt32LE(bytes.length, 2);
  bytes.writeUInt32LE(54, 10);
  bytes.writeUInt32LE(40, 14);
  bytes.writeInt32LE(width, 18);
  // Negative: rows from the top.
  bytes.writeInt32LE(-height, 22);
  bytes.writeUInt16LE(1, 26);
  bytes.writeUInt16LE(24, 28);
  for (let y = 0; y < height; y += 1) {
    for (let x = 0; x < width; x += 1) {
      bytes.set([...color(x, y)].reverse(), 54 + y * row + 3 * x);
    }
  }
  return bytes;
}

/** Shape and values of a NumPy file of 32-bit floats. */
export function npy(bytes) {
  assert.equal(bytes.toString('latin1', 0, 8), '\x93NUMPY\x01\0');
  const start = 10 + bytes.readUInt16LE(8);
  const header = bytes.toString('latin1', 10, start);
  assert.match(header, /'descr': '<f4', 'fortran_order': False/);
  const shape = /'shape': \(([\d, ]+)\)/.exec(header)[1].split(',').map(Number);
  // A file in a zip may stand at any byte.
  const values = new Float32Array(bytes.buffer.slice(bytes.byteOffset + start, bytes.byteOffset + bytes.length));
  assert.equal(values.length, shape.reduce((product, side) => product * side, 1));
  return { shape, values };
}
