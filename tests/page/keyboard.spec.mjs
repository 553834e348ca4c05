// The whole job by keyboard alone, with the real trainer, from the sample set to a zip of masks: the focus is always to be
// seen and never lost, and nothing is asked of a network once the page has loaded, by whatever part of the browser.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import { unzip } from './formats.mjs';
import { download, in_folder, kept_offline, launch, open, serve } from './harness.mjs';

const MINUTE = 60_000;
const SOON = 2 * MINUTE;
/** More stops than the page ever has. */
const STOPS = 250;

/** Where the focus is: the element in words, and whether it can be seen that it has the focus. */
const here = (page) => page.evaluate(() => {
  const element = document.activeElement;
  if (!element || element === document.body) return { is_lost: true, id: '', role: '', text: 'nothing' };
  // Where the field itself stays as it is, what is around it may show it.
  const shows = (element, pseudo) => {
    const { outlineStyle, outlineWidth, outlineColor, boxShadow } = getComputedStyle(element, pseudo);
    const is_clear = /rgba\(.*, 0\)|transparent/.test(outlineColor);
    return (outlineStyle !== 'none' && parseFloat(outlineWidth) > 0 && !is_clear) || boxShadow !== 'none';
  };
  const { width, height, top, bottom } = element.getBoundingClientRect();
  return {
    is_lost: false,
    id: element.id,
    tag: element.tagName.toLowerCase(),
    text: (element.getAttribute('aria-label') ?? element.textContent ?? '').trim().replace(/\s+/g, ' ').slice(0, 60),
    is_visible: element.matches(':focus-visible') ? shows(element) || shows(element.parentElement) : null,
    is_there: width > 0 && height > 0 && bottom > 0 && top < innerHeight,
  };
});

/** A hand on the keyboard, which notes what is wrong at its stops. */
function keyboard(page) {
  const faults = new Set();
  const stops = [];
  const look = async (by) => {
    const stop = await here(page);
    const words = `${stop.tag ?? ''}${stop.id ? `#${stop.id}` : ''} "${stop.text}" (by ${by})`;
    // A section that is brought to the top takes the focus without being operable.
    if (by === 'Tab' && stop.is_visible === false) faults.add(`the focus cannot be seen: ${words}`);
    if (!stop.is_lost && !stop.is_there) faults.add(`outside the window: ${words}`);
    return { ...stop, words };
  };
  const to = async (fits, back = false) => {
    const way = [];
    for (let stop = 0; stop < STOPS; stop++) {
      await page.keyboard.press(back ? 'Shift+Tab' : 'Tab');
      const place = await look('Tab');
      way.push(place.words);
      if (!place.is_lost && fits(place)) {
        stops.push(stop + 1);
        return place;
      }
    }
    return assert.fail(`not reached by Tab; the way was ${way.join('; ')}`);
  };
  return {
    faults,
    stops,
    to,
    to_button: (text, back) => to((place) => place.tag === 'button' && place.text === text, back),
    to_field: (id, back) => to((place) => place.id === id, back),
    /** After something has changed, the focus is somewhere: on an element, not on the page as a whole. */
    async kept(when) {
      await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
      const place = await look(when);
      if (place.is_lost) faults.add(`the focus is lost: ${when}`);
      return place;
    },
    async choose(id, value) {
      await this.to_field(id);
      for (let tries = 0; tries < 20 && await page.locator(`#${id}`).inputValue() !== value; tries++) {
        await page.keyboard.press(tries === 0 ? 'Home' : 'ArrowDown');
      }
      assert.equal(await page.locator(`#${id}`).inputValue(), value);
    },
    async enter(id, value) {
      await this.to_field(id);
      await page.keyboard.press('Control+a');
      await page.keyboard.type(String(value));
    },
  };
}

/** Addresses that any part of the browser has asked for, by its own log: for the page, and of its own accord. */
async function asked_of_network(file, origin) {
  const { events } = JSON.parse(await readFile(file, 'utf8'));
  const requests = events.filter(({ params }) => params?.url && 'initiator' in params && /^(https?|wss?):/.test(params.url));
  const of = (fits) => [...new Set(requests.filter(fits).map(({ params }) => params.url))];
  return { page: of(({ params }) => params.initiator === origin), browser: of(({ params }) => params.initiator !== origin) };
}

test('the whole job by keyboard, and no request after the page has loaded', { timeout: 6 * MINUTE }, async (t) => {
  await in_folder(async (folder) => {
    const log = path.join(folder, 'network.json');
    const host = await serve();
    const browser = await launch({ webgpu: false, options: [`--log-net-log=${log}`] });
    try {
      await job(t, browser, host);
    } finally {
      await browser.close();
      await host.close();
    }
    const asked = await asked_of_network(log, new URL(host.url).origin);
    assert.ok(asked.page.length > 10, asked.page.join());
    assert.deepEqual(asked.page.filter((address) => !address.startsWith(host.url)), [], 'nothing but its own files, by the browser\'s log');
    const others = asked.browser.filter((address) => !address.startsWith(host.url)).map((address) => new URL(address).hostname);
    t.diagnostic(`the browser asked of its own accord: ${[...new Set(others)].join(' ')}`);
  });
});

async function job(t, browser, host) {
  const { page, requests, errors } = await open(browser, host.url);
  await page.locator('.device-line').waitFor({ timeout: SOON });
  await kept_offline(page);
  const [before, served] = [requests.length, host.asked.length];
  // No mouse: what is pointed at would be noted.
  await page.evaluate(() => {
    globalThis.pointed = 0;
    for (const kind of ['pointerdown', 'mousedown', 'pointermove', 'wheel']) addEventListener(kind, () => { globalThis.pointed += 1; }, true);
  });
  const keys = keyboard(page);
  const press = (key) => page.keyboard.press(key);

  await keys.to_button('Try the sample set');
  await press('Enter');
  await page.getByText('60 photos', { exact: true }).waitFor({ timeout: SOON });
  await keys.kept('the data was read');

  await keys.choose('method', 'cam');
  await keys.enter('size', 64);
  await keys.to((place) => place.text === 'More settings');
  await press('Enter');
  await keys.enter('cam-epochs', 2);
  await keys.to_button('Train', true);
  await press('Enter');
  await keys.kept('training has begun');
  await keys.to_button('Pause');
  await press('Space');
  await page.getByText('paused', { exact: true }).waitFor({ timeout: SOON });
  await keys.kept('training waits');
  await keys.to_button('Resume', (await here(page)).is_lost);
  await press('Space');
  await keys.kept('training goes on');
  await page.locator('.run-title').getByText('Training is finished').waitFor({ timeout: SOON });
  await keys.kept('training is finished');

  await keys.to_button('Make masks');
  await press('Enter');
  await keys.kept('masks are being made');
  await page.getByRole('button', { name: 'Download the masks (.zip)' }).waitFor({ timeout: SOON });
  await keys.kept('masks are made');

  // A photo in large: its mask is corrected, and accepted.
  await keys.to((place) => place.tag === 'button' && place.id.startsWith('mask-'));
  const tile = (await here(page)).id;
  await press('Enter');
  await page.getByRole('dialog', { name: 'Photo' }).waitFor();
  await keys.kept('the photo is open');
  await keys.to((place) => place.text.startsWith('Correct the mask'));
  await press('Enter');
  await page.waitForFunction(() => document.activeElement?.id === 'mask-stage', undefined, { timeout: SOON });
  await page.waitForFunction(() => document.querySelector('#mask-canvas').width > 1);
  await keys.kept('the mask is open');
  for (let step = 0; step < 9; step++) await press('Shift+ArrowDown');
  await press('Space');
  await press('Escape');
  await page.getByText('1 mask was corrected by hand').waitFor({ timeout: SOON });
  await keys.kept('the mask is closed');
  // Who corrects a mask accepts it.
  await page.locator('.large [aria-pressed=true]', { hasText: 'Accept' }).waitFor({ timeout: SOON });
  await press('ArrowRight');
  await page.locator('.large [aria-pressed=true]').waitFor({ state: 'detached', timeout: SOON });
  await keys.kept('the next photo is shown');
  await keys.to((place) => place.text.startsWith('Accept'));
  await press('Enter');
  await page.locator('.large [aria-pressed=true]').waitFor({ timeout: SOON });
  await keys.kept('the mask is accepted');
  await press('Escape');
  await page.getByRole('dialog', { name: 'Photo' }).waitFor({ state: 'hidden' });
  assert.equal((await keys.kept('the photo is closed')).id, tile, 'the focus is back where it was');

  await keys.to_field('mask-format', true);
  await keys.to_button('Download the masks (.zip)');
  const packed = await download(page, () => press('Enter'));
  await keys.kept('the masks are packed');
  assert.equal([...unzip(packed.bytes).keys()].filter((name) => name.endsWith('.png')).length, 60);

  t.diagnostic(`${keys.stops.reduce((sum, stops) => sum + stops, 0)} stops of the focus for the whole job: ${keys.stops.join(' ')}`);
  assert.equal(await page.evaluate(() => globalThis.pointed), 0);
  assert.deepEqual([...keys.faults], []);
  assert.deepEqual(requests.slice(before), [], 'nothing is asked for by page, workers and service worker');
  assert.deepEqual(host.asked.slice(served), [], 'nothing has reached the host');
  assert.deepEqual(errors, []);
}
