// Put before the worker's script: counts what it asks of the GPU. Each message of the trainer then
// carries `account`, the totals so far.

const account = { dispatches: 0, submits: 0, reads: 0, read_bytes: 0, written_bytes: 0, memory: 0, peak_memory: 0 };

/** Calls `before` with a method's receiver and arguments. */
function watch(type, method, before) {
  const original = type.prototype[method];
  type.prototype[method] = function (...words) {
    before(this, words);
    return original.apply(this, words);
  };
}

watch(GPUComputePassEncoder, 'dispatchWorkgroups', () => { account.dispatches += 1; });
watch(GPUComputePassEncoder, 'dispatchWorkgroupsIndirect', () => { account.dispatches += 1; });
watch(GPUQueue, 'submit', () => { account.submits += 1; });
watch(GPUQueue, 'writeBuffer', (_, [, , data]) => { account.written_bytes += data.byteLength ?? 0; });
watch(GPUBuffer, 'mapAsync', (buffer, [mode, offset = 0, size = buffer.size - offset]) => {
  if (mode !== GPUMapMode.READ) return;
  account.reads += 1;
  account.read_bytes += size;
});
const alive = new Set();
const create_buffer = GPUDevice.prototype.createBuffer;
GPUDevice.prototype.createBuffer = function (descriptor) {
  const buffer = create_buffer.call(this, descriptor);
  alive.add(buffer);
  account.memory += buffer.size;
  account.peak_memory = Math.max(account.peak_memory, account.memory);
  return buffer;
};
watch(GPUBuffer, 'destroy', (buffer) => {
  if (alive.delete(buffer)) account.memory -= buffer.size;
});

const post = self.postMessage.bind(self);
self.postMessage = (message, ...rest) => post(message.json ? { ...message, account: { ...account } } : message, ...rest);

