/** A chunked write, whose end only its own framing tells (RFC 9112 §7.1). */
import type { ConformanceCase } from '../case.js';
import {
  bodyText,
  expectReadBack,
  expectStored,
  header,
  pause,
  QUIET_MS,
  response,
  runOne,
  script,
  send,
} from '../vocabulary.js';

const BODY = { size: 5000, seed: 13 };

const chunk = (text: string) => `${text.length.toString(16)}\r\n${text}\r\n`;

export const chunked: ConformanceCase = {
  id: 'BKD-2.chunked-write',
  clauses: ['REQ-2', 'REQ-4', 'REQ-5', 'BKD-2', 'HOF-6'],
  summary: 'Chunks come behind the header, later, and cut in the middle of a chunk size; the next request follows.',
  worlds: ['sim', 'linux'],
  async run(context) {
    const text = bodyText(BODY);
    const chunks = [text.slice(0, 600), text.slice(600, 601), text.slice(601)].map(chunk).join('');
    const framed = `${chunks}0\r\n\r\n`;
    // Behind the 600 bytes of the first chunk: between the digit of the second one's size and its line end.
    const cut = chunk(text.slice(0, 600)).length + 1;
    const result = await runOne(
      context,
      script(
        send(header('PUT', '/a/written', 'Transfer-Encoding: chunked') + framed.slice(0, cut)),
        pause(QUIET_MS),
        send(framed.slice(cut)),
        response('PUT'),
        send(header('GET', '/b/1')),
        response(),
        send(header('GET', '/a/written')),
        response(),
      ),
    );
    context.expectOk([result]);
    expectStored(context, result.responses[0], BODY);
    context.expectBody(result.responses[1], 200, '/b/1');
    expectReadBack(context, result.responses[2], BODY);
  },
};
