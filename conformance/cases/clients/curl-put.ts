/** curl writes 8 MB, with and without asking for 100 Continue first, and reads it back. */
import type { ConformanceCase } from '../case.js';
import { CONNECTS, HANDS_OFF, WRITES } from '../premises.js';
import { client, expectReadBack, expectStored, get, put, runOne } from '../vocabulary.js';

const BODY = { size: 8 * 1024 * 1024, seed: 8 };

function curlPut(story: string, expectContinue: boolean, how: string): ConformanceCase {
  return {
    id: `BKD-2.${story}`,
    clauses: [...CONNECTS, ...HANDS_OFF, ...WRITES],
    summary: `curl writes 8 MB ${how} and reads the same 8 MB back.`,
    worlds: ['sim', 'linux'],
    programs: ['curl'],
    async run(context) {
      const path = '/a/written';
      const result = await runOne(context, client('curl', put(path, BODY, expectContinue), get(path)));
      context.expectOk([result]);
      expectStored(context, result.responses[0], BODY);
      expectReadBack(context, result.responses[1], BODY);
    },
  };
}

export const curlPutExpecting = curlPut('curl-puts-8m-expecting-continue', true, 'after 100 Continue');
export const curlPutAtOnce = curlPut('curl-puts-8m-at-once', false, 'without waiting for 100 Continue');
