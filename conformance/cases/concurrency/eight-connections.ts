/** Eight connections whose hand-offs interleave. */
import type { ConformanceCase } from '../case.js';
import { expectObjects, gets, runAll, script } from '../vocabulary.js';

const ROUND = ['/a/1', '/b/8k', '/a/64k', '/b/0', '/b/1', '/a/8k', '/b/64k', '/a/0'];

/** Connection `i` starts at another place of the round. */
const STORIES = ROUND.map((_, i) => [...ROUND.slice(i), ...ROUND.slice(0, i)]);

export const eightConnections: ConformanceCase = {
  id: 'HOF-7.eight-connections',
  clauses: ['HOF-7', 'HOF-6', 'SWT-8', 'BKD-1'],
  summary: 'Eight connections are handed off at once, each in its own order; every response reaches its own client.',
  worlds: ['sim', 'linux'],
  options: { serviceDelayMs: 20 },
  async run(context) {
    const results = await runAll(
      context,
      STORIES.map((paths) => script(...gets(...paths))),
    );
    for (const [i, result] of results.entries()) expectObjects(context, result, STORIES[i] ?? []);
  },
};
