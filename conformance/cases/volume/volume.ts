/** Much of everything: hand-offs on one connection, connections at once, bytes in one response. */
import type { ConformanceCase } from '../case.js';
import { expectObjects, gets, runAll } from '../vocabulary.js';

/** The simulated world is the quicker of the two. */
const HANDOFFS = { sim: 3000, linux: 1000 } as const;

export const thousandsOfHandoffs: ConformanceCase = {
  id: 'HOF-6.thousands-of-hand-offs',
  clauses: ['HOF-6', 'HOF-1', 'RET-1', 'BKD-1', 'BKD-8'],
  summary: 'Thousands of requests on one connection go to both backends in turn, and every response is the right one.',
  worlds: ['sim', 'linux'],
  async run(context) {
    const count = HANDOFFS[context.world.kind];
    const paths = Array.from({ length: count }, (_, i) => (i % 2 === 0 ? '/a/1' : '/b/1k'));
    const [result] = await runAll(context, [{ kind: 'script', steps: gets(...paths), timeoutMs: 120_000 }]);
    if (result) expectObjects(context, result, paths);
  },
};

const CONNECTIONS = 1000;

export const thousandConnections: ConformanceCase = {
  id: 'HOF-7.thousand-connections',
  clauses: ['HOF-7', 'SWT-8', 'BKD-1', 'RET-6'],
  summary:
    'A thousand connections are opened at once and each asks both backends for something: every response is right.',
  worlds: ['sim', 'linux'],
  // The backends answer late, so that the hand-offs of all of them overlap.
  options: { ruleCapacity: CONNECTIONS, serviceDelayMs: 300 },
  async run(context) {
    const pathsOf = (i: number) => (i % 2 === 0 ? ['/a/1', '/b/1k'] : ['/b/1', '/a/1k']);
    const jobs = Array.from({ length: CONNECTIONS }, (_, i) => ({
      kind: 'script' as const,
      steps: gets(...pathsOf(i)),
      timeoutMs: 100_000,
    }));
    const results = await runAll(context, jobs);
    for (const [i, result] of results.entries()) expectObjects(context, result, pathsOf(i));
  },
};
