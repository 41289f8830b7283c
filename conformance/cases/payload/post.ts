/** A POST is a write like a PUT. */
import type { ConformanceCase } from '../case.js';
import { header, pause, QUIET_MS, response, runOne, script, send, sendBody } from '../vocabulary.js';

const BODY = { size: 20_000, seed: 14 };

export const post: ConformanceCase = {
  id: 'REQ-4.post',
  clauses: ['REQ-2', 'REQ-4', 'BKD-1', 'BKD-2', 'HOF-6'],
  summary: 'A POST is handed off with the window open, its payload is taken, and the next request goes elsewhere.',
  worlds: ['sim', 'linux'],
  async run(context) {
    const result = await runOne(
      context,
      script(
        send(header('POST', '/a/posted', `Content-Length: ${BODY.size}`)),
        pause(QUIET_MS),
        sendBody(BODY),
        response('POST'),
        send(header('GET', '/b/8k')),
        response(),
      ),
    );
    context.expectOk([result]);
    // What a POST does is the resource's own business (RFC 9110 §9.3.3); that it was done is not.
    const status = result.responses[0]?.status ?? 0;
    context.expect(
      status >= 200 && status < 300,
      `POST: expected a status of success, got ${status || 'no response'}`,
      'service',
    );
    context.expectBody(result.responses[1], 200, '/b/8k');
  },
};
