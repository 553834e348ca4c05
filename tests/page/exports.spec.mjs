// The masks in every format that there is: what the page hands over is what the program writes from the same project, and
// what readers that share no code with it find in the files.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFile, readdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import { png_header, unzip } from './formats.mjs';
import { give, labels_of } from './given.mjs';
import { download, in_folder, launch, open, serve } from './harness.mjs';
import { readers } from './readers.mjs';
import { LONG, PHOTOS, SOON, button, make_masks, train } from './trained.mjs';

/** The program, where it was built. */
const program = process.env.TAG2MASK;
const without_program = program ? {} : { skip: 'TAG2MASK is not set: the program was not built' };
const tag2mask = (...line) => execFileSync(program, line, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });

/** The formats that the documentation tells of, with whether each is exact. */
async function documented() {
  const text = await readFile(new URL('../../docs/formats.md', import.meta.url), 'utf8');
  const table = text.split('## What is written')[1].split('\n## ')[0];
  const rows = table.split('\n').filter((line) => line.startsWith('| `')).map((line) => line.split('|').map((cell) => cell.trim()));
  return rows.flatMap(([, ids, , exact]) => {
    const names = [...ids.matchAll(/`([a-z-]+)`/g)].map(([, id]) => id);
    // Two formats of a row have a word each.
    const words = exact.split(', ');
    return names.map((id, at) => ({ id, is_exact: (words[at] ?? words[0]) === 'yes' }));
  });
}

/** The files below a folder, by their paths in it. */
async function files_below(folder) {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => path.join(entry.parentPath, entry.name));
  const named = files.map(async (file) => [path.relative(folder, file).replaceAll(path.sep, '/'), await readFile(file)]);
  return new Map(await Promise.all(named));
}

/** The masks in a format as the page hands them over, by their paths in the format's folder. */
async function exported(page, format, photos) {
  await page.locator('#mask-format').selectOption(format);
  const box = page.locator('#mask-photos');
  if (await box.isVisible()) await box.setChecked(photos);
  else assert.ok(!photos, `${format} has no place for photos`);
  const { name, bytes } = await download(page, () => button(page, 'Download the masks (.zip)').click());
  // Index PNGs are the masks as the page has them; every other format has a folder of its name.
  const [zip_name, folder] = format === 'index-png' ? ['masks.zip', ''] : [`masks-${format}.zip`, `${format}/`];
  assert.equal(name, zip_name);
  return new Map([...unzip(bytes)].map(([name, content]) => {
    assert.ok(name.startsWith(folder), name);
    return [name.slice(folder.length), content];
  }));
}

/** The same files with the same bytes: which differ is told, not what is in them. */
function expect_same_files(found, expected) {
  assert.deepEqual([...found.keys()].sort(), [...expected.keys()].sort());
  assert.deepEqual([...found.keys()].filter((name) => !Buffer.from(found.get(name)).equals(expected.get(name))), []);
}

/** Pixels that both have, of those that either has. */
function overlap(found, expected) {
  let [both, either] = [0, 0];
  expected.forEach((value, at) => {
    both += value & (found?.[at] ?? 0);
    either += value | (found?.[at] ?? 0);
  });
  return either === 0 ? 1 : both / either;
}

/** What the page takes a format for that it has written itself, with the photos. */
const read_as = {
  voc: /^PASCAL VOC: 3 classes, 60 masks for scoring$/,
  'coco-rle': /^COCO: 3 classes, \d+ boxes, 60 masks for scoring$/,
  'coco-polygons': /^COCO: 3 classes, \d+ boxes, 60 masks for scoring$/,
  'yolo-seg': /^YOLO: data\.yaml, 3 classes, \d+ boxes$/,
  'cvat-polygons': /^CVAT XML: annotations\.xml, 3 classes from polygons, \d+ boxes, \d+ masks for scoring$/,
  'cvat-masks': /^CVAT XML: annotations\.xml, 3 classes from masks, \d+ boxes$/,
};

test('every format of the masks', { timeout: 2 * LONG }, async (t) => {
  const host = await serve();
  const browser = await launch({ webgpu: false });
  t.after(async () => {
    await browser.close();
    await host.close();
  });
  const { page, errors } = await open(browser, host.url);
  await page.locator('.device-line').waitFor({ timeout: SOON });
  await train(page);
  await make_masks(page);

  const known = await documented();
  const listed = await page.locator('#mask-format option').evaluateAll((options) => options.map(({ value }) => value));
  // They are no masks: see scores.spec.mjs.
  assert.equal(listed.at(-1), 'score-maps');
  const offered = listed.slice(0, -1);
  await t.test('is offered by the page, described in the documentation and read back here', () => {
    assert.deepEqual(offered, known.map(({ id }) => id));
    assert.deepEqual(offered, Object.keys(readers));
  });

  await t.test('is offered by the program with the same words', without_program, async () => {
    const help = tag2mask('export', '--help').split('Possible values:')[1].split('\n\n')[0];
    const listed = help.split(/^\s+- /m).slice(1).map((entry) => entry.trim().replace(/\s+/g, ' ').split(/: (.*)/));
    const shown = [];
    for (const id of offered) {
      await page.locator('#mask-format').selectOption(id);
      const words = await page.locator('#mask-format-help').innerText();
      shown.push([id, words]);
    }
    // The page writes sentences.
    const sentence = (words) => `${words[0].toUpperCase()}${words.slice(1)}.`;
    assert.deepEqual(shown, listed.map(([id, words]) => [id, sentence(words)]));
    assert.ok(listed.length > 10, help);
  });

  // The project has the photos, and the masks that the page shows: nothing is computed again.
  const project = await download(page, () => button(page, 'Save as one file (.zip)').click());
  const photos = new Map([...unzip(project.bytes)].filter(([name]) => name.startsWith('data/images/')).map(
    ([name, bytes]) => [path.posix.basename(name), bytes],
  ));
  assert.equal(photos.size, PHOTOS);
  const names = [...photos.keys()].sort();
  const stems = names.map((name) => path.posix.parse(name).name);
  const { width, height } = png_header(photos.get(names[0]));

  await in_folder(async (folder) => {
    const at = (...parts) => path.join(folder, ...parts);
    if (program) {
      await writeFile(at('cells.zip'), project.bytes);
      const line = ['export', at('cells.zip'), at('cells.zip'), '--format', offered.join()];
      tag2mask(...line, '--out', at('without'));
      tag2mask(...line, '--photos', '--out', at('with'));
    }

    const read = async (id, files) => readers[id]({ files, page, photos, size: { width, height } });
    const truth = await read('index-png', await exported(page, 'index-png', false));
    const drawn = Object.values(truth).flatMap(({ classes }) => Object.keys(classes));
    assert.deepEqual([...new Set(drawn)].sort(), ['bacillus', 'erythrocyte', 'leukocyte'], 'there is something to export');

    for (const { id, is_exact } of known) {
      await t.test(id, async (t) => {
        const files = await exported(page, id, false);
        const found = await read(id, files);
        // A photo is called by its file's name, or by that without its ending.
        const said = Object.keys(found).sort();
        const called = said[0].includes('.') ? names : stems;
        if (id === 'cut-outs') assert.deepEqual(said.filter((name) => !called.includes(name)), []);
        else assert.deepEqual(said, called);
        await t.test('has the masks\' pixels', (t) => {
          const shares = Object.entries(truth).flatMap(([photo, expected]) => {
            const shown = found[photo] ?? found[names[stems.indexOf(photo)]] ?? { width, height, classes: {} };
            assert.deepEqual([shown.width, shown.height], [expected.width, expected.height], photo);
            assert.deepEqual(Object.keys(shown.classes).sort(), Object.keys(expected.classes).sort(), photo);
            return Object.entries(expected.classes).map(([name, pixels]) => [overlap(shown.classes[name], pixels), `${name} in ${photo}`]);
          });
          const [least, where] = shares.reduce((a, b) => (b[0] < a[0] ? b : a));
          t.diagnostic(`classes overlap by ${(100 * least).toFixed(2)} % at least`);
          assert.ok(least >= (is_exact ? 1 : 0.99), `${where} overlaps by ${(100 * least).toFixed(2)} %`);
        });
        if (program) expect_same_files(files, await files_below(at('without', id)));

        // With the photos, where the format has a place for them: as they were given, and under their names.
        if (!await page.locator('#mask-photos').isVisible()) return;
        const all = await exported(page, id, true);
        const copies = new Map([...all].filter(([name]) => !files.has(name)).map(
          ([name, bytes]) => [path.posix.basename(name), bytes],
        ));
        expect_same_files(copies, photos);
        assert.equal(all.size, files.size + PHOTOS);
        if (program) expect_same_files(all, await files_below(at('with', id)));

        if (!read_as[id]) return;
        await t.test('is read back', async (t) => {
          const again = await open(browser, host.url);
          t.after(() => again.close());
          await again.page.locator('.device-line').waitFor({ timeout: SOON });
          await give(again.page, at(id), Object.fromEntries(all), 'zip');
          const said = again.page.locator('#data .finding').or(again.page.getByRole('alert'));
          await said.waitFor({ timeout: SOON });
          assert.match((await said.innerText()).replace(/^Read as (.*)\.$/, '$1'), read_as[id]);
          // Of each photo the classes that its mask shows.
          const rows = (await labels_of(again.page)).table.trim().split('\n').slice(1).map((line) => line.split(','));
          const labels = rows.map(([photo, labels]) => [path.posix.parse(photo).name, labels.split(';').filter(Boolean).sort()]);
          const expected = stems.map((stem) => [stem, Object.keys(truth[stem].classes).sort()]);
          assert.deepEqual(Object.fromEntries(labels), Object.fromEntries(expected));
          assert.deepEqual(again.errors, []);
        });
      });
    }
  });
  assert.deepEqual(errors, []);
});
