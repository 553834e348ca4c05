// The page with a trainer that only plays, and the few steps that most tests begin with.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before } from 'node:test';
import { launch, open, page_folder, serve } from './harness.mjs';

const mock = await readFile(new URL('./mock-trainer.js', import.meta.url), 'utf8');
/** The least module there is: the page compiles it, and nobody runs it. */
export const empty_module = Buffer.from('\0asm\x01\0\0\0', 'latin1');

let launched;
before(async () => { launched = await launch({ webgpu: false }); });
after(() => launched.close());

/** The browser of this file's tests. */
export const browser = () => launched;

/** The mock's text, told how to behave. */
export function trainer_for(script) {
  const line = /const script = \{(.*)\};/;
  assert.match(mock, line);
  return mock.replace(line, (_, body) => `const script = {${body}, ...${JSON.stringify(script)}};`);
}

/** What is served in the place of the real trainer. */
export const mock_files = (script) => (
  { 'trainer-worker.js': trainer_for(script), 'trainer-cpu_bg.wasm': empty_module }
);

/**
 * Opens the page with a trainer that behaves as `script` says. `allow` is another origin that the page may ask,
 * which its policy would forbid.
 */
export async function start(t, script = {}, { allow, ...options } = {}) {
  const files = mock_files(script);
  if (allow) {
    const page = await readFile(`${page_folder}/index.html`, 'utf8');
    assert.match(page, /connect-src 'self'/);
    files['index.html'] = page.replace("connect-src 'self'", `$& ${allow}`);
  }
  const host = await serve({ files });
  const visit = await open(launched, host.url, options);
  t.after(async () => {
    await visit.close();
    await host.close();
  });
  await visit.page.locator('.device-line').waitFor();
  return visit;
}

export const button = (page, name) => page.getByRole('button', { name, exact: true });
/** Waits until the button can be pressed: a file that was chosen is read first. */
export const ready = (page, name = 'Train') => button(page, name).and(page.locator(':enabled')).waitFor();
export const title = (page, words) => page.locator('.run-title', { hasText: words }).waitFor();
export const zip_file = { name: 'photos.zip', mimeType: 'application/zip', buffer: Buffer.from('PK') };

export async function take_sample(page) {
  await button(page, 'Try the sample set').click();
  await button(page, 'Train').waitFor();
}
