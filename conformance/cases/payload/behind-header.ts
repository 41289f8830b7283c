/** A small write whose payload comes in the same segment as its header. */
import type { ConformanceCase } from '../case.js';
import { expectReadBack, expectStored, header, putText, response, runOne, script, send } from '../vocabulary.js';

const BODY = { size: 700, seed: 11 };

export const behindHeader: ConformanceCase = {
  id: 'REQ-5.payload-behind-header',
  clauses: ['REQ-2', 'REQ-4', 'REQ-5', 'BKD-2', 'HOF-1'],
  summary: 'A write in a single segment, header and payload, is stored whole and once.',
  worlds: ['sim', 'linux'],
  async run(context) {
    const result = await runOne(
      context,
      script(
        send(putText('/a/written', BODY)),
        response('PUT'),
        send(putText('/b/written', BODY)),
        response('PUT'),
        send(header('GET', '/a/written')),
        response(),
        send(header('GET', '/b/written')),
        response(),
      ),
    );
    context.expectOk([result]);
    for (const i of [0, 1]) expectStored(context, result.responses[i], BODY);
    for (const i of [2, 3]) expectReadBack(context, result.responses[i], BODY);
  },
};
