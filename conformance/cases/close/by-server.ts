/** The request asks for the connection to end with the response, and the server ends it. */
import type { ConformanceCase } from '../case.js';
import { expectObjects, expectServerClosed, header, response, runOne, script, send, waitClose } from '../vocabulary.js';

function closesAfter(id: string, summary: string, text: string): ConformanceCase {
  return {
    id,
    clauses: ['RET-4', 'RET-6', 'RET-1', 'BKD-9', 'HOF-4'],
    summary,
    worlds: ['sim', 'linux'],
    async run(context) {
      const result = await runOne(context, script(send(text), response(), waitClose));
      expectObjects(context, result, ['/a/8k']);
      expectServerClosed(context, result);
    },
  };
}

export const connectionClose = closesAfter(
  'RET-4.connection-close',
  'A request with Connection: close is answered whole, and then the server sends its FIN (RFC 9112 §9.6).',
  header('GET', '/a/8k', 'Connection: close'),
);

export const http10 = closesAfter(
  'RET-4.http-1.0',
  'An HTTP/1.0 request is answered whole, and then the server sends its FIN (RFC 9112 §9.3).',
  'GET /a/8k HTTP/1.0\r\n\r\n',
);
