/** Request headers: complete only when whole, refused when RFC 9112 says so; policies. */
import fc from 'fast-check';
import t from 'tap';
import { selectBackend } from '../../reference-impl/controller/policy.js';
import { readRequestHead } from '../../reference-impl/controller/request.js';

const LIMIT = 64 * 1024;
const GET = 'GET /a/x?q=1 HTTP/1.1\r\nHost: p\r\n\r\n';

t.test('a header is complete at its last byte and not before (REQ-1)', async (t) => {
  for (let cut = 0; cut < GET.length; cut++)
    t.equal(readRequestHead(Buffer.from(GET.slice(0, cut)), LIMIT).kind, 'incomplete');
  t.match(readRequestHead(Buffer.from(`${GET}GET`), LIMIT), {
    kind: 'complete',
    end: GET.length,
    path: '/a/x',
    request: { method: 'GET', keepAlive: true, expectContinue: false, payload: { kind: 'length', bytes: 0 } },
  });
});

t.test('what it says about payload and connection', async (t) => {
  const head = (text: string) => readRequestHead(Buffer.from(text), LIMIT);
  t.match(head('PUT /p HTTP/1.1\r\nHost: p\r\nContent-Length: 12\r\nExpect: 100-continue\r\n\r\n'), {
    request: { method: 'PUT', payload: { kind: 'length', bytes: 12 }, expectContinue: true },
  });
  t.match(head('POST /p HTTP/1.1\r\nHost: p\r\nTransfer-Encoding: Chunked\r\n\r\n'), {
    request: { payload: { kind: 'chunked' } },
  });
  t.match(head('GET /p HTTP/1.0\r\n\r\n'), { request: { keepAlive: false, minorVersion: 0 } });
  t.match(head('GET /p HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n'), { request: { keepAlive: true } });
  t.match(head('GET /p HTTP/1.1\r\nHost: p\r\nConnection: close\r\n\r\n'), { request: { keepAlive: false } });
  t.match(head('\r\nGET /p HTTP/1.1\nHost: p\n\nrest'), { kind: 'complete', end: 27 });
  t.match(head('GET http://p/q/r?s HTTP/1.1\r\nHost: p\r\n\r\n'), { path: '/q/r' });
});

t.test('what is refused (REQ-7)', async (t) => {
  const status = (text: string) => {
    const head = readRequestHead(Buffer.from(text), LIMIT);
    return head.kind === 'refused' ? head.status : head.kind;
  };
  t.equal(status('nonsense\r\n\r\n'), 400);
  t.equal(status('GET /p HTTP/1.1\r\n\r\n'), 400, 'no Host');
  t.equal(status('GET /p HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n'), 400);
  t.equal(status('GET /p HTTP/1.1\r\nHost : a\r\n\r\n'), 400, 'space before the colon');
  t.equal(status('GET /p HTTP/1.1\r\nHost: a\r\n folded\r\n\r\n'), 400);
  t.equal(status('PUT /p HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n'), 400);
  t.equal(status('PUT /p HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n'), 400);
  t.equal(status('PUT /p HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n'), 400);
  t.equal(status('GET /p HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n'), 400, 'payload on a read');
  t.equal(status('DELETE /p HTTP/1.1\r\nHost: a\r\n\r\n'), 501);
  t.equal(status('GET /p HTTP/2.0\r\nHost: a\r\n\r\n'), 505);
  t.equal(status(`GET /p HTTP/1.1\r\nX: ${'y'.repeat(LIMIT)}`), 431, 'before its end is seen');
});

t.test('any bytes give an answer', async () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), fc.boolean(), (bytes, prefixed) => {
      const head = readRequestHead(prefixed ? Buffer.concat([Buffer.from('GET / HTTP/1.1\r\n'), bytes]) : bytes, 100);
      return ['complete', 'incomplete', 'refused'].includes(head.kind);
    }),
  );
});

t.test('policies', async (t) => {
  const backends = ['backend0', 'backend1', 'backend2'];
  const map = { kind: 'path-map', map: [{ prefix: '/b/', backend: 'backend1' }], default: 'backend0' } as const;
  t.equal(selectBackend(map, backends, '/b/x', 0), 'backend1');
  t.equal(selectBackend(map, backends, '/x', 0), 'backend0');
  t.same(
    [0, 1, 2, 3].map((turn) => selectBackend({ kind: 'round-robin' }, backends, '/x', turn)),
    ['backend0', 'backend1', 'backend2', 'backend0'],
  );
  // FNV-1a of "a" is 0xe40c292c (the algorithm's published test vector).
  t.equal(selectBackend({ kind: 'path-hash' }, backends, 'a', 0), backends[0xe40c292c % 3]);
});
