/** Responses out of the bytes that a client received: any bytes give responses or a reason, whole ones are found. */
import * as fc from 'fast-check';
import t from 'tap';
import { readResponses } from '../../harness/clients/received.js';
import { typedRequest } from '../../harness/clients/typed-request.js';

const text = (body: string) => `HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n${body}`;

t.test('pipelined responses are told apart, however much has come', async () => {
  fc.assert(
    fc.property(
      fc.array(fc.string({ unit: fc.constantFrom('a', 'b', '\r', '\n') }), { maxLength: 5 }),
      fc.nat(),
      (bodies, cut) => {
        const bytes = Buffer.from(bodies.map(text).join(''), 'latin1');
        const part = bytes.subarray(0, cut % (bytes.length + 1));
        const sizes = readResponses(
          part,
          bodies.map(() => 'GET' as const),
          false,
        ).responses.map((r) => r.bodySize);
        const endOf = (count: number) => bodies.slice(0, count).map(text).join('').length;
        const whole = bodies.filter((_, i) => endOf(i + 1) <= part.length).map((body) => body.length);
        return JSON.stringify(sizes) === JSON.stringify(whole);
      },
    ),
  );
});

t.test('any bytes are read without an exception', async () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), fc.boolean(), (bytes, closed) => {
      readResponses(bytes, ['GET', 'HEAD'], closed);
      return true;
    }),
  );
});

t.test('a typed request is the header and then the body', async (t) => {
  const put = typedRequest({ method: 'PUT', path: '/x', body: { size: 3, seed: 1 } }, 'h:81').toString('latin1');
  t.match(put, /^PUT \/x HTTP\/1\.1\r\nHost: h:81\r\nContent-Length: 3\r\n\r\n[a-p]{3}$/);
  t.match(typedRequest({ method: 'POST', path: '/x' }, 'h').toString('latin1'), /\r\nContent-Length: 0\r\n\r\n$/);
});
