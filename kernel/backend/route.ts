/** The route by which responses leave, with what a taken-over socket cannot know: how much it may send at once, and how long an answer takes. */
import { spawnSync } from 'node:child_process';
import { WorldError } from '../../harness/world.js';

function ip(...args: readonly string[]): string {
  const { status, stdout, stderr, error } = spawnSync('ip', [...args], { encoding: 'utf8', timeout: 10_000 });
  if (status !== 0) throw new WorldError(`ip ${args.join(' ')}: ${error?.message ?? stderr.trim().split('\n')[0]}`);
  return stdout;
}

/** RFC 6298 §2: an RTO of 1 s until there is a round trip to measure. Linux takes the RTO as three times this; without it, it begins with 3 s. */
const ROUND_TRIP_MS = 334;

/**
 * Makes sockets of the default route begin with `segments` in flight instead of ten; returns what gives the route back. Throws a WorldError where
 * there is no such route, or the process may not change it.
 */
export function widenDefaultRoute(interfaceName: string, segments: number): () => void {
  const [before = ''] = ip('-4', 'route', 'show', 'default', 'dev', interfaceName).split('\n');
  const widened = ['rtt', `${ROUND_TRIP_MS}ms`, 'initcwnd', String(segments)];
  // A process that was killed may have left it so.
  const words = before.replace(widened.join(' '), '').trim().split(/\s+/);
  if (words[0] !== 'default') throw new WorldError(`${interfaceName} has no default route`);
  const route = [...words, 'dev', interfaceName];
  ip('-4', 'route', 'replace', ...route, ...widened);
  return () => {
    // The interface may be gone by now.
    spawnSync('ip', ['-4', 'route', 'replace', ...route], { timeout: 10_000 });
  };
}
