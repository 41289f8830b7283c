/** How much memory the programs take that this process started, by Linux' own account. */
import { readdirSync, readFileSync } from 'node:fs';

const POLL_MS = 200;

function childrenOf(pid: number): number[] {
  try {
    return readdirSync(`/proc/${pid}/task`)
      .flatMap((task) => readFileSync(`/proc/${pid}/task/${task}/children`, 'latin1').trim().split(' '))
      .filter((child) => child !== '')
      .map(Number);
  } catch {
    // It has ended meanwhile, or this is no Linux.
    return [];
  }
}

function descendantsOf(pid: number): number[] {
  return childrenOf(pid).flatMap((child) => [child, ...descendantsOf(child)]);
}

function peakOf(pid: number): number {
  try {
    const kib = /^VmHWM:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1];
    return Number(kib ?? 0) * 1024;
  } catch {
    return 0;
  }
}

/** The largest resident memory, in bytes, that any process had which was started while `work` ran; 0 where the system does not tell. */
export async function peakOfChildren<T>(work: () => Promise<T>): Promise<{ readonly value: T; readonly peak: number }> {
  let peak = 0;
  const poll = (): void => {
    for (const pid of descendantsOf(process.pid)) peak = Math.max(peak, peakOf(pid));
  };
  const timer = setInterval(poll, POLL_MS);
  try {
    return { value: await work(), peak };
  } finally {
    clearInterval(timer);
  }
}
