// Keeps the page's own files in the browser, so that the page opens without a network. It answers for those
// files alone: whatever else the page asks for, of this host or another, passes it by.
//
// page → here:  { keep: [address, …] }: files that the page has loaded; { takeOver: true }: be the one in charge

/** Which files there are, and a name for these very bytes: filled in by `cargo xtask dist`. */
const BUILD = { version: "", files: [] };

const scope = registration.scope;
/** One site may hold several copies of the page, each in its own folder. */
const PREFIX = `tag2mask-files ${new URL(scope).pathname} `;
const STORE = PREFIX + BUILD.version;

/** Under which a file is kept. The page itself by its folder, since some hosts redirect from index.html. */
const addressOf = (name) => new URL(name === "index.html" ? "./" : name, scope).href;

/** The file that an address means; undefined for what is not one of ours. */
function nameOf(address) {
  const { origin, pathname } = new URL(address);
  if (!(origin + pathname).startsWith(scope)) return undefined;
  const name = (origin + pathname).slice(scope.length) || "index.html";
  return BUILD.files.includes(name) ? name : undefined;
}

/** Large, and each visitor needs one of two: kept once the page has loaded it. */
const isTrainer = (name) => /^trainer.*\.wasm$/.test(name);

const find = (name) => caches.match(addressOf(name), { cacheName: STORE });

/** Fetches a file and keeps it. */
async function keep(name, cache) {
  const response = await fetch(addressOf(name), { cache });
  if (!response.ok) throw new Error(`HTTP ${response.status} for ${name}`);
  await (await caches.open(STORE)).put(addressOf(name), response);
}

/** Takes all of a version or nothing: also the trainer, where the version before had one. */
async function install() {
  const wanted = [];
  for (const name of BUILD.files) {
    if (!isTrainer(name) || await caches.match(addressOf(name))) wanted.push(name);
  }
  // Asked of the host anew: what the browser has may be of the version before.
  await Promise.all(wanted.map((name) => keep(name, "no-cache")));
}

async function forgetOthers() {
  const others = (await caches.keys()).filter((name) => name.startsWith(PREFIX) && name !== STORE);
  await Promise.all(others.map((name) => caches.delete(name)));
}

async function answer(event, name) {
  const kept = await find(name);
  if (kept) return kept;
  const response = await fetch(addressOf(name), { cache: "no-cache" });
  if (response.ok) {
    const copy = response.clone();
    event.waitUntil(caches.open(STORE).then((store) => store.put(addressOf(name), copy)));
  }
  return response;
}

/** Keeps what was loaded before there was a worker: as the host has it now, since what the browser has may be older. */
async function keepLoaded(addresses) {
  for (const name of addresses.map(nameOf)) {
    if (name !== undefined && !await find(name)) await keep(name, "no-cache");
  }
}

/** A page gets all its files from one version: a new one waits until no other page is open. */
async function takeOver() {
  const pages = await clients.matchAll({ type: "window", includeUncontrolled: true });
  if (pages.filter(({ url }) => url.startsWith(scope)).length <= 1) await skipWaiting();
}

addEventListener("install", (event) => event.waitUntil(install()));
addEventListener("activate", (event) => event.waitUntil(forgetOthers()));
addEventListener("fetch", (event) => {
  const name = event.request.method === "GET" ? nameOf(event.request.url) : undefined;
  if (name !== undefined) event.respondWith(answer(event, name));
});
addEventListener("message", (event) => {
  if (event.data?.keep) event.waitUntil(keepLoaded(event.data.keep));
  if (event.data?.takeOver) event.waitUntil(takeOver());
});
