/** Java and TLC for tests that run them, and what they leave behind. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import t, { type Test } from 'tap';
import { findJar } from '../../../model/tlc/jar.js';
import { JarError } from '../../../model/tlc/jar-error.js';
import { probeJava } from '../../../model/tlc/java.js';
import type { TlcRequest } from '../../../model/tlc/request.js';

export const FIXTURES = fileURLToPath(new URL('fixtures', import.meta.url));

export interface Tools {
  readonly java: string;
  readonly jar: string;
}

/** Skips the test file with the reason where there is no Java or no TLC to be had; under CI=true that is a failure. */
export async function findTools(): Promise<Tools | undefined> {
  const missing = (reason: string): undefined => {
    if (process.env.CI === 'true') t.fail(`TLC is needed under CI: ${reason}`);
    else t.plan(0, `skipped: ${reason}`);
  };
  const java = await probeJava();
  if (java.kind !== 'found') return missing(java.message);
  try {
    return { java: java.path, jar: (await findJar()).path };
  } catch (error) {
    if (error instanceof JarError) return missing(error.message);
    throw error;
  }
}

/** A run of a fixture with one worker, within a minute. */
export function fixture(tools: Tools, root: string, cfg: string, more: Partial<TlcRequest> = {}): TlcRequest {
  return {
    ...tools,
    modules: { folder: FIXTURES },
    root,
    cfg,
    workers: 1,
    heapMegabytes: 200,
    deadlock: true,
    coverage: false,
    timeoutMs: 60_000,
    ...more,
  };
}

/** Has work folders made in a folder of the test's own, by which processes are known too, until the test ends. */
export function ownTemporaryFolder(t: Test): string {
  const folder = t.testdir({});
  const before = process.env.TMPDIR;
  process.env.TMPDIR = folder;
  t.teardown(() => {
    if (before === undefined) delete process.env.TMPDIR;
    else process.env.TMPDIR = before;
  });
  return folder;
}

/** The ids of processes that have this text in their command lines. */
export function processesWith(text: string): number[] {
  if (!existsSync('/proc/self/cmdline')) return [];
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => {
      try {
        return pid !== process.pid && readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(text);
      } catch {
        return false;
      }
    });
}
