/** Two curls at once, each writing first and then alternating between the backends. */
import type { ConformanceCase } from '../case.js';
import { client, expectStored, get, put, runAll } from '../vocabulary.js';

const BODY = { size: 20_000, seed: 21 };
const STORIES = [
  { write: '/a/written', reads: ['/b/64k', '/a/8k'] },
  { write: '/b/written', reads: ['/a/64k', '/b/8k'] },
];

export const twoCurls: ConformanceCase = {
  id: 'HOF-7.two-curls',
  clauses: ['HOF-7', 'HOF-6', 'BKD-1', 'BKD-2'],
  summary: 'Two curls use both backends at once, on a connection each, and neither disturbs the other.',
  worlds: ['sim', 'linux'],
  programs: ['curl'],
  // A backend acknowledges a payload at once and answers late: all that time it visibly owns the connection, and meets the other's.
  options: { serviceDelayMs: 400 },
  async run(context) {
    const results = await runAll(
      context,
      STORIES.map(({ write, reads }) => client('curl', put(write, BODY, false), ...reads.map(get))),
    );
    context.expectOk(results);
    for (const [i, { responses }] of results.entries()) {
      expectStored(context, responses[0], BODY);
      for (const [j, path] of (STORIES[i]?.reads ?? []).entries()) context.expectBody(responses[j + 1], 200, path);
    }
  },
};
