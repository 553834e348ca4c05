// Four small photos, and what they show in the words of every program whose labels are read: the first an apple, the second
// an apple and a plum, the third a plum, the fourth neither.

import { png } from './formats.mjs';

/** Columns and rows of a photo: powers of two, so that shares of them are exact numbers. */
const [WIDTH, HEIGHT] = [64, 32];
const APPLE = [4, 6, 20, 16];
export const PLUM = [32, 8, 60, 30];

/** Class and box, left, upper, right and lower edge, of what a photo shows. */
export const SHOWN = { 1: [['apple', APPLE]], 2: [['apple', APPLE], ['plum', PLUM]], 3: [['plum', PLUM]], 4: [] };
export const numbers = [1, 2, 3, 4];

const HUES = { apple: [200, 40, 50], plum: [90, 30, 140] };
const is_in = ([x0, y0, x1, y1], x, y) => x >= x0 && x < x1 && y >= y0 && y < y1;
/** A photo; no two are of the same bytes. */
export const photo = (number) => png(WIDTH, HEIGHT, (x, y) => {
  const found = (SHOWN[number] ?? []).findLast(([, box]) => is_in(box, x, y));
  return found ? HUES[found[0]] : [180 + y, 190 + number, 120 + x];
});
/** Its mask: 1 for apples, 2 for plums. */
export const mask = (number, width = WIDTH, height = HEIGHT) => png(width, height, (x, y) => (
  SHOWN[number].reduce((value, [name, box]) => (is_in(box, x, y) ? { apple: 1, plum: 2 }[name] : value), 0)
));

/** The photos, and what `file` gives of each beside them: a path and its content. */
export const photos = (folder = '', file = () => []) => Object.fromEntries(
  numbers.flatMap((number) => [[`${folder}${number}.png`, photo(number)], ...file(number, SHOWN[number])]),
);
export const rows = (...lines) => lines.map((line) => `${line}\n`).join('');
export const objects = (write) => numbers.flatMap((number) => SHOWN[number].map(([name, box], at) => write(number, name, box, at)));
export const names = (number) => SHOWN[number].map(([name]) => name);

export const labels_csv = rows('image,labels', ...numbers.map((number) => `${number}.png,${names(number).join(';')}`));
export const boxes_csv = rows('image,class,x0,y0,x1,y1', ...objects((number, name, box) => [`${number}.png`, name, ...box].join()));

/** VOC counts pixels from 1 and means the last one inside. */
export const voc_xml = (number) => `<annotation><filename>${number}.png</filename>${SHOWN[number].map(([name, [x0, y0, x1, y1]]) => (
  `<object><name>${name}</name><bndbox><xmin>${x0 + 1}</xmin><ymin>${y0 + 1}</ymin><xmax>${x1}</xmax><ymax>${y1}</ymax></bndbox></object>`
)).join('')}</annotation>`;

const edges = ([x0, y0, x1, y1]) => [x0, y0, x1 - x0, y1 - y0];
/** COCO's JSON; `segmentation` of a box, one `more` image that is not there, and an object of one that is not listed. */
export const coco = (segmentation) => JSON.stringify({
  categories: [{ id: 3, name: 'apple' }, { id: 7, name: 'plum' }],
  images: [...numbers, 5].map((id) => ({ id, file_name: id === 5 ? 'gone.png' : `${id}.png`, width: WIDTH, height: HEIGHT })),
  annotations: [
    ...objects((number, name, box, at) => ({
      id: 10 * number + at, image_id: number, category_id: { apple: 3, plum: 7 }[name], iscrowd: 0, bbox: edges(box), segmentation: segmentation(box),
    })),
    { id: 99, image_id: 77, category_id: 3, iscrowd: 0, bbox: [0, 0, 5, 5], segmentation: [] },
  ],
});

/** A line of YOLO's: the centre and the size of a box, as shares. */
export const yolo_box = ([name, [x0, y0, x1, y1]]) => (
  [{ apple: 0, plum: 1 }[name], (x0 + x1) / 2 / WIDTH, (y0 + y1) / 2 / HEIGHT, (x1 - x0) / WIDTH, (y1 - y0) / HEIGHT].join(' ')
);
export const yolo_outline = ([name, [x0, y0, x1, y1]]) => (
  [{ apple: 0, plum: 1 }[name], ...[x0, y0, x1, y0, x1, y1, x0, y1].map((at, axis) => at / [WIDTH, HEIGHT][axis % 2])].join(' ')
);

/** The place of a box in Label Studio's percent. */
const percent = (box) => {
  const [x, y, width, height] = edges(box).map((at, axis) => (100 * at) / [WIDTH, HEIGHT][axis % 2]);
  return { x, y, width, height, rotation: 0 };
};
const original = { original_width: WIDTH, original_height: HEIGHT };
/** What an upload is called. */
export const upload = (name) => `/data/upload/1/0a1b2c3d-${name}.png`;
const task = (name, ...results) => ({ data: { image: upload(name) }, annotations: results.map((result) => ({ result, was_cancelled: false })) });
const choice = (choices) => ({ type: 'choices', from_name: 'kind', to_name: 'image', value: { choices } });
const rectangle = ([name, box]) => ({ type: 'rectanglelabels', ...original, value: { ...percent(box), rectanglelabels: [name] } });
/** The same as an outline. */
const outline = ([name, [x0, y0, x1, y1]]) => {
  const points = [[x0, y0], [x1, y0], [x1, y1], [x0, y1]].map(([x, y]) => [(100 * x) / WIDTH, (100 * y) / HEIGHT]);
  return { type: 'polygonlabels', ...original, value: { points, polygonlabels: [name] } };
};
/** Outlines alone; in the fourth a mark without a label. */
export const outlined_tasks = numbers.map((number) => task(number, [
  ...SHOWN[number].map(outline), ...(number === 4 ? [{ type: 'rectangle', value: percent(PLUM) }] : []),
]));
/** Tasks of which one is of an image that is not there, and one was not looked at. */
export const tasks = [
  // The first two are marked, the third has the label by a choice as well, the fourth was looked at and holds nothing.
  task(1, SHOWN[1].map(rectangle)), task(2, SHOWN[2].map(rectangle)), task(3, [choice(['plum']), ...SHOWN[3].map(rectangle)]), task(4, []),
  task('gone', [choice(['plum'])]), task(5),
];
/** An entry of JSON-MIN. */
export const min = (name, shown) => ({
  image: upload(name), id: Number(name) || 9, kind: shown.length > 1 ? { choices: shown.map(([name]) => name) } : shown[0]?.[0],
  box: shown.map(([name, box]) => ({ ...percent(box), ...original, rectanglelabels: [name] })), annotator: 1, annotation_id: 5, lead_time: 2.5,
});

const cvat_box = ([name, [x0, y0, x1, y1]]) => `    <box label="${name}" xtl="${x0}" ytl="${y0}" xbr="${x1}" ybr="${y1}" occluded="0"/>\n`;
const cvat_image = (name, shapes) => `  <image id="0" name="${name}.png" width="${WIDTH}" height="${HEIGHT}">\n${shapes}  </image>\n`;
export const cvat = `<?xml version="1.0" encoding="utf-8"?>
<annotations><version>1.1</version><meta><task><labels>
  <label><name>plum</name></label><label><name>apple</name></label>
</labels></task></meta>
${numbers.map((number) => cvat_image(number, `${number === 3 ? '    <tag label="plum"/>\n' : ''}${SHOWN[number].map(cvat_box).join('')}`)).join('')}${
  cvat_image('gone', cvat_box(['plum', PLUM]))}</annotations>\n`;

/** A list of a class, as `ImageSets/Main` has them. */
export const voc_list = (wanted) => rows(...numbers.map((number) => `${number} ${names(number).includes(wanted) ? ' 1' : '-1'}`));
