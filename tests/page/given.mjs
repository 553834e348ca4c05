// Data sets that are given to the page, and what it then says of them.

import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { zip } from './formats.mjs';
import { download, fill, write_files } from './harness.mjs';

const MINUTE = 60_000;

const button = (page, name) => page.getByRole('button', { name, exact: true });
const labels = (page) => page.getByRole('dialog', { name: 'Labels' });

/** Drops files on the page: those of a script have no folders. */
const drop = (page, files) => page.locator('.drop-zone').evaluate((zone, files) => {
  const transfer = new DataTransfer();
  for (const [name, bytes] of files) transfer.items.add(new File([new Uint8Array(bytes)], name));
  zone.dispatchEvent(new DragEvent('drop', { dataTransfer: transfer, bubbles: true, cancelable: true }));
}, Object.entries(files).map(([name, content]) => [name, [...Buffer.from(content)]]));

/**
 * Gives the files to the page, below `folder`: as a folder, one .zip, or picked or dropped one by one. Returns what the program
 * opens: the folder, or the .zip, which has no folder around its files either.
 */
export async function give(page, folder, files, as = 'folder') {
  const at = path.join(folder, 'fruit');
  await write_files(at, files);
  await writeFile(`${at}.zip`, zip(files));
  const several = page.locator('#files-input');
  await {
    folder: () => page.locator('#folder-input').setInputFiles(at),
    zip: () => several.setInputFiles(`${at}.zip`),
    files: () => several.setInputFiles(Object.keys(files).map((name) => path.join(at, name))),
    drop: () => drop(page, files),
  }[as]();
  return as === 'folder' ? at : `${at}.zip`;
}

/** What is listed as left out: title, file and reason. */
export async function left_out(page) {
  const all = [];
  for (const group of await page.locator('.problems details').all()) {
    await group.locator('summary').click();
    const title = await group.locator('summary').innerText();
    for (const item of await group.locator('li').all()) all.push([title, ...await item.locator('span').allInnerTexts()]);
  }
  return all;
}

/** What is said of each photo in sight, by its path, and of all as a file. */
export async function labels_of(page) {
  await button(page, 'Edit labels').click();
  await labels(page).waitFor();
  // The photos themselves could be read, too.
  await page.waitForFunction(() => !document.querySelector('dialog.labels .photo.waiting'), null, { timeout: MINUTE });
  const told = await labels(page).getByRole('option').evaluateAll((photos) => photos.map((photo) => (
    [photo.title, [...photo.querySelectorAll('.label')].map((label) => label.textContent.trim())]
  )));
  const table = await download(page, () => button(labels(page), 'Download labels').click());
  assert.equal(table.name, 'labels.csv');
  await button(labels(page), 'Done').click();
  return { told: Object.fromEntries(told), table: table.bytes.toString() };
}

/** The boxes that a method would learn from, as a file. */
export async function boxes_of(page) {
  await fill(page, { method: 'box2seg' });
  const table = await download(page, () => button(page, 'Download boxes.csv').click());
  assert.equal(table.name, 'boxes.csv');
  return table.bytes.toString();
}
