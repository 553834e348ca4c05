// For browsers with WebGPU on the page but not in workers: the trainer on the page itself.

/** A driver that has not answered by then is of no use. */
const PATIENCE = 5000;

export async function hasAdapter() {
  const late = new Promise((done) => setTimeout(done, PATIENCE));
  try {
    return Boolean(await Promise.race([navigator.gpu?.requestAdapter(), late]));
  } catch {
    return false;
  }
}

export function serveHere(wasm, program, attempt) {
  const { port1, port2 } = new MessageChannel();
  import(new URL("./trainer-worker.js", document.baseURI))
    .then(({ serve }) => serve(port2, { wasm, program }, attempt))
    .catch((error) => port2.postMessage({ died: String(error) }));
  port2.start();
  return port1;
}
