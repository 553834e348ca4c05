// Served in the place of the service worker: takes the one that a browser has back, with the files it keeps.

addEventListener("install", () => skipWaiting());
addEventListener("activate", (event) => event.waitUntil((async () => {
  const prefix = `tag2mask-files ${new URL(registration.scope).pathname} `;
  const names = (await caches.keys()).filter((name) => name.startsWith(prefix));
  await Promise.all(names.map((name) => caches.delete(name)));
  await registration.unregister();
  // Pages that the one before has answered. A page without one is left as it is.
  for (const page of await clients.matchAll({ type: "window" })) await page.navigate(page.url);
})()));
