/** curl asks for a header without a body, and for an object that is not there. */
import type { ConformanceCase } from '../case.js';
import { CONNECTS, HANDS_OFF, READS } from '../premises.js';
import { client, get, head, runOne } from '../vocabulary.js';

export const curlHeadAndMissing: ConformanceCase = {
  id: 'BKD-1.curl-head-and-missing',
  clauses: [...CONNECTS, ...HANDS_OFF, ...READS],
  summary: 'A HEAD gets no body, a missing object gets 404, and the connection carries the next request all the same.',
  worlds: ['sim', 'linux'],
  programs: ['curl'],
  async run(context) {
    const heads = await runOne(context, client('curl', head('/a/8k'), head('/b/8k')));
    context.expectOk([heads]);
    for (const i of [0, 1]) {
      const answer = heads.responses[i];
      const got = answer ? `status ${answer.status} with ${answer.bodySize} bytes of body` : 'no response';
      context.expect(
        answer?.status === 200 && answer.bodySize === 0,
        `HEAD: expected status 200 and no body, got ${got}`,
        'service',
      );
    }
    const missing = await runOne(context, client('curl', get('/a/nothing-here'), get('/b/8k')));
    context.expectOk([missing]);
    const status = missing.responses[0]?.status;
    context.expect(status === 404, `missing object: expected status 404, got ${status ?? 'no response'}`, 'service');
    context.expectBody(missing.responses[1], 200, '/b/8k');
  },
};
