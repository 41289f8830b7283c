/** curl keeps one connection over fifty requests that belong to two backends in turn. */
import type { ConformanceCase } from '../case.js';
import { CONNECTS, HANDS_OFF, READS } from '../premises.js';
import { client, expectObjects, get, runOne } from '../vocabulary.js';

const PATHS = Array.from({ length: 50 }, (_, i) => (i % 2 === 0 ? '/a/1k' : '/b/1k'));

export const curlAlternates: ConformanceCase = {
  id: 'HOF-6.curl-alternates-backends',
  clauses: ['HOF-6', ...CONNECTS, ...HANDS_OFF, ...READS],
  summary: 'curl makes 50 requests on one connection, to the two backends in turn.',
  worlds: ['sim', 'linux'],
  programs: ['curl'],
  async run(context) {
    expectObjects(context, await runOne(context, client('curl', ...PATHS.map(get))), PATHS);
  },
};
