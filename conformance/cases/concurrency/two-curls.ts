/** Two curls at once, each alternating between the backends. */
import type { ConformanceCase } from '../case.js';
import { client, expectObjects, get, runAll } from '../vocabulary.js';

const FORTH = Array.from({ length: 10 }, (_, i) => (i % 2 === 0 ? '/a/8k' : '/b/64k'));
const BACK = [...FORTH].reverse();

export const twoCurls: ConformanceCase = {
  id: 'HOF-7.two-curls',
  clauses: ['HOF-7', 'HOF-6', 'SWT-8'],
  summary: 'Two curls read from both backends at once, on a connection each, and neither disturbs the other.',
  worlds: ['sim', 'linux'],
  programs: ['curl'],
  // Each connection is handed off long enough to meet the other one.
  options: { serviceDelayMs: 20 },
  async run(context) {
    const stories = [FORTH, BACK];
    const results = await runAll(
      context,
      stories.map((paths) => client('curl', ...paths.map(get))),
    );
    for (const [i, result] of results.entries()) expectObjects(context, result, stories[i] ?? []);
  },
};
