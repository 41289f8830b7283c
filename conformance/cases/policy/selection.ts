/** Which backend a request is for, under each policy that a topology can declare. */
import type { Policy } from '../../../harness/topology.js';
import type { ConformanceCase } from '../case.js';
import { expectObjects, gets, runAll, script } from '../vocabulary.js';

function selects(policy: Policy, summary: string, stories: readonly (readonly string[])[]): ConformanceCase {
  return {
    id: `REQ-6.${policy.kind}`,
    clauses: ['REQ-6', 'HOF-6', 'SWT-1', 'SWT-2'],
    summary,
    worlds: ['sim', 'linux'],
    options: { policy },
    async run(context) {
      const results = await runAll(
        context,
        stories.map((paths) => script(...gets(...paths))),
      );
      for (const [i, result] of results.entries()) expectObjects(context, result, stories[i] ?? []);
    },
  };
}

export const pathMap = selects(
  {
    kind: 'path-map',
    map: [
      { prefix: '/a/8', backend: 'backend1' },
      { prefix: '/a/', backend: 'backend0' },
    ],
    default: 'backend1',
  },
  'The first prefix that fits decides, also where a later one fits too, and the default takes what none fits.',
  [['/a/8k', '/a/1', '/b/1', '/a/1k', '/b/8k']],
);

export const pathHash = selects(
  { kind: 'path-hash' },
  "The hash of the request's path decides, the same for each repetition.",
  [['/a/0', '/a/1', '/a/1k', '/b/0', '/b/1', '/b/1k', '/a/0', '/b/1k']],
);

/**
 * Two connections at once: the order is that of hand-off, over all connections. The second asks too seldom to come between all of the first's requests, so
 * that a connection moves from one backend to the other however they interleave (HOF-6).
 */
export const roundRobin = selects(
  { kind: 'round-robin' },
  'Backends take turns, request by request, over all connections.',
  [
    ['/a/1', '/a/1k', '/a/8k', '/b/1', '/b/1k'],
    ['/b/1', '/a/8k'],
  ],
);
