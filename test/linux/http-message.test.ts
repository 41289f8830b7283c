/** The response reader of the plain-socket client: whole, partial and malformed messages. */
import t from 'tap';
import { readResponse } from '../../harness/clients/http-message.js';

const bytes = (text: string) => Buffer.from(text, 'latin1');

t.test('a body by length, whatever is behind it', (t) => {
  const text = 'HTTP/1.1 200 OK\r\nContent-Length: 3\r\nETag: "x"\r\n\r\nabcHTTP/1.1';
  const read = readResponse(bytes(text), 0, false, false);
  if (read.kind !== 'whole') throw new Error(read.kind);
  t.equal(read.message.status, 200);
  t.equal(Buffer.from(read.message.body).toString(), 'abc');
  t.equal(read.message.headers.get('etag'), '"x"');
  t.equal(read.message.end, text.length - 8);
  t.end();
});

t.test('every proper beginning asks for more', (t) => {
  const texts = [
    'HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc',
    'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 201 Created\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n',
  ];
  for (const text of texts) {
    for (let n = 0; n < text.length; n++)
      t.equal(readResponse(bytes(text.slice(0, n)), 0, false, false).kind, 'more', `${n} bytes`);
    const read = readResponse(bytes(text), 0, false, false);
    t.equal(read.kind === 'whole' && Buffer.from(read.message.body).toString(), 'abc');
  }
  t.end();
});

t.test('HEAD, 204 and 304 have no body; without a length the close ends it', (t) => {
  const head = bytes('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n');
  t.equal(readResponse(head, 0, true, false).kind, 'whole');
  t.equal(readResponse(bytes('HTTP/1.1 204 No Content\r\n\r\n'), 0, false, false).kind, 'whole');
  t.equal(readResponse(bytes('HTTP/1.1 304 Not Modified\r\n\r\n'), 0, false, false).kind, 'whole');
  const untilClose = bytes('HTTP/1.0 200 OK\r\n\r\nrest');
  t.equal(readResponse(untilClose, 0, false, false).kind, 'more');
  const read = readResponse(untilClose, 0, false, true);
  t.equal(read.kind === 'whole' && Buffer.from(read.message.body).toString(), 'rest');
  t.end();
});

t.test('malformed messages are named', (t) => {
  for (const text of [
    'SSH-2.0-x\r\n\r\n',
    'HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n',
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n',
  ])
    t.equal(readResponse(bytes(text), 0, false, false).kind, 'malformed', text);
  t.end();
});
