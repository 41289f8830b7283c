/** curl fetches objects from nothing to 8 MB over one connection. */
import type { ConformanceCase } from '../case.js';
import { CONNECTS, HANDS_OFF, READS } from '../premises.js';
import { client, expectObjects, get, runOne } from '../vocabulary.js';

const PATHS = ['/a/0', '/a/1', '/a/8k', '/a/8m'];

export const curlSizes: ConformanceCase = {
  id: 'BKD-1.curl-gets-every-size',
  clauses: [...CONNECTS, ...HANDS_OFF, ...READS],
  summary: 'curl fetches 0 B, 1 B, 8 KB and 8 MB over one connection and gets every byte.',
  worlds: ['sim', 'linux'],
  programs: ['curl'],
  async run(context) {
    expectObjects(context, await runOne(context, client('curl', ...PATHS.map(get))), PATHS);
  },
};
