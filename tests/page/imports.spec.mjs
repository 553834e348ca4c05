// Every layout that labels are read from, put into the page with the real trainer: what it is taken for, what each photo is
// said to show, where, and what was left out and why; and that the program says the same of the same files.

import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { SHOWN } from './fruit.mjs';
import { boxes_of, give, labels_of, left_out } from './given.mjs';
import { in_folder, launch, open, serve } from './harness.mjs';
import { layouts } from './layouts.mjs';

const MINUTE = 60_000;
const SOON = MINUTE;

/** The program, where it was built. */
const program = process.env.TAG2MASK;

let [host, browser, visit] = [];
before(async () => {
  host = await serve();
  browser = await launch({ webgpu: false });
  visit = await open(browser, host.url);
  await visit.page.locator('.device-line').waitFor({ timeout: 3 * MINUTE });
});
after(async () => {
  await browser?.close();
  await host?.close();
});

const button = (page, name) => page.getByRole('button', { name, exact: true });

const table = (head, rows) => [head, ...rows].map((row) => `${row.join()}\n`).join('');
const by_path = ([a], [b]) => (a < b ? -1 : 1);

/** What the program says of the same files, in the same form. */
function inspected(data) {
  const { finding, classes, images, problems } = JSON.parse(execFileSync(program, ['inspect', data, '--json'], { encoding: 'utf8', stdio: 'pipe' }));
  return {
    found: finding,
    photos: images.length,
    labels: table(['image', 'labels'], images.map(({ path, labels }) => [path, labels.map((label) => classes[label]).join(';')])),
    boxes: table(['image', 'class', 'x0', 'y0', 'x1', 'y1'], images.flatMap(({ path, boxes = [] }) => (
      boxes.map((box) => [path, classes[box.class], box.x0, box.y0, box.x1, box.y1])
    ))),
    left_out: problems.map(({ path, reason }) => [path, reason]),
  };
}

test('every layout of the documentation is tried here', async () => {
  const text = await readFile(new URL('../../docs/formats.md', import.meta.url), 'utf8');
  const rows = text.split('| layout | when |')[1].split('\n\n')[0].split('\n').slice(2).map((line) => line.split('|')[1].trim());
  assert.ok(rows.length > 9, rows.join());
  assert.deepEqual(rows.filter((row) => !Object.values(layouts).some((layout) => layout.row === row)), []);
});

for (const [name, layout] of Object.entries(layouts)) {
  test(`${name} is read`, { timeout: 2 * MINUTE }, async (t) => {
    const { page, errors } = visit;
    const { folder = '', classes = ['apple', 'plum'], as_classes = {}, count = 2, boxes = false, masks = 0 } = layout;
    const paths = layout.paths ?? [1, 2, 3, 4].map((number) => `${folder}${number}.png`);
    const shown = Object.values(SHOWN).map((objects, at) => (
      [paths[at], objects.map(([name, box]) => [as_classes[name] ?? name, box]).sort(([a], [b]) => classes.indexOf(a) - classes.indexOf(b))]
    )).sort(by_path);
    t.after(() => button(page, 'Choose other data').click());
    await in_folder(async (folder) => {
      const data = await give(page, folder, layout.files, layout.as);
      await page.locator('#data .finding').waitFor({ timeout: SOON });
      assert.equal(await page.locator('#data .finding').innerText(), `Read as ${layout.found}.`);
      const facts = await page.locator('#data .facts span').allInnerTexts();
      assert.deepEqual(facts, [
        '4 photos', `${count} classes`, '64 × 32 pixels', '1 with several classes',
        ...(masks ? [`${masks} with a mask for scoring`] : []), ...(boxes ? ['4 boxes'] : []),
      ]);

      const dropped = await left_out(page);
      assert.equal(dropped.length, layout.left_out.length, JSON.stringify(dropped));
      for (const [at, [title, file, reason]] of layout.left_out.entries()) {
        assert.deepEqual(dropped[at].slice(0, 2), [title, file]);
        if (reason instanceof RegExp) assert.match(dropped[at][2], reason);
        else assert.equal(dropped[at][2], reason);
      }

      const said = await labels_of(page);
      assert.deepEqual(said.told, Object.fromEntries(shown.map(([path, objects]) => [path, objects.map(([name]) => name)])));
      assert.equal(said.table, table(['image', 'labels'], shown.map(([path, objects]) => [path, objects.map(([name]) => name).join(';')])));
      const drawn = boxes ? await boxes_of(page) : table(['image', 'class', 'x0', 'y0', 'x1', 'y1'], []);
      if (boxes) {
        // Boxes stand as the file has them, whatever the order of the classes.
        const lines = (text) => text.trim().split('\n').sort();
        const expected = shown.flatMap(([path, objects]) => objects.map(([name, box]) => [path, name, ...box].join()));
        assert.deepEqual(lines(drawn), ['image,class,x0,y0,x1,y1', ...expected].sort());
      }

      if (!program) return;
      const of_program = inspected(data);
      assert.deepEqual(of_program, {
        found: layout.found, photos: 4, labels: said.table, boxes: drawn, left_out: dropped.map(([, file, reason]) => [file, reason]),
      });
      const words = execFileSync(program, ['inspect', data], { encoding: 'utf8', stdio: 'pipe' });
      assert.match(words, new RegExp(`^4 images in ${count} classes: `));
      assert.ok(words.includes(`\nfound: ${layout.found}\n`), words);
    });
    assert.deepEqual(errors, []);
  });
}

test('what is damaged is refused with its name and why', async () => {
  const { page } = visit;
  const { files } = layouts["Label Studio's JSON"];
  const damaged = { ...files, 'project-1.json': files['project-1.json'].slice(0, -20) };
  await in_folder(async (folder) => {
    const data = await give(page, folder, damaged);
    const alert = page.getByRole('alert').filter({ hasText: 'This data set cannot be used' });
    await alert.waitFor({ timeout: SOON });
    const words = await alert.innerText();
    assert.match(words, /this is no export of Label Studio's as JSON \(.+\).*project-1\.json/s);
    if (!program) return;
    const { status, stderr } = spawnSync(program, ['inspect', data], { encoding: 'utf8' });
    assert.equal(status, 1);
    const reason = /this is no export of Label Studio's as JSON \(.+?\)/s;
    assert.equal(reason.exec(words)[0], reason.exec(stderr)[0]);
  });
});

/** Gives the page these files and tells what it lists as left out. */
async function dropped_of(t, files) {
  const { page } = visit;
  t.after(() => button(page, 'Choose other data').click());
  return in_folder(async (folder) => {
    await give(page, folder, files);
    await page.locator('#data .finding').waitFor({ timeout: SOON });
    return left_out(page);
  });
}

test('files of every layout can be picked', async () => {
  const offered = (await visit.page.locator('#files-input').getAttribute('accept')).split(',');
  const needed = new Set(Object.values(layouts).flatMap(({ files }) => Object.keys(files)).map((name) => path.extname(name)));
  assert.deepEqual([...needed].filter((ending) => !offered.includes(ending)), []);
});

test('titles count what is left out', async (t) => {
  const { files } = layouts["COCO's folders"];
  const { 'train/3.png': third, 'train/4.png': fourth, ...rest } = files;
  assert.ok(third && fourth);
  const [[title, , reason]] = await dropped_of(t, rest);
  assert.match(reason, /^3 of its images are not there/);
  assert.equal(title, '3 labels without an image');
});

test("VOC's annotations of photos that are not there are told", async (t) => {
  const { files } = layouts["PASCAL VOC's annotations"];
  const told = await dropped_of(t, { ...files, 'Annotations/gone.xml': files['Annotations/3.xml'] });
  assert.ok(told.some(([, file, reason]) => `${file} ${reason}`.includes('gone')), JSON.stringify(told));
});
