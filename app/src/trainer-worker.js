// The trainer's first words. It runs as a module worker; where WebGPU exists on the page but not in
// workers, the page imports it instead and calls `serve` with one end of a message channel.
//
// The port that the trainer listens and speaks to is `globalThis.trainerPort`: the worker's own scope,
// or that end of the channel.
//
// page → here:  { wasm: WebAssembly.Module | ArrayBuffer, program?: string, lock?: string }, where the program
//               is "trainer" (on the GPU) or "trainer-cpu"; then { ping: true } or commands
// here → page:  { ready: true, webgpu: boolean }, { pong: true }, { noGpu: "reason" }, { died: "message" }, or
//               the trainer's events

const inWorker = typeof WorkerGlobalScope !== "undefined" && globalThis instanceof WorkerGlobalScope;

export async function serve(port, { wasm, program = "trainer", lock }, attempt = 0) {
  // A Rust panic reaches JavaScript as "unreachable"; its message went to the console before that.
  let lastPanic = "";
  const log = console.error.bind(console);
  console.error = (...words) => {
    const text = words.map(String).join(" ");
    if (text.includes("panicked at")) lastPanic = text.split("\n\nStack:")[0];
    log(...words);
  };
  const died = (error) => port.postMessage({ died: lastPanic || String(error?.message ?? error) });
  if (inWorker) {
    addEventListener("error", (event) => died(event.error ?? event.message));
    addEventListener("unhandledrejection", (event) => died(event.reason));
    // Held for life: whoever waits for it learns of the end, whatever ends this worker.
    if (lock && navigator.locks) {
      await new Promise((held) => navigator.locks.request(lock, () => (held(), new Promise(() => {}))));
    }
  }
  // Before the trainer's own listener, which never sees a ping.
  port.addEventListener("message", (event) => {
    if (event.data?.ping) {
      event.stopImmediatePropagation();
      port.postMessage({ pong: true });
    }
  });
  try {
    globalThis.trainerPort = port;
    // The one that the trainer will take, and its name: wgpu passes on only a description that browsers
    // keep to themselves.
    const adapter = program === "trainer"
      && await navigator.gpu?.requestAdapter({ powerPreference: "high-performance" }).catch(() => null);
    if (adapter) {
      const { vendor, architecture } = adapter.info ?? {};
      globalThis.adapterName = [vendor, architecture].filter(Boolean).join(" ");
    }
    const { default: init } = await import(`./${program}.js${attempt ? `?${attempt}` : ""}`);
    await init({ module_or_path: wasm });
    port.postMessage({ ready: true, webgpu: Boolean(adapter) });
  } catch (error) {
    died(error);
  }
}

if (inWorker) {
  addEventListener("message", (event) => serve(globalThis, event.data), { once: true });
}
