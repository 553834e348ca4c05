// The same four photos in every layout that is read, each with something in it that is not right.

import {
  PLUM, boxes_csv, coco, cvat, labels_csv, mask, min, names, numbers, objects, outlined_tasks, photo, photos, rows, tasks, upload, voc_list, voc_xml,
  yolo_box, yolo_outline, SHOWN,
} from './fruit.mjs';

const GONE = ['1 label without an image', 'gone.png'];
const not_there = (line, table) => `Line ${line} of ${table}: names this image, but it is not there. Left out.`;

/**
 * Each layout: its `row` in the documentation, its `files`, and what is to be seen of it. `found` is the line that tells what
 * it was read as, `left_out` a list of title, file and reason, `paths` where the photos are. `boxes` says whether it has
 * them, `as` whether it is given as a folder (usual), one .zip, or files that are picked or dropped.
 */
export const layouts = {
  'a folder per class': {
    row: 'class folders',
    // The second is in both folders: one photo with both classes.
    files: {
      'apple/1.png': photo(1), 'apple/2.png': photo(2), 'plum/2.png': photo(2), 'plum/3.png': photo(3), 'none/4.png': photo(4),
      'loose.png': photo(5),
    },
    paths: ['apple/1.png', 'apple/2.png', 'plum/3.png', 'none/4.png'],
    found: 'A folder per class: 2 classes',
    left_out: [['1 image without a label', 'loose.png', 'It lies in no class folder, and there is no labels.csv. Left out.']],
  },
  'labels.csv, and what is less explicit': {
    row: 'table',
    files: { ...photos('images/'), 'labels.csv': `${labels_csv}gone.png,plum\n`, 'other.json': coco(() => []) },
    folder: 'images/',
    found: 'Table of labels: labels.csv, 2 classes from a column of labels',
    left_out: [
      [...GONE, not_there(6, 'labels.csv')],
      ['1 file set aside for a more explicit one', 'other.json', 'It could be read as COCO JSON, but labels.csv is the more explicit. Left out.'],
    ],
  },
  'labels.csv with classes.txt': {
    row: 'table',
    as: 'files',
    files: { ...photos(), '5.png': photo(5), 'classes.txt': 'background\nplum\napple\n', 'labels.csv': `${labels_csv}5.png,pear\n` },
    classes: ['plum', 'apple'],
    found: 'Table of labels: labels.csv, 2 classes from a column of labels',
    left_out: [[
      '1 line or entry not understood', 'labels.csv',
      'Line 6 of labels.csv: 5.png has the label pear, which classes.txt does not name. Left out.',
    ]],
  },
  'labels.csv with boxes.csv': {
    row: 'table',
    files: { ...photos('images/'), 'labels.csv': labels_csv, 'boxes.csv': `${boxes_csv}4.png,plum,32,8,60,30\n` },
    folder: 'images/',
    boxes: true,
    found: 'Table of labels: labels.csv, 2 classes from a column of labels, 4 boxes',
    left_out: [[
      '1 image with boxes that cannot be', 'images/4.png',
      '1 of 1 boxes cannot be: one (plum, 32, 8 to 60, 30; line 6) is of a class that the image is not labelled with. Left out.',
    ]],
  },
  'labels.csv with masks': {
    row: 'table',
    as: 'zip',
    files: {
      ...photos('images/', (number) => [[`masks/${number}.png`, number === 3 ? mask(3, 10, 10) : mask(number)]]),
      'labels.csv': labels_csv,
    },
    folder: 'images/',
    masks: 3,
    found: 'Table of labels: labels.csv, 2 classes from a column of labels, 3 masks for scoring',
    left_out: [[
      '1 mask cannot be used for scoring', 'masks/3.png', 'It has 10 × 10 pixels, the image 64 × 32. Not used for scoring.',
    ]],
  },
  'a table of label lists, separated by tabs': {
    row: 'table of any name',
    as: 'files',
    files: {
      ...photos(),
      'train.tsv': rows(
        'file_name\tsize\ttags', ...numbers.map((number) => `${number}.png\t64\t[${names(number).map((name) => `'${name}'`).join(', ')}]`),
        "gone.png\t64\t['plum']",
      ),
    },
    found: 'Table of labels: train.tsv, 2 classes from a column of labels, separated by tabs',
    left_out: [[...GONE, not_there(6, 'train.tsv')]],
  },
  'a table with a column per class': {
    row: 'table of any name',
    files: {
      ...photos('set/'),
      'truth.csv': rows(
        'image,apple,plum,split',
        ...numbers.map((number) => [`${number}.png`, ...['apple', 'plum'].map((name) => Number(names(number).includes(name))), 'train'].join()),
        'gone.png,1,0,val',
      ),
    },
    folder: 'set/',
    found: 'Table of labels: truth.csv, 2 classes from a column per class',
    left_out: [
      [...GONE, not_there(6, 'truth.csv')],
      ['1 line or entry not understood', 'truth.csv', '1 column is no class: split holds train. Left out.'],
    ],
  },
  'a table with a line per label, separated by semicolons': {
    row: 'table of any name',
    as: 'zip',
    files: { ...photos(), 'pairs.csv': rows('label;image', ...objects((number, name) => `${name};${number}.png`), 'none;4.png', 'plum;gone.png') },
    found: 'Table of labels: pairs.csv, 2 classes from a column of labels, separated by semicolons',
    left_out: [
      [...GONE, not_there(7, 'pairs.csv')],
      ['1 duplicate', 'pairs.csv', '1 line names an image again with another label: such an image has the labels of all its lines.'],
    ],
  },
  'a table of boxes': {
    row: 'boxes alone',
    files: { ...photos('images/'), 'boxes.csv': `${boxes_csv}1.png,apple,30,20,90,28\ngone.png,plum,1,1,5,5\n` },
    folder: 'images/',
    boxes: true,
    found: 'Table of boxes: boxes.csv, 2 classes, 4 boxes',
    left_out: [
      ['1 label without an image', 'boxes.csv', '1 line names an image that is not there: line 7 (gone.png). Left out.'],
      [
        '1 image with boxes that cannot be', 'images/1.png',
        '1 of 2 boxes cannot be: one (apple, 30, 20 to 90, 28; line 6) lies off the image. Left out.',
      ],
    ],
  },
  "COCO's folders": {
    row: 'COCO',
    as: 'zip',
    files: {
      ...photos('train/'),
      'annotations/instances_train.json': coco(([x0, y0, x1, y1]) => [[x0, y0, x1, y0, x1, y1, x0, y1]]),
    },
    folder: 'train/',
    boxes: true,
    masks: 4,
    found: 'COCO: 2 classes, 4 boxes, 4 masks for scoring',
    left_out: [
      ['1 label without an image', 'annotations/instances_train.json', '1 of its images is not there: gone.png. Left out.'],
      ['1 line or entry not understood', 'annotations/instances_train.json', '1 object is in an image that the file does not list. Left out.'],
    ],
  },
  "COCO's JSON beside its images": {
    row: 'COCO, anywhere',
    as: 'files',
    files: { ...photos(), '_annotations.coco.json': coco(() => []) },
    boxes: true,
    found: 'COCO JSON: _annotations.coco.json, 2 classes from categories, 4 boxes',
    left_out: [
      ['1 label without an image', '_annotations.coco.json', '1 of its images is not there: gone.png. Left out.'],
      ['1 line or entry not understood', '_annotations.coco.json', '1 object is in an image that the file does not list. Left out.'],
    ],
  },
  "PASCAL VOC's annotations": {
    row: 'PASCAL VOC',
    files: {
      ...photos('JPEGImages/', (number) => [[`Annotations/${number}.xml`, voc_xml(number)]]),
      'JPEGImages/5.png': photo(5), 'Annotations/5.xml': '<annotation><object>',
    },
    folder: 'JPEGImages/',
    boxes: true,
    found: 'PASCAL VOC: 2 classes, 4 boxes',
    // In parentheses what the reader of XML says.
    left_out: [['1 line or entry not understood', 'Annotations/5.xml', /^It cannot be read \(.+\)\. Its image is left out\.$/]],
  },
  "PASCAL VOC's lists per class": {
    row: 'PASCAL VOC',
    as: 'zip',
    files: {
      ...photos('JPEGImages/'), 'JPEGImages/5.png': photo(5),
      'ImageSets/Main/apple_train.txt': voc_list('apple'), 'ImageSets/Main/plum_train.txt': voc_list('plum'),
    },
    folder: 'JPEGImages/',
    found: 'PASCAL VOC: 2 classes',
    left_out: [['1 image without a label', 'JPEGImages', '1 image has no annotations, no line in a list and no mask. Left out.']],
  },
  "PASCAL VOC's masks alone": {
    row: 'PASCAL VOC',
    files: {
      ...photos('JPEGImages/', (number) => [[`SegmentationClassAug/${number}.png`, mask(number)]]), 'JPEGImages/5.png': photo(5),
      'ImageSets/Segmentation/train_aug.txt': rows(...numbers.map((number) => `/JPEGImages/${number}.png /SegmentationClassAug/${number}.png`)),
    },
    folder: 'JPEGImages/',
    // What the values mean is VOC's own list.
    as_classes: { apple: 'aeroplane', plum: 'bicycle' },
    classes: ['aeroplane', 'bicycle'],
    count: 20,
    masks: 4,
    found: 'PASCAL VOC: 20 classes, 4 masks for scoring',
    left_out: [
      ['1 image without a label', 'JPEGImages', '1 image has no annotations, no line in a list and no mask. Left out.'],
      [
        'labels taken from the supplied masks', 'JPEGImages',
        '4 images have neither annotations nor a line in a list: the classes in their masks are their labels.',
      ],
    ],
  },
  "VOC's XML in a folder of its own": {
    row: "VOC's XML, anywhere",
    files: {
      ...photos('pictures/', (number) => [[`labels/${number}.xml`, voc_xml(number)]]),
      'labels/gone.xml': voc_xml(3).replace('3.png', 'gone.png'),
    },
    folder: 'pictures/',
    boxes: true,
    found: 'PASCAL VOC XML: 5 files as 1.xml, 2 classes from objects, 4 boxes',
    left_out: [['1 label without an image', 'labels/', '1 entry names an image that is not there: labels/gone.xml. Left out.']],
  },
  "YOLO's data.yaml": {
    row: 'YOLO',
    as: 'zip',
    files: {
      ...photos('images/train/', (number, shown) => (shown.length > 0 ? [[`labels/train/${number}.txt`, rows(...shown.map(yolo_box))]] : [])),
      'labels/train/gone.txt': rows(yolo_box(['plum', PLUM])),
      'data.yaml': 'path: .\ntrain: images/train\nnames:\n  0: apple\n  1: "plum"\n',
    },
    folder: 'images/train/',
    boxes: true,
    found: 'YOLO: data.yaml, 2 classes, 4 boxes',
    left_out: [
      ['1 label without an image', 'data.yaml', '1 file of labels has no image: labels/train/gone.txt. Left out.'],
      ['1 image without a label', 'data.yaml', '1 image has no file of labels: images/train/4.png. Taken as of no class.'],
    ],
  },
  "YOLO's outlines beside their images": {
    row: 'YOLO',
    as: 'files',
    files: {
      ...photos('', (number, shown) => {
        const wrong = number === 3 ? ['7 0.5 0.5 0.25 0.25', 'plum 0 0 1 1'] : [];
        return [[`${number}.txt`, rows(...shown.map(yolo_outline), ...wrong)]];
      }),
      'classes.txt': 'apple\nplum\n',
    },
    boxes: true,
    found: 'YOLO: classes.txt, 2 classes, 4 boxes',
    left_out: [
      ['1 line or entry not understood', '3.txt', '1 line is no object: line 3 (plum is not the number of a class). Left out.'],
      ['1 image with boxes that cannot be', '3.png', '1 of 2 boxes cannot be: one (class 7, 24, 12 to 40, 20; line 2) has no known class. Left out.'],
    ],
  },
  "Label Studio's JSON": {
    row: 'Label Studio',
    files: { ...photos('uploads/'), 'uploads/5.png': photo(5), 'project-1.json': JSON.stringify(tasks) },
    folder: 'uploads/',
    boxes: true,
    found: 'Label Studio JSON: project-1.json, 2 classes from choices, rectangles, 4 boxes',
    left_out: [
      ['1 label without an image', 'project-1.json', `1 entry names an image that is not there: entry 5 (${upload('gone')}). Left out.`],
      // The entry and its photo.
      ['2 images without a label', 'project-1.json', `1 entry is not annotated: entry 6 (${upload(5)}). Left out.`],
      ['2 images without a label', 'project-1.json', '1 image has no label in it: uploads/5.png. Left out.'],
    ],
  },
  "Label Studio's polygons": {
    row: 'Label Studio',
    as: 'files',
    files: { ...photos(), 'outlines.json': JSON.stringify(outlined_tasks) },
    boxes: true,
    // Where nothing but outlines gives labels, they are masks.
    masks: 3,
    found: 'Label Studio JSON: outlines.json, 2 classes from polygons, 4 boxes, 3 masks for scoring',
    left_out: [[
      '1 line or entry not understood', 'outlines.json',
      `1 entry cannot be used: entry 4 (${upload(4)}: a mark has no labels; it is a rectangle). Left out.`,
    ]],
  },
  "Label Studio's JSON-MIN": {
    row: 'Label Studio',
    as: 'drop',
    files: { ...photos(), 'min.json': JSON.stringify([...numbers.map((number) => min(String(number), SHOWN[number])), min('gone', SHOWN[3])]) },
    boxes: true,
    found: 'Label Studio JSON: min.json, 2 classes from choices, rectangles, 4 boxes',
    left_out: [['1 label without an image', 'min.json', `1 entry names an image that is not there: entry 5 (${upload('gone')}). Left out.`]],
  },
  "CVAT's XML": {
    row: 'CVAT',
    as: 'zip',
    files: { ...photos('images/'), 'annotations.xml': cvat },
    folder: 'images/',
    boxes: true,
    // In the order of its task.
    classes: ['plum', 'apple'],
    found: 'CVAT XML: annotations.xml, 2 classes from boxes, tags, 4 boxes',
    left_out: [
      ['1 label without an image', 'annotations.xml', /^1 entry names an image that is not there: line \d+ \(gone\.png\)\. Left out\.$/],
      ['1 image without a label', 'annotations.xml', '1 image has no tag and no shape: 4.png. Taken as of no class.'],
    ],
  },
};
