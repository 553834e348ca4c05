// For browsers with WebGPU on the page but not in workers: the trainer on the page itself.

export async function hasAdapter() {
  try {
    return Boolean(await navigator.gpu?.requestAdapter());
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
