/** The client has said all it will say while a write is handed off. */
import type { ConformanceCase } from '../case.js';
import {
  expectReadBack,
  expectServerClosed,
  expectStored,
  header,
  pause,
  putText,
  QUIET_MS,
  response,
  runAll,
  runOne,
  script,
  send,
  sendBody,
  shutdown,
  waitClose,
} from '../vocabulary.js';

/** More than an initial congestion window (RFC 6928), so that its tail and the FIN queue up and leave together. */
const LARGE = { size: 64 * 1024, seed: 16 };
const SMALL = { size: 300, seed: 17 };

export const finBehindPayload: ConformanceCase = {
  id: 'RET-3.fin-behind-write-payload',
  clauses: ['RET-3', 'SWT-7', 'BKD-4', 'BKD-2', 'REQ-4', 'RET-6'],
  summary: 'The client closes its side with the last payload byte; it gets its response, and then the close completes.',
  worlds: ['sim', 'linux'],
  // The backend still owes its response when the FIN comes.
  options: { serviceDelayMs: 300 },
  async run(context) {
    const results = await runAll(context, [
      script(
        send(header('PUT', '/a/large', `Content-Length: ${LARGE.size}`)),
        pause(QUIET_MS),
        sendBody(LARGE),
        shutdown,
        response('PUT'),
        waitClose,
      ),
      script(send(putText('/b/small', SMALL)), shutdown, response('PUT'), waitClose),
    ]);
    context.expectOk(results);
    const bodies = [LARGE, SMALL];
    for (const [i, result] of results.entries()) {
      expectStored(context, result.responses[0], bodies[i] ?? SMALL);
      expectServerClosed(context, result);
    }
    const back = await runOne(context, script(send(header('GET', '/a/large')), response()));
    expectReadBack(context, back.responses[0], LARGE);
  },
};
