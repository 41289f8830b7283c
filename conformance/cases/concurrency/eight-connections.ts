/** Eight connections whose hand-offs interleave. */
import type { ConformanceCase } from '../case.js';
import { expectStored, gets, header, response, runAll, script, send, sendBody } from '../vocabulary.js';

const PATHS = ['/a/1', '/b/8k', '/a/64k', '/b/0', '/b/1', '/a/8k', '/b/64k', '/a/0'];

/** Connection `i` writes something of its own, then reads three objects from another place of the list than its neighbours. */
const STORIES = PATHS.map((_, i) => ({
  write: i % 2 === 0 ? `/a/written-${i}` : `/b/written-${i}`,
  body: { size: 3000 + i, seed: 30 + i },
  reads: [...PATHS.slice(i), ...PATHS].slice(0, 3),
}));

export const eightConnections: ConformanceCase = {
  id: 'HOF-7.eight-connections',
  clauses: ['HOF-7', 'HOF-6', 'BKD-1', 'BKD-2'],
  summary: 'Eight connections are handed off at once, each in its own order; every response reaches its own client.',
  worlds: ['sim', 'linux'],
  // A backend acknowledges a payload at once and answers late: all that time it visibly owns the connection, and meets the others'.
  options: { serviceDelayMs: 250 },
  async run(context) {
    const results = await runAll(
      context,
      STORIES.map(({ write, body, reads }) =>
        script(
          send(header('PUT', write, `Content-Length: ${body.size}`)),
          sendBody(body),
          response('PUT'),
          ...gets(...reads),
        ),
      ),
    );
    context.expectOk(results);
    for (const [i, { responses }] of results.entries()) {
      const story = STORIES[i];
      if (!story) continue;
      expectStored(context, responses[0], story.body);
      for (const [j, path] of story.reads.entries()) context.expectBody(responses[j + 1], 200, path);
    }
  },
};
