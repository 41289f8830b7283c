/** Several reads for different backends in one segment. */
import type { ConformanceCase } from '../case.js';
import { expectObjects, header, response, runAll, script, send } from '../vocabulary.js';

const STORIES = [
  ['/a/8k', '/b/8k'],
  ['/b/1', '/a/64k', '/a/1', '/b/0'],
];

export const pipelinedReads: ConformanceCase = {
  id: 'RET-7.pipelined-reads',
  clauses: ['RET-7', 'REQ-2', 'REQ-3', 'BKD-3', 'HOF-6', 'SWT-6', 'RET-2'],
  summary: 'Requests for both backends sent in one segment are answered one by one, in order, none lost or repeated.',
  worlds: ['sim', 'linux'],
  // The client repeats what it sent early after 200 ms on Linux, and meets the backend that serves the request before.
  options: { serviceDelayMs: 250 },
  async run(context) {
    const jobs = STORIES.map((paths) =>
      script(send(paths.map((path) => header('GET', path)).join('')), ...paths.map(() => response())),
    );
    const results = await runAll(context, jobs);
    for (const [i, result] of results.entries()) expectObjects(context, result, STORIES[i] ?? []);
  },
};
