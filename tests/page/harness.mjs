// What every page test needs: the built page behind a plain static host, and a Chromium of its own.

import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';

const root = fileURLToPath(new URL('../../', import.meta.url));

/** The built page: where `cargo xtask test` says, else where `cargo xtask dist` puts it. */
export const page_folder = process.env.TAG2MASK_PAGE
  ?? [path.join(root, 'target/page'), path.join(root, 'dist')].find(existsSync);

/** Screenshots and downloads to look at; kept after the tests. */
export const output_folder = path.join(root, 'test-output');

/** The widths that the page must be readable at, in CSS pixels. */
export const widths = [360, 768, 1440];

const types = {
  '.html': 'text/html; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.mjs': 'text/javascript; charset=utf-8',
  '.wasm': 'application/wasm',
  '.json': 'application/json',
  '.webmanifest': 'application/manifest+json',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
};

/**
 * Serves a folder under a sub-path of a free port, with no header but the type: what any static host
 * does. `replace` maps a file's name to the file that is served in its stead, and `files` a name to
 * its content. What was asked for is in `asked`.
 */
export async function serve({ folder = page_folder, base = '/some/where/', replace = {}, files = {} } = {}) {
  assert.ok(folder && existsSync(folder), `build the page first (cargo xtask dist --quick): ${folder}`);
  const asked = [];
  const server = createServer(async (request, response) => {
    asked.push(request.url);
    const target = decodeURIComponent(new URL(request.url, 'http://host').pathname);
    const name = path.posix.normalize(target.slice(base.length) || 'index.html');
    try {
      if (!target.startsWith(base) || name.startsWith('..')) throw new Error('outside');
      const body = files[name] ?? await readFile(replace[name] ?? path.join(folder, name));
      response.writeHead(200, { 'Content-Type': types[path.extname(name)] ?? 'application/octet-stream' });
      response.end(body);
    } catch {
      response.writeHead(404).end();
    }
  });
  await new Promise((done) => server.listen(0, '127.0.0.1', done));
  return {
    url: `http://127.0.0.1:${server.address().port}${base}`,
    asked,
    close: () => new Promise((done) => {
      server.close(done);
      server.closeAllConnections();
    }),
  };
}

const browsers = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable', 'chrome'];

function find_browser() {
  const folders = (process.env.PATH ?? '').split(path.delimiter);
  const candidates = browsers.flatMap((name) => folders.map((folder) => path.join(folder, name)));
  const found = process.env.CHROMIUM ?? candidates.find(existsSync);
  assert.ok(found, 'no Chromium: install it, or set CHROMIUM to its file');
  return found;
}

const quiet = [
  '--no-sandbox', '--disable-quic', '--no-first-run', '--disable-background-networking',
  '--disable-component-update', '--disable-sync',
];

/** A GPU in software: hundreds of times slower than a real one, and otherwise the same interface. */
const software_gpu = [
  '--enable-unsafe-webgpu', '--enable-features=Vulkan,WebGPU', '--use-webgpu-adapter=swiftshader',
];

const no_gpu = ['--disable-features=WebGPU,Vulkan', '--disable-gpu'];

/**
 * Starts Chromium with an empty profile, and with these `options` of its command line. Without `webgpu` it is a browser that has no WebGPU at all.
 */
export async function launch({ webgpu = true, options = [] } = {}) {
  const gpu = webgpu ? software_gpu : no_gpu;
  return chromium.launch({ executablePath: find_browser(), headless: true, args: [...quiet, ...gpu, ...options] });
}

/**
 * Starts Chromium with a profile that outlives it, in a folder, without WebGPU unless that is wanted: its one context. `init` is
 * run in every page before everything else.
 */
export async function launch_kept(folder, init, { webgpu = false } = {}) {
  const context = await chromium.launchPersistentContext(folder, {
    executablePath: find_browser(),
    headless: true,
    args: [...quiet, ...(webgpu ? software_gpu : no_gpu)],
    viewport: { width: 1440, height: 900 },
    reducedMotion: 'reduce',
    acceptDownloads: true,
  });
  if (init) await context.addInitScript(init.script, init.argument);
  return context;
}

/**
 * Opens the page in a context of its own and keeps account of what it does: `requests` to the network,
 * `errors` on the console and uncaught ones, with everything that the page's policy forbids. `init` is run in it before everything else: a function
 * `script` with its `argument`.
 */
export async function open(browser, url, { width = 1440, height = 900, dark = false, without_webgpu = false, init } = {}) {
  const context = await browser.newContext({
    viewport: { width, height },
    colorScheme: dark ? 'dark' : 'light',
    reducedMotion: 'reduce',
    acceptDownloads: true,
  });
  await context.addInitScript(() => addEventListener('securitypolicyviolation', (event) => {
    console.error(`against the policy: ${event.effectiveDirective} ${event.blockedURI} ${event.sample}`);
  }));
  if (init) await context.addInitScript(init.script, init.argument);
  const page = await context.newPage();
  const requests = [];
  const errors = [];
  // The context's, not the page's: what workers fetch belongs to the account too.
  context.on('request', (request) => {
    if (/^(https?|wss?):/.test(request.url())) requests.push(request.url());
  });
  page.on('console', (message) => {
    if (message.type() === 'error') errors.push(message.text());
  });
  page.on('pageerror', (error) => errors.push(String(error)));
  await page.goto(url, { waitUntil: 'load' });
  return { page, context, requests, errors, close: () => context.close() };
}

/**
 * Waits until `look` gives something true in the page. Unlike `waitForFunction` of Playwright, which takes a promise for true,
 * it waits for asynchronous ones. What cannot be read, as it is just being written, is looked at again.
 */
export async function until_true(page, look, what, { timeout = 120_000, given } = {}) {
  const end = performance.now() + timeout;
  for (;;) {
    const found = await page.evaluate(look, given).catch((error) => {
      if (!/NotReadableError|NotFoundError/.test(String(error))) throw error;
      return null;
    });
    if (found) return found;
    assert.ok(performance.now() < end, `never came: ${what}`);
    await page.evaluate(() => new Promise(requestAnimationFrame));
  }
}

/** Waits until the card of a project on the browser's disk has these words. */
export const until_card = (page, words) => until_true(page, async (words) => {
  const projects = await (await navigator.storage.getDirectory()).getDirectoryHandle('projects');
  for await (const project of projects.values()) {
    const card = await (await (await project.getFileHandle('project.json')).getFile()).text();
    if (card.includes(words)) return true;
  }
  return false;
}, `${words} on the disk`, { given: words });

/**
 * Waits until the browser has all that the page needs without a network: what the service worker fetches for that
 * is part of loading.
 */
export async function kept_offline(page) {
  const is_kept = async () => {
    const found = await Promise.all((await caches.keys()).filter((name) => name.startsWith('tag2mask-files'))
      .map(async (name) => (await (await caches.open(name)).keys()).map(({ url }) => url)));
    const registration = await navigator.serviceWorker.getRegistration();
    return Boolean(registration?.active) && found.flat().some((url) => /trainer.*\.wasm$/.test(url));
  };
  for (let tries = 0; tries < 300; tries++) {
    if (await page.evaluate(is_kept)) return;
    await new Promise((done) => setTimeout(done, 50));
  }
  assert.fail('the page was not kept for use without a network');
}

/** Keeps a picture of the page at each width, light and dark, to be looked at, and checks that nothing sticks out. */
export async function screenshot(page, name) {
  await mkdir(output_folder, { recursive: true });
  const before = page.viewportSize();
  const settled = () => page.evaluate(() => new Promise((done) => {
    scrollTo(0, 0);
    requestAnimationFrame(() => requestAnimationFrame(done));
  }));
  for (const width of widths) {
    await page.setViewportSize({ width, height: width < 600 ? 780 : 900 });
    for (const [colorScheme, words] of [['light', ''], ['dark', '-dark']]) {
      await page.emulateMedia({ colorScheme });
      // From the top, else what sticks to the window hangs in the middle of the picture; and two frames
      // later: one to lay out, one to paint.
      await settled();
      await page.screenshot({ path: path.join(output_folder, `${name}${words}-${width}.png`), fullPage: true });
    }
    const { content, window: visible } = await page.evaluate(() => ({
      content: document.documentElement.scrollWidth,
      window: document.documentElement.clientWidth,
    }));
    assert.ok(content <= visible, `${name}: at ${width} px the page is ${content} px wide`);
  }
  await page.setViewportSize(before);
  await page.emulateMedia({ colorScheme: null });
}

/** Fills the settings form in, by the fields' names; opens the part of it that is folded away. */
export async function fill(page, settings) {
  for (const [id, value] of Object.entries(settings)) {
    const field = page.locator(`#${id}`);
    if (!await field.isVisible()) await page.getByText('More settings', { exact: true }).click();
    if (await field.evaluate((element) => element.tagName === 'SELECT')) {
      await field.selectOption(String(value));
    } else {
      await field.fill(String(value));
      await field.blur();
    }
  }
}

/** Drags over the photo whose boxes are drawn, from and to shares of its width and height. */
export async function drag(page, [x0, y0], [x1, y1]) {
  const { x, y, width, height } = await page.locator('.draw-stage').boundingBox();
  await page.mouse.move(x + x0 * width, y + y0 * height);
  await page.mouse.down();
  await page.mouse.move(x + (x0 + x1) / 2 * width, y + (y0 + y1) / 2 * height);
  await page.mouse.move(x + x1 * width, y + y1 * height);
  await page.mouse.up();
}

/** Draws a little over the mask of a tile, by keyboard; the photo is left open in large. */
export async function draw_over(page, tile) {
  await page.locator('#results .tile').nth(tile).focus();
  await page.keyboard.press('Enter');
  await page.getByRole('dialog', { name: 'Photo' }).waitFor();
  await page.keyboard.press('c');
  await page.waitForFunction(() => document.activeElement?.id === 'mask-stage');
  await page.waitForFunction(() => document.querySelector('#mask-canvas').width > 1);
  for (let step = 0; step < 9; step++) await page.keyboard.press('Shift+ArrowDown');
  await page.keyboard.press('Space');
  await page.keyboard.press('Escape');
}

/** Waits for a download that `act` starts, and returns its name and bytes. */
export async function download(page, act) {
  const [file] = await Promise.all([page.waitForEvent('download'), act()]);
  return { name: file.suggestedFilename(), bytes: await readFile(await file.path()) };
}

/** A folder that is gone when `use` has ended. */
export async function in_folder(use) {
  const folder = await mkdtemp(path.join(tmpdir(), 'tag2mask-page-'));
  try {
    return await use(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Writes `{ path: content }` below a folder. */
export async function write_files(folder, files) {
  for (const [name, content] of Object.entries(files)) {
    const file = path.join(folder, name);
    await mkdir(path.dirname(file), { recursive: true });
    await writeFile(file, content);
  }
}
