/** Byte streams, HTTP boundaries and packets across vantages, by themselves. */
import t from 'tap';
import { readRequest, readResponse } from '../../conformance/flows/http.js';
import { analyse } from '../../conformance/flows/judged.js';
import { ByteStream } from '../../conformance/flows/stream.js';
import { body, get, ok, put, read, Story, Talk } from './story.js';

const bytes = (text: string): Uint8Array => Buffer.from(text, 'latin1');

function streamOf(...texts: readonly string[]): ByteStream {
  const stream = new ByteStream();
  let at = 0;
  for (const text of texts) {
    stream.insert(at, bytes(text));
    at += text.length;
  }
  return stream;
}

t.test('a stream is filled in any order, and the first capture of a byte counts', async (t) => {
  const stream = new ByteStream();
  t.equal(stream.insert(10, bytes('world')), undefined);
  t.equal(stream.contiguousEnd(0), 0);
  t.equal(stream.insert(0, bytes('hello')), undefined);
  t.equal(stream.insert(3, bytes('lo, my wo')), undefined);
  t.equal(Buffer.from(stream.read(0, 100)).toString(), 'hello, my world');
  t.equal(stream.insert(8, bytes('ewe')), 8, 'where it contradicts what is known');
  t.equal(stream.contiguousEnd(0), 15);
});

t.test('requests begin and end where RFC 9112 says', async (t) => {
  const text = `\r\n${put('/a/w', 5)}12345POST /c HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nX: y\r\n\r\n${get('/x')}`;
  const stream = streamOf(text);
  const first = readRequest(stream, 0);
  t.match(first, {
    kind: 'message',
    message: { method: 'PUT', target: '/a/w', kind: 'write', start: 2, chunked: false },
  });
  if (first.kind !== 'message' || first.message.end === undefined) return;
  t.equal(first.message.end - first.message.headerEnd, 5);
  const second = readRequest(stream, first.message.end);
  t.match(second, { kind: 'message', message: { method: 'POST', kind: 'write', chunked: true } });
  if (second.kind !== 'message' || second.message.end === undefined) return;
  t.match(readRequest(stream, second.message.end), {
    kind: 'message',
    message: { method: 'GET', kind: 'read', target: '/x' },
  });
  t.match(readRequest(stream, text.length), { kind: 'none' });
  t.match(readRequest(streamOf('GET / HT'), 0), { kind: 'partial' });
  t.match(readRequest(streamOf('nonsense\r\n\r\n'), 0), { kind: 'unreadable' });
  t.match(readRequest(streamOf('PUT / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n'), 0), {
    kind: 'unreadable',
  });
});

t.test('responses include their interim ones', async (t) => {
  const text = `HTTP/1.1 100 Continue\r\n\r\n${ok(3)}abc`;
  t.match(readResponse(streamOf(text), 0, 'PUT', undefined), {
    kind: 'message',
    message: { status: 200, start: 0, finalStart: 25, end: text.length, untilClose: false },
  });
  t.match(readResponse(streamOf(ok(3)), 0, 'HEAD', undefined), { message: { end: ok(3).length } });
  t.match(readResponse(streamOf('HTTP/1.0 200 OK\r\n\r\nabc'), 0, 'GET', 22), {
    message: { end: 22, untilClose: true, close: true },
  });
  t.match(readResponse(streamOf('HTTP/1.1 100 Continue\r\n\r\n'), 0, 'PUT', undefined), { kind: 'partial' });
});

t.test('a packet is followed across vantages, duplicates and losses too', async (t) => {
  const story = new Story();
  const talk = new Talk(story);
  talk.connect();
  read(talk, '/a/1', 3000, {
    respond: () => {
      talk.fromServer('backend0', { payload: ok(3000) });
      const lost = talk.server.next;
      talk.fromServer('backend0', { payload: body(1400), lost: true });
      talk.fromServer('backend0', { at: lost, payload: body(1400) });
      talk.fromServer('backend0', { payload: body(1600, 2) });
      talk.fromClient();
    },
  });
  const last = story.frames.findLast(({ vantage }) => vantage === 'client');
  const frames = [...story.frames, ...(last ? [{ ...last, t: last.t + 100 }] : [])];
  const outcome = analyse({ captures: [{ name: 'c', bytes: story.capture(frames) }], topology: story.topology });
  if (!outcome.ok) throw new Error(outcome.error);
  const { packets, handoffs } = outcome.judged;
  t.equal(packets.filter(({ sent }) => sent === undefined).length, 0, 'everything has a sender');
  t.same(
    packets.filter(({ arrivals }) => arrivals.length !== 1).map(({ arrivals }) => arrivals.length),
    [0, 2],
  );
  t.match(handoffs, [
    {
      handoff: { backend: 'backend0', shownBy: 'its segments' },
      request: { target: '/a/1' },
      response: { status: 200 },
    },
  ]);
});

t.test('a later connection of the same port is another one', async (t) => {
  const story = new Story();
  const talk = new Talk(story);
  talk.connect();
  read(talk, '/a/1', 100);
  talk.close();
  const { judged } = judge(story);
  t.same(
    judged.connections.map(({ name }) => name),
    ['198.18.1.2:40000'],
  );
  t.ok(judged.connections[0]?.ended, 'it ended');
});

function judge(story: Story): { judged: Extract<ReturnType<typeof analyse>, { ok: true }>['judged'] } {
  const outcome = analyse({ captures: [{ name: 'c', bytes: story.capture() }], topology: story.topology });
  if (!outcome.ok) throw new Error(outcome.error);
  return outcome;
}
