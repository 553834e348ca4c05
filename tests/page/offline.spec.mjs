// The page without a network after its first visit, and a new version after that.

import assert from 'node:assert/strict';
import { cp, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import { in_folder, kept_offline, launch, open, page_folder, serve } from './harness.mjs';

const SAMPLE = 60;

/** Opens a copy of the page that a test may change: `folder` is what is served. */
async function start(t, use) {
  await in_folder(async (folder) => {
    await cp(page_folder, folder, { recursive: true });
    const host = await serve({ folder });
    const browser = await launch({ webgpu: false });
    try {
      const visit = await open(browser, host.url);
      await visit.page.locator('.device-line').waitFor();
      await kept_offline(visit.page);
      await use({ ...visit, host, folder });
    } finally {
      await browser.close();
      await host.close();
    }
  });
}

/** The page is served as another version: its title is `title`, and its files have another name together. */
async function publish(folder, title) {
  const edit = async (name, from, to) => {
    const file = path.join(folder, name);
    const text = await readFile(file, 'utf8');
    assert.match(text, from);
    await writeFile(file, text.replace(from, to));
  };
  await edit('index.html', /<title>.*<\/title>/, `<title>${title}</title>`);
  await edit('service-worker.js', /version: "\w+"/, `version: "${title}"`);
}

/** Waits until a question is answered with yes in the page. */
async function until(page, is_so) {
  for (let tries = 0; tries < 300; tries++) {
    if (await page.evaluate(is_so)) return;
    await new Promise((done) => setTimeout(done, 50));
  }
  assert.fail(`never so: ${is_so}`);
}

/** The browser has found and kept a new version, which waits. */
const new_version = (page) => until(page, async () => Boolean((await navigator.serviceWorker.getRegistration())?.waiting));

const stores = (page) => page.evaluate(() => caches.keys());
const files_of = (page, name) => page.evaluate(async (name) => (
  (await (await caches.open(name)).keys()).map(({ url }) => url)
), name);

test('after one visit the page opens and works without a network', async (t) => {
  await start(t, async ({ page, context, host, requests, errors }) => {
    // Nothing but the page's own files is kept, and of the trainers the one that was loaded.
    const [name] = await stores(page);
    const kept = await files_of(page, name);
    assert.ok(kept.includes(host.url) && kept.every((url) => url.startsWith(host.url)), kept.join());
    assert.deepEqual(kept.filter((url) => /trainer.*\.wasm$/.test(url)), [`${host.url}trainer-cpu_bg.wasm`]);

    // The host is gone: that is more than being offline.
    await host.close();
    await context.setOffline(true);
    const before = requests.length;
    await page.reload();
    await page.locator('.device-line').waitFor();
    await page.getByRole('button', { name: 'Try the sample set' }).click();
    await page.getByText(`${SAMPLE} photos`, { exact: true }).waitFor();
    await page.locator('#method').selectOption('cam');
    await page.locator('#size').fill('64');
    await page.locator('#size').blur();
    await page.getByRole('button', { name: 'Train', exact: true }).click();
    await page.getByRole('progressbar', { name: 'Training' }).waitFor();
    assert.ok(requests.slice(before).every((url) => url.startsWith(host.url)), requests.join());
    // The browser looks for a new version, in vain.
    const other = errors.filter((text) => !text.includes('service-worker.js') && !text.includes('ERR_INTERNET_DISCONNECTED'));
    assert.deepEqual(other, []);
  });
});

test('a new version is taken on the next load, and the old one is forgotten', async (t) => {
  await start(t, async ({ page, folder, host, errors }) => {
    const [first] = await stores(page);
    await publish(folder, 'second');
    await page.reload();
    assert.equal(await page.title(), 'tag2mask', 'one version on one page');
    await new_version(page);
    await page.reload();
    await page.waitForFunction(() => document.title === 'second');
    await page.locator('.device-line').waitFor();
    // The trainer came along, so that the new version opens without a network too.
    await until(page, async () => (await caches.keys()).length === 1);
    const [second] = await stores(page);
    assert.notEqual(second, first);
    assert.ok((await files_of(page, second)).includes(`${host.url}trainer-cpu_bg.wasm`));
    await page.reload();
    assert.equal(await page.title(), 'second');
    assert.deepEqual(errors, []);
  });
});

test('while another tab is open, the version stays', async (t) => {
  await start(t, async ({ page, context, folder, host }) => {
    const other = await context.newPage();
    await other.goto(host.url);
    await publish(folder, 'second');
    await page.reload();
    await new_version(page);
    await page.reload();
    await page.locator('h1').waitFor();
    assert.equal(await page.title(), 'tag2mask');
    await other.close();
    await page.reload();
    await page.waitForFunction(() => document.title === 'second');
  });
});

test('what is not the page\'s own passes by, and other stores stay', async (t) => {
  await start(t, async ({ page, context, folder, host }) => {
    const found = await page.evaluate(async () => {
      await (await caches.open('tag2mask-weights')).put('https://example.org/w', new Response('weights'));
      await caches.open('tag2mask-files /some/where/else/ 1');
      return navigator.serviceWorker.controller;
    });
    assert.equal(found, null, 'the first visit is left as it is');
    await publish(folder, 'second');
    await page.reload();
    await new_version(page);
    await page.reload();
    await page.waitForFunction(() => document.title === 'second');
    await until(page, async () => (await caches.keys()).length === 3);
    const names = await stores(page);
    assert.ok(names.includes('tag2mask-weights') && names.includes('tag2mask-files /some/where/else/ 1'), names.join());

    await writeFile(path.join(folder, 'not-ours.txt'), 'first');
    const read = (name) => page.evaluate(async (name) => (await fetch(name, { cache: 'no-store' })).text(), name);
    assert.equal(await read('./not-ours.txt'), 'first');
    await writeFile(path.join(folder, 'not-ours.txt'), 'second');
    assert.equal(await read('./not-ours.txt'), 'second');
    assert.equal(await page.evaluate(async () => (await fetch('./index.html', { method: 'HEAD' })).status), 200);
    // What the worker answers is told by the browser.
    const [own, other] = await Promise.all(['tokens.css', 'not-ours.txt'].map(async (name) => {
      const [response] = await Promise.all([
        page.waitForResponse((response) => response.url() === host.url + name && !response.request().serviceWorker()),
        page.evaluate((name) => fetch(`./${name}`), name),
      ]);
      return response.fromServiceWorker();
    }));
    assert.deepEqual([own, other], [true, false]);
    await context.close();
  });
});

test('the page can be installed', async (t) => {
  await start(t, async ({ page, context }) => {
    const session = await context.newCDPSession(page);
    const { errors, data } = await session.send('Page.getAppManifest');
    assert.deepEqual(errors, []);
    const { installabilityErrors } = await session.send('Page.getInstallabilityErrors');
    // The test's window is a private one, from which Chromium installs nothing.
    assert.deepEqual(installabilityErrors.map(({ errorId }) => errorId).filter((id) => id !== 'in-incognito'), []);
    const sizes = await Promise.all(JSON.parse(data).icons.map(async ({ src, sizes, type }) => {
      const bytes = await readFile(path.join(page_folder, src));
      if (type !== 'image/png') return bytes.includes('<svg') && sizes === 'any';
      return `${bytes.readUInt32BE(16)}x${bytes.readUInt32BE(20)}` === sizes && bytes.length < 8000;
    }));
    assert.deepEqual(sizes, [true, true, true, true]);
  });
});
