/** Where what is made or fetched once is kept. */
import { homedir } from 'node:os';
import { isAbsolute, join } from 'node:path';

/** A relative XDG_CACHE_HOME is to be ignored, says the XDG Base Directory Specification. */
export function cacheFolder(environment: Readonly<Record<string, string | undefined>>): string {
  const base = environment.XDG_CACHE_HOME;
  const cache = base && isAbsolute(base) ? base : join(environment.HOME || homedir(), '.cache');
  return join(cache, 'prism-conformance');
}
