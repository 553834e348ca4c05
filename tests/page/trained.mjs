// The page with the real trainer on the processor, and the way to masks that many tests begin with.

import { fill, launch, open, serve } from './harness.mjs';

const MINUTE = 60_000;
/** What the page does at once. */
export const SOON = 3 * MINUTE;
/** What the trainer works at. */
export const LONG = 15 * MINUTE;
/** Photos of the sample set. */
export const PHOTOS = 60;

export const button = (page, name) => page.getByRole('button', { name, exact: true });
export const finished = (page) => page.locator('.run-title').getByText('Training is finished').waitFor({ timeout: LONG });

/** Opens the page; closes everything after the test. */
export async function start(t, { files, init } = {}) {
  const host = await serve({ files });
  const browser = await launch({ webgpu: false });
  t.after(async () => {
    await browser.close();
    await host.close();
  });
  const visit = await open(browser, host.url, { init });
  await visit.page.locator('.device-line').waitFor({ timeout: SOON });
  return visit;
}

/** Trains on the sample set, quickly unless other settings say otherwise. */
export async function train(page, settings = {}) {
  await button(page, 'Try the sample set').click();
  await page.getByText(`${PHOTOS} photos`, { exact: true }).waitFor({ timeout: SOON });
  await fill(page, { method: 'cam', size: 64, 'cam-epochs': 1, ...settings });
  await button(page, 'Train').click();
  await finished(page);
}

/** Makes masks, of photos looked at once. */
export async function make_masks(page) {
  await page.getByText('How masks are made').click();
  await fill(page, { scales: '1' });
  await button(page, 'Make masks').click();
  await button(page, 'Download the masks (.zip)').waitFor({ timeout: LONG });
}
