// Exported masks, read without any of the program's own code: each format as those who made it describe it.
//
// A reader gives, by photo as the format calls it, a canvas: which pixels each class has, by the class's name.

import assert from 'node:assert/strict';
import { png_header, png_pixels } from './formats.mjs';

/** What a photo of that size shows. */
function canvas({ width, height }) {
  const classes = {};
  /** The pixels of a class, 1 where it is. */
  const of = (name) => {
    assert.ok(typeof name === 'string' && name !== '', `a class is called ${name}`);
    return classes[name] ??= new Uint8Array(width * height);
  };
  return { width, height, classes, of };
}

const text = (files, name) => files.get(name)?.toString() ?? assert.fail(`no ${name} in ${[...files.keys()].join(' ')}`);
const lines = (files, name) => text(files, name).trim().split('\n');
const json = (files, name) => JSON.parse(text(files, name));
const plain = (name) => name.replace(/\.[^./]+$/, '');
/** The files whose path is this one with something in the place of each `*`: that, and their bytes. */
const all = (files, path) => {
  const pattern = new RegExp(`^${path.replaceAll('.', '\\.').replaceAll('*', '([^/]+)')}$`);
  return [...files].map(([name, bytes]) => [pattern.exec(name), bytes]).filter(([found]) => found);
};

/** An XML document as plain objects, by the browser's own parser. */
const xml = (page, document) => page.evaluate((document) => {
  const plain = (element) => ({
    tag: element.tagName,
    text: element.children.length > 0 ? '' : element.textContent,
    children: [...element.children].map(plain),
    ...Object.fromEntries([...element.attributes].map(({ name, value }) => [name, value])),
  });
  const parsed = new DOMParser().parseFromString(document, 'application/xml');
  const fault = parsed.querySelector('parsererror');
  if (fault) throw new Error(fault.textContent);
  return plain(parsed.documentElement);
}, document);

/** Calls `put` with each position in a run of an odd number: runs are off and on in turn. */
function each_on(lengths, put) {
  let at = 0;
  lengths.forEach((length, number) => {
    for (let step = 0; step < length; step += 1, at += 1) if (number % 2 === 1) put(at);
  });
  return at;
}

/** Fills a ring of points: the pixels whose centre a line to the left leaves an odd number of times. */
function fill({ width, height, of }, name, ring) {
  const pixels = of(name);
  for (let y = 0; y < height; y += 1) {
    const middle = y + 0.5;
    const crossings = ring.flatMap(([x0, y0], at) => {
      const [x1, y1] = ring[(at + 1) % ring.length];
      return (y0 <= middle) === (y1 <= middle) ? [] : [x0 + ((middle - y0) / (y1 - y0)) * (x1 - x0)];
    }).sort((a, b) => a - b);
    for (let pair = 0; pair + 1 < crossings.length; pair += 2) {
      const end = Math.min(width, Math.ceil(crossings[pair + 1] - 0.5));
      for (let x = Math.max(0, Math.ceil(crossings[pair] - 0.5)); x < end; x += 1) pixels[y * width + x] = 1;
    }
  }
}

/** Every two of these numbers. */
const pairs = (numbers) => Array.from({ length: numbers.length / 2 }, (_, at) => [numbers[2 * at], numbers[2 * at + 1]]);

/** Index PNGs, whose values the lines of a file name. */
function index_pngs(files, path, names) {
  return Object.fromEntries(all(files, path).map(([[, photo], bytes]) => {
    assert.ok(png_header(bytes).is_palette, photo);
    const { pixels, ...size } = png_pixels(bytes);
    const shown = canvas(size);
    pixels.forEach((value, at) => { if (value > 0) shown.of(names[value])[at] = 1; });
    return [photo, shown];
  }));
}

/** Of COCO's JSON, whose objects `draw` draws. */
function coco(files, draw) {
  const { images, annotations, categories } = json(files, 'annotations/instances_train.json');
  const names = Object.fromEntries(categories.map(({ id, name }) => [id, name]));
  const by_id = Object.fromEntries(images.map(({ id, ...image }) => [id, [image.file_name, canvas(image)]]));
  assert.equal(new Set(annotations.map(({ id }) => id)).size, annotations.length, 'each object has a number of its own');
  for (const { image_id, category_id, segmentation } of annotations) draw(by_id[image_id][1], names[category_id], segmentation);
  return Object.fromEntries(Object.values(by_id));
}

/** Lengths of runs from COCO's text: six bits a letter, five of them of a number, and from the fourth on differences. */
function coco_lengths(counts) {
  const lengths = [];
  for (let at = 0; at < counts.length;) {
    let [number, shift, bits] = [0, 0, 0];
    do {
      bits = counts.charCodeAt(at) - 48;
      number |= (bits & 31) << shift;
      [at, shift] = [at + 1, shift + 5];
    } while (bits & 32);
    if (bits & 16) number |= -1 << shift;
    lengths.push(lengths.length > 2 ? number + lengths.at(-2) : number);
  }
  return lengths;
}

/** Of CVAT's XML for images, whose shapes `draw` draws. */
async function cvat(page, files, draw) {
  const root = await xml(page, text(files, 'annotations.xml'));
  assert.equal(root.tag, 'annotations');
  return Object.fromEntries(root.children.filter(({ tag }) => tag === 'image').map(({ name, width, height, children }) => {
    const shown = canvas({ width: Number(width), height: Number(height) });
    children.forEach((shape) => draw(shown, shape));
    return [name, shown];
  }));
}

/** The bytes of a brush of Label Studio's: four a pixel, packed as `rle-pack` of thi.ng/umbrella does. */
function unpacked_brush(bytes) {
  let place = 0;
  const take = (count) => {
    let number = 0;
    for (let left = count; left > 0; left -= 1, place += 1) number = 2 * number + ((bytes[place >> 3] >> (7 - (place & 7))) & 1);
    return number;
  };
  const values = new Uint8Array(take(32));
  const width = take(5) + 1;
  const widths = [0, 1, 2, 3].map(() => take(4) + 1);
  for (let at = 0; at < values.length;) {
    const is_run = take(1) === 1;
    const end = at + 1 + take(widths[take(2)]);
    const value = is_run ? take(width) : undefined;
    for (; at < end; at += 1) values[at] = value ?? take(width);
  }
  return values;
}

/** By format: what its files, by their paths in its folder, say. `photos` are there by name, all of one `size`. */
export const readers = {
  'index-png': ({ files }) => index_pngs(files, '*.png', lines(files, 'classes.txt')),

  'color-png': ({ files }) => {
    const names = Object.fromEntries(lines(files, 'colors.csv').slice(1).map((line) => line.split(',')).map(
      ([value, name, ...color]) => [color.join(), value === '0' ? null : name],
    ));
    return Object.fromEntries(all(files, '*.png').map(([[, photo], bytes]) => {
      const { pixels, channels, ...size } = png_pixels(bytes);
      const shown = canvas(size);
      for (let at = 0; at < pixels.length / channels; at += 1) {
        const name = names[pixels.subarray(at * channels, at * channels + 3).join()];
        if (name !== null) shown.of(name)[at] = 1;
      }
      return [photo, shown];
    }));
  },

  voc: ({ files }) => {
    const shown = index_pngs(files, 'SegmentationClass/*.png', lines(files, 'classes.txt'));
    for (const list of ['train', 'trainval']) {
      assert.deepEqual(lines(files, `ImageSets/Segmentation/${list}.txt`), Object.keys(shown), list);
    }
    const named = lines(files, 'labelmap.txt').slice(1).map((line) => line.split(':')[0]);
    // And pixels that nobody has decided on.
    assert.deepEqual(named, [...lines(files, 'classes.txt'), 'ignored']);
    return shown;
  },

  'coco-rle': ({ files }) => coco(files, ({ width, height, of }, name, { size, counts }) => {
    assert.deepEqual(size, [height, width]);
    // Down the columns.
    const pixels = of(name);
    const end = each_on(coco_lengths(counts), (at) => { pixels[(at % height) * width + Math.floor(at / height)] = 1; });
    assert.equal(end, width * height);
  }),

  'coco-polygons': ({ files }) => coco(files, (shown, name, rings) => rings.forEach((ring) => fill(shown, name, pairs(ring)))),

  'yolo-seg': ({ files, size }) => {
    const names = [...text(files, 'data.yaml').matchAll(/^ {2}\d+: "(.*)"$/gm)].map(([, name]) => name);
    return Object.fromEntries(all(files, 'labels/train/*.txt').map(([[, photo], bytes]) => {
      const shown = canvas(size);
      for (const line of bytes.toString().split('\n').filter(Boolean)) {
        const [number, ...shares] = line.split(' ').map(Number);
        fill(shown, names[number], pairs(shares).map(([x, y]) => [x * size.width, y * size.height]));
      }
      return [photo, shown];
    }));
  },

  'cvat-polygons': ({ files, page }) => cvat(page, files, (shown, { tag, label, points }) => {
    assert.equal(tag, 'polygon');
    fill(shown, label, points.split(';').map((point) => point.split(',').map(Number)));
  }),

  'cvat-masks': ({ files, page }) => cvat(page, files, ({ width, of }, { tag, label, rle, ...box }) => {
    assert.equal(tag, 'mask');
    const [left, top, columns, rows] = ['left', 'top', 'width', 'height'].map((name) => Number(box[name]));
    const pixels = of(label);
    const put = (at) => { pixels[(top + Math.floor(at / columns)) * width + left + (at % columns)] = 1; };
    assert.ok(each_on(rle.split(', ').map(Number), put) <= columns * rows);
  }),

  labelme: ({ files }) => Object.fromEntries(all(files, '*.json').map(([[path, photo]]) => {
    const { imagePath, imageWidth, imageHeight, shapes } = json(files, path);
    assert.equal(plain(imagePath), photo);
    const shown = canvas({ width: imageWidth, height: imageHeight });
    for (const { label, points, shape_type } of shapes) {
      assert.equal(shape_type, 'polygon');
      fill(shown, label, points);
    }
    return [imagePath, shown];
  })),

  'label-studio': async ({ files, page, size }) => {
    const config = await xml(page, text(files, 'label-config.xml'));
    const labels = config.children.find(({ tag }) => tag === 'BrushLabels').children.map(({ value }) => value);
    return Object.fromEntries(json(files, 'tasks.json').map(({ data, predictions: [{ result }] }) => {
      const shown = canvas(size);
      for (const { type, value: { format, rle, brushlabels: [name] }, ...mark } of result) {
        assert.deepEqual([type, format, mark.original_width, mark.original_height], ['brushlabels', 'rle', size.width, size.height]);
        assert.ok(labels.includes(name), name);
        const pixels = shown.of(name);
        unpacked_brush(rle).forEach((value, at) => { if (value > 0) pixels[at >> 2] = 1; });
      }
      return [decodeURIComponent(/\?d=images\/(.*)$/.exec(data.image)[1]), shown];
    }));
  },

  // Photos with none of the classes have no file. What is cut out is the photo, and the rest is clear.
  'cut-outs': ({ files, photos }) => {
    const shown = {};
    for (const [[, name, photo], bytes] of all(files, '*/*.png')) {
      const { pixels, channels, ...size } = png_pixels(bytes);
      const original = png_pixels(photos.get(`${photo}.png`));
      assert.deepEqual([channels, original.channels], [4, 3]);
      const of_class = (shown[photo] ??= canvas(size)).of(name);
      of_class.forEach((_, at) => {
        const [color, opacity] = [pixels.subarray(4 * at, 4 * at + 3), pixels[4 * at + 3]];
        of_class[at] = opacity > 0 ? 1 : 0;
        const expected = opacity > 0 ? original.pixels.subarray(3 * at, 3 * at + 3) : [0, 0, 0];
        if (opacity % 255 > 0 || color.some((value, channel) => value !== expected[channel])) assert.fail(`${name} in ${photo}: pixel ${at}`);
      });
    }
    return shown;
  },
};
