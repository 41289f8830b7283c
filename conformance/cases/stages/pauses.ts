/** A hand-off in which nobody says anything for a while: a rule lasts until it is removed, not until it is forgotten (SWT-1). */
import { generateBody } from '../../../harness/objects.js';
import type { ConformanceCase } from '../case.js';
import { expectStored, header, pause, response, runOne, script, send } from '../vocabulary.js';

/** Longer than flow tables' usual shortest patience. */
const SILENCE_MS = 3_000;
const BODY = { size: 3000, seed: 84 };
const PAYLOAD = Buffer.from(generateBody(BODY)).toString('latin1');
const HALF = 1000;

export const quietWrite: ConformanceCase = {
  id: 'SWT-1.quiet-within-a-payload',
  clauses: ['SWT-1', 'SWT-2', 'REQ-4'],
  summary: 'A client is silent in the middle of a payload for three seconds; its rule is still there when it goes on.',
  worlds: ['sim', 'linux'],
  async run(context) {
    const result = await runOne(
      context,
      script(
        send(header('PUT', '/a/quiet', `Content-Length: ${BODY.size}`)),
        pause(40),
        send(PAYLOAD.slice(0, HALF)),
        pause(SILENCE_MS),
        send(PAYLOAD.slice(HALF)),
        response('PUT'),
      ),
    );
    context.expectOk([result]);
    expectStored(context, result.responses[0], BODY);
  },
};
