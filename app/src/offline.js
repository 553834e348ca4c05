// Has the page's own files kept in the browser (service-worker.js), where the browser can: not on a plain
// http:// address, and not in some private windows. There the page works as well, with a network.

/** Whether nobody has done anything in the page. */
let isUntouched = true;
for (const kind of ["pointerdown", "keydown", "drop", "change"]) {
  addEventListener(kind, () => { isUntouched = false; }, { capture: true, once: true });
}

async function start(container) {
  const registration = await container.register("./service-worker.js");
  if (registration.waiting && container.controller) {
    // A version that came during the visit before. It takes over unless another tab is open, and the page
    // is loaded again, from that version; but browsers may take seconds, and nobody's work is to be lost.
    container.addEventListener("controllerchange", () => isUntouched && location.reload(), { once: true });
    registration.waiting.postMessage({ takeOver: true });
  }
  // Some files were loaded before there was a worker, or are loaded later on the first visit.
  const { active } = await container.ready;
  const tell = (entries) => active.postMessage({ keep: entries.map(({ name }) => name) });
  new PerformanceObserver((list) => tell(list.getEntries())).observe({ type: "resource", buffered: true });
}

if (navigator.serviceWorker) {
  start(navigator.serviceWorker).catch((error) => console.warn(`Not kept for use without a network: ${error}`));
}
