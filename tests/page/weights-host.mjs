// A host of weights on this machine, in the place of the public one: another origin than the page's, with
// the headers that let pages of others fetch, ranges, and the ways in which a download can fail.

import { createServer } from 'node:http';

/** The public host that the page asks. */
const PUBLIC = 'https://huggingface.co';

/** A `.safetensors` file with one tensor of that many bytes. */
export function weights_file(bytes) {
  const header = JSON.stringify({ 'conv1.weight': { dtype: 'F32', shape: [bytes / 4], data_offsets: [0, bytes] } });
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(header.length));
  return Buffer.concat([length, Buffer.from(header), Buffer.alloc(bytes, 7)]);
}

/**
 * Serves `file`. `answer(n)` says how the n-th request (from 0) is to go wrong: `sent` bytes of the body and
 * then the end of the connection, or with `hangs` nothing more; `status` instead of the file. `requests` are
 * those that came: method, path and range. `visit` are the options that a visit of the page takes to ask this host.
 */
export async function weights_host(t, file, answer = () => ({})) {
  const requests = [];
  const server = createServer((request, response) => {
    const { range, referer, cookie } = request.headers;
    requests.push({ method: request.method, path: request.url, range, referer, cookie });
    const { sent, hangs, status } = answer(requests.length - 1);
    const headers = {
      'Access-Control-Allow-Origin': '*',
      'Access-Control-Expose-Headers': 'Accept-Ranges, Content-Range, ETag',
    };
    const from = Number(range?.match(/^bytes=(\d+)-$/)?.[1] ?? 0);
    const body = status ? Buffer.from('no') : file.subarray(from);
    headers['Content-Length'] = body.length;
    if (range) headers['Content-Range'] = `bytes ${from}-${file.length - 1}/${file.length}`;
    response.writeHead(status ?? (range ? 206 : 200), headers);
    if (sent === undefined) return response.end(body);
    response.write(body.subarray(0, sent), () => {
      if (!hangs) setTimeout(() => response.destroy(), 100);
    });
  });
  await new Promise((done) => server.listen(0, '127.0.0.1', done));
  t.after(() => new Promise((done) => {
    server.close(done);
    server.closeAllConnections();
  }));
  const own = `http://127.0.0.1:${server.address().port}`;
  /** In the page: what is asked of the public host goes to this one. */
  const script = ({ from, to }) => {
    const real = window.fetch;
    window.fetch = (address, options) => {
      const target = String(address);
      return real(target.startsWith(`${from}/`) ? to + target.slice(from.length) : address, options);
    };
  };
  return { requests, visit: { allow: own, init: { script, argument: { from: PUBLIC, to: own } } } };
}
