// The page's policy, and what others have written: names, labels and messages are shown as text, never run.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import { bmp, zip } from './formats.mjs';
import { launch, open, page_folder, screenshot, serve } from './harness.mjs';
import { button, ready, start, take_sample, title, zip_file } from './mock.mjs';

/** Runs wherever it is taken for HTML, and as the name of a file breaks out of an attribute. */
const HOSTILE = '"><img src=x onerror=globalThis.taken=1>';

/** Nothing of it became an element, and nothing ran. */
async function expect_text_only(page, where) {
  const found = await page.evaluate(() => ({
    elements: document.querySelectorAll('img, iframe, object, embed').length,
    handlers: [...document.querySelectorAll('*')].filter((element) => element.getAttributeNames().some((name) => name.startsWith('on'))).length,
    taken: globalThis.taken ?? 0,
  }));
  assert.deepEqual(found, { elements: 0, handlers: 0, taken: 0 }, where);
}

const shows = (page, words) => page.getByText(words, { exact: false }).first().waitFor();

test('hostile names, labels and messages appear as text, on every screen', async (t) => {
  const { page, errors } = await start(t, { pace: 0.05, text: HOSTILE, collapse: true });
  await page.locator('.device-line').getByText(`${HOSTILE}NVIDIA`).waitFor();
  await page.locator('#files-input').setInputFiles({ ...zip_file, name: `${HOSTILE}.zip` });
  await ready(page);
  await shows(page, `${HOSTILE}.zip`);
  await shows(page, `${HOSTILE}platelet`);
  await page.getByText('2 images cannot be read').click();
  await shows(page, `${HOSTILE}photos/broken.jpg`);
  await expect_text_only(page, 'the data');
  await screenshot(page, 'safe-data');

  await page.locator('#method').selectOption('box2seg');
  await page.locator('.boxes .tile').first().click();
  await page.locator('dialog.draw').waitFor();
  await button(page, 'New box').click();
  await page.locator('.mark.drawn').waitFor();
  await expect_text_only(page, 'drawing boxes');
  await screenshot(page, 'safe-boxes');
  await button(page, 'Done').click();

  await button(page, 'Edit labels').click();
  const labels = page.getByRole('dialog', { name: 'Labels' });
  await labels.getByRole('option').nth(1).click();
  await page.keyboard.press('3');
  await labels.getByText(`${HOSTILE}platelet added to 1 photo`).waitFor();
  await labels.locator('#classes-add').fill(`${HOSTILE}\u202e new`);
  await button(labels, 'Add').click();
  await labels.getByText(`${HOSTILE} new added`).waitFor();
  await expect_text_only(page, 'labels');
  await button(labels, 'Done').click();

  for (const method of ['cam', 'adversarial-erasing']) {
    await page.locator('#method').selectOption(method);
    await page.getByRole('button', { name: /^Train( again)?$/ }).click();
    await title(page, 'Training is finished');
    await expect_text_only(page, 'the run');
    await button(page, 'Make masks').click();
    await button(page, 'Download the masks (.zip)').waitFor();
    await page.locator('#results .tile').first().waitFor();
    await expect_text_only(page, 'the masks');
  }
  await shows(page, `${HOSTILE}Lower`);
  await page.locator('#results .tile').first().click();
  await page.getByRole('dialog').waitFor();
  await expect_text_only(page, 'a mask in large');
  await page.keyboard.press('Escape');
  await page.locator('.compared > li').first().waitFor();
  await screenshot(page, 'safe-compare');

  await button(page, 'Train a segmenter on these masks').click();
  await button(page, 'Download the model').waitFor();
  await page.locator('#new-files-input').setInputFiles([{ name: `${HOSTILE}.jpg`, mimeType: 'image/jpeg', buffer: Buffer.from('x') }]);
  await button(page, 'Download these masks (.zip)').waitFor();
  await page.getByText('1 file was left out').click();
  await expect_text_only(page, 'new photos');

  // What is kept comes back by way of JSON on the browser's disk.
  await page.getByText('kept in this browser').waitFor();
  await page.reload();
  await button(page, 'Choose other data').click();
  await page.locator('.project').getByText(HOSTILE).waitFor();
  await expect_text_only(page, 'the projects');
  await screenshot(page, 'safe-kept');
  assert.deepEqual(errors, []);
});

test('a failure in others\' words is text', async (t) => {
  const { page, errors } = await start(t, { failData: `no usable data: ${HOSTILE}` });
  await button(page, 'Try the sample set').click();
  await page.getByRole('alert').getByText(HOSTILE).waitFor();
  await expect_text_only(page, 'the failure');
  assert.deepEqual(errors, []);
});

/** Opens the page with its real trainer on the processor. */
async function start_real(t) {
  const host = await serve();
  const browser = await launch({ webgpu: false });
  t.after(async () => {
    await browser.close();
    await host.close();
  });
  const visit = await open(browser, host.url);
  await visit.page.locator('.device-line').waitFor();
  return visit;
}

test('hostile files go through the real trainer as text', async (t) => {
  const { page, errors } = await start_real(t);
  // A file's name has no slash, and a label in a table no space.
  const name = '<img src=x onerror=globalThis.taken=1>';
  const label = '<img/src=x/onerror=globalThis.taken=1>';
  const photo = (n) => bmp(40, 32, (x, y) => [n * 40, 3 * x, 3 * y]);
  const table = (rows) => Buffer.from(['image,labels', ...rows].join('\n'));
  const file = (name, buffer) => ({ name, mimeType: 'application/octet-stream', buffer });
  const photos = [1, 2, 3].map((n) => file(`${name}${n}.bmp`, photo(n)));
  const rows = photos.map((photo, n) => `"${photo.name}","${label}${n % 2};plum"`);
  await page.locator('#files-input').setInputFiles([
    ...photos, file('labels.csv', table([...rows, `"${name}gone.bmp",plum`])), file(`${name}bad.bmp`, photo(4).subarray(0, 90)),
  ]);
  await page.getByText('3 photos', { exact: true }).waitFor();
  await page.locator('#data .bars').getByText(`${label}1`).first().waitFor();
  for (const summary of await page.locator('.problems summary').all()) await summary.click();
  await page.locator('.problems').getByText(`${name}bad.bmp`).first().waitFor();
  await expect_text_only(page, 'a table');
  await screenshot(page, 'safe-real-table');
  await button(page, 'Choose other data').click();

  const coco = {
    images: photos.map(({ name }, id) => ({ id, file_name: name, width: 40, height: 32 })),
    categories: [{ id: 1, name }],
    annotations: photos.map((_, id) => ({ id, image_id: id, category_id: 1, bbox: [2, 2, 20, 20], area: 400, iscrowd: 0 })),
  };
  const packed = zip({
    'annotations/instances_a.json': JSON.stringify(coco),
    ...Object.fromEntries(photos.map(({ name, buffer }) => [`a/${name}`, buffer])),
  });
  await page.locator('#files-input').setInputFiles([{ ...zip_file, buffer: packed }]);
  await page.getByText('3 photos', { exact: true }).waitFor();
  await page.locator('#data .bars').getByText(name).first().waitFor();
  await expect_text_only(page, 'JSON');
  await screenshot(page, 'safe-real-json');
  assert.deepEqual(errors, []);
});

/** Directives that something of what is tried below is against. */
const FORBIDDEN = [
  'base-uri', 'connect-src', 'form-action', 'frame-src', 'img-src', 'script-src', 'script-src-attr', 'script-src-elem',
  'style-src-attr', 'style-src-elem', 'worker-src',
];

test('the policy forbids what is not the page\'s own', async (t) => {
  const { page, errors } = await start(t);
  const origin = new URL(page.url()).origin;
  const elsewhere = ['http://127.0.0.1:9/x', 'https://example.org/x', 'https://huggingface.co/other/x'];
  const tried = await page.evaluate(async ({ elsewhere, forbidden }) => {
    const refused = [];
    document.addEventListener('securitypolicyviolation', ({ effectiveDirective }) => refused.push(effectiveDirective));
    const element = (name, fields) => {
      const made = Object.assign(document.createElement(name), fields);
      document.body.append(made);
      return made;
    };
    element('script', { textContent: 'globalThis.taken = 1' });
    element('style', { textContent: 'body { display: none }' });
    element('p', {}).setAttribute('style', 'color: red');
    element('p', {}).setAttribute('onclick', 'globalThis.taken = 1');
    element('img', { src: 'https://example.org/x.png' });
    element('iframe', { src: 'https://example.org/' });
    element('base', { href: 'https://example.org/' });
    const form = element('form', { action: 'https://example.org/' });
    form.submit();
    const refuses = async (act) => act().then(() => false, () => true);
    const fetches = await Promise.all(elsewhere.map((address) => refuses(() => fetch(address))));
    // In a task of its own: this function is run by the debugger, which may evaluate.
    const evaluates = await new Promise((done) => setTimeout(() => {
      try {
        done(!new Function('globalThis.taken = 1'));
      } catch {
        done(true);
      }
    }));
    // A worker from an address of the page's own making would escape its origin.
    try {
      new Worker(URL.createObjectURL(new Blob(['1'])));
    } catch {
      refused.push('worker-src');
    }
    // They are told one by one, a little later.
    const kinds = () => [...new Set(refused)].sort();
    for (let tries = 0; tries < 100 && kinds().length < forbidden; tries++) await new Promise((done) => setTimeout(done, 50));
    return { refused: kinds(), fetches, evaluates, taken: globalThis.taken ?? 0, visible: getComputedStyle(document.body).display };
  }, { elsewhere, forbidden: FORBIDDEN.length });
  assert.deepEqual(tried, {
    refused: FORBIDDEN,
    fetches: [true, true, true],
    evaluates: true,
    taken: 0,
    visible: 'block',
  });
  assert.ok(errors.length >= 8, 'violations are among the errors that all other tests count');
  assert.equal(new URL(page.url()).origin, origin);
});

test('the policy lets the page ask the host of public weights, and those that it redirects to', async (t) => {
  const { page, context, errors } = await start(t);
  const addresses = [
    'https://huggingface.co/timm/resnet18.tv_in1k/resolve/main/model.safetensors',
    'https://cdn-lfs.hf.co/a', 'https://cas-bridge.xethub.hf.co/a', 'https://us.aws.cdn.hf.co/a', 'https://cdn-lfs.huggingface.co/a',
  ];
  await context.route(/^https:/, (route) => route.fulfill({ body: 'file', headers: { 'Access-Control-Allow-Origin': '*' } }));
  const answers = await page.evaluate((addresses) => Promise.all(addresses.map(async (address) => (await fetch(address)).text())), addresses);
  assert.deepEqual(answers, addresses.map(() => 'file'));
  assert.deepEqual(errors, []);
});

// A worker has a policy of its own, by its response's headers, which a plain static host does not send. But a
// module can call nothing that it does not import.
test('the trainers\' modules import nothing that asks a network', async () => {
  for (const program of ['trainer', 'trainer-cpu']) {
    const module = await WebAssembly.compile(await readFile(path.join(page_folder, `${program}_bg.wasm`)));
    const names = WebAssembly.Module.imports(module).map(({ name }) => name);
    assert.ok(names.length > 20, names.join());
    const asking = names.filter((name) => /fetch|socket|beacon|eventsource|importscripts|transport|rtc/i.test(name));
    assert.deepEqual(asking, [], program);
  }
});
