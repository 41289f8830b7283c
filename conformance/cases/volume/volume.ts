/** Much of everything: hand-offs on one connection, connections at once, bytes in one response. */
import type { ConformanceCase } from '../case.js';
import { client, expectObjects, get, gets, runAll, runOne } from '../vocabulary.js';

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

function large(name: string, words: string, slow: boolean): ConformanceCase {
  return {
    id: `BKD-1.object-of-${name}`,
    clauses: ['BKD-1', 'BKD-6', 'HOF-2', 'SWT-2'],
    summary: `An object of ${words} is read whole by curl from one backend, and a small one behind it from the other.`,
    worlds: ['linux'],
    programs: ['curl'],
    ...(slow && { slow }),
    // Of so many frames the headers are enough.
    options: { largeObjects: [`/a/${name}`], ...(slow && { captureLength: 256 }) },
    async run(context) {
      const job = { ...client('curl', get(`/a/${name}`), get('/b/8k')), timeoutMs: slow ? 1_200_000 : 120_000 };
      expectObjects(context, await runOne(context, job), [`/a/${name}`, '/b/8k']);
    },
  };
}

export const objectOf64MB = large('64m', '64 MiB', false);

export const objectOf1GB = large('1g', '1 GiB', true);
