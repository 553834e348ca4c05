// What a page takes of the machine's memory.

import { readdir, readFile } from 'node:fs/promises';

/** Most resident bytes so far of the largest renderer process that this one has started. */
export async function largest_renderer() {
  const processes = new Map();
  for (const id of (await readdir('/proc')).filter((name) => /^\d+$/.test(name))) {
    try {
      const command = await readFile(`/proc/${id}/cmdline`, 'utf8');
      const status = await readFile(`/proc/${id}/status`, 'utf8');
      const value = (name) => Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(status)?.[1] ?? 0);
      processes.set(Number(id), { command, parent: value('PPid'), bytes: value('VmHWM') * 1024 });
    } catch {
      // It has ended meanwhile.
    }
  }
  const is_ours = (id) => id === process.pid || (processes.has(id) && is_ours(processes.get(id).parent));
  const ours = [...processes].filter(([id, { command }]) => command.includes('--type=renderer') && is_ours(id));
  return Math.max(0, ...ours.map(([, { bytes }]) => bytes));
}
