/** Control lines: what encodes decodes, everything else is named, nothing throws. */
import fc from 'fast-check';
import t from 'tap';
import {
  type ControlMessage,
  decodeControlLine,
  encodeControlLine,
  MAX_CONTROL_LINE,
} from '../../reference-impl/control/messages.js';

const conn = { client: { ip: '198.18.1.2', port: 40000 }, logical: { ip: '198.18.0.80', port: 80 } };
const MESSAGES: ControlMessage[] = [
  {
    verb: 'add',
    id: '1',
    rule: {
      conn,
      backend: { name: 'backend0', ip: '198.18.10.2', mac: '02:50:52:00:10:02' },
      zeroWindow: true,
      clearFin: true,
    },
  },
  { verb: 'remove', id: '2', conn },
  { verb: 'list', id: '3' },
  { verb: 'ok', re: '3', rules: [] },
  { verb: 'refused', re: '1', code: 'full', reason: 'table full' },
];

t.test('round trip, one line each', async (t) => {
  for (const message of MESSAGES) {
    const line = encodeControlLine(message);
    t.equal(line.indexOf('\n'), line.length - 1);
    t.same(decodeControlLine(line), { ok: true, message });
  }
});

t.test('what is not a message is named', async (t) => {
  const wrong = (line: string) => {
    const decoded = decodeControlLine(line);
    return decoded.ok ? 'accepted' : decoded.error;
  };
  t.equal(wrong('{'), 'not JSON');
  t.match(wrong('{"verb":"dance","id":"1"}'), /verb/);
  t.match(wrong('{"verb":"list"}'), /id/);
  t.match(wrong('{"verb":"list","id":"1","extra":1}'), /extra/);
  t.match(
    wrong(JSON.stringify({ verb: 'remove', id: '1', conn: { ...conn, client: { ip: '1.2.3', port: 0 } } })),
    /conn\.client/,
  );
  t.match(wrong(`"${'x'.repeat(MAX_CONTROL_LINE)}"`), /longer/);
});

t.test('a line is measured in bytes of UTF-8, without its newline', async (t) => {
  const refused = (reason: string) => JSON.stringify({ verb: 'refused', re: '1', code: 'full', reason });
  const room = MAX_CONTROL_LINE - refused('').length;
  const error = (line: string) => {
    const decoded = decodeControlLine(line);
    return decoded.ok ? 'accepted' : decoded.error;
  };
  t.notMatch(error(refused('x'.repeat(room))), /longer/, 'exactly as long as it may be');
  t.match(error(refused('x'.repeat(room + 1))), /longer/);
  t.match(error(refused('\u00e4'.repeat(room / 2 + 1))), /longer/, 'two bytes each');
});

t.test('ids are 1 to 128 characters; of a key that comes twice the last counts', async (t) => {
  const takes = (line: string) => decodeControlLine(line).ok;
  t.ok(takes(`{"verb":"list","id":"${'x'.repeat(128)}"}`));
  t.notOk(takes(`{"verb":"list","id":"${'x'.repeat(129)}"}`));
  t.notOk(takes('{"verb":"list","id":""}'));
  t.ok(takes(`{"verb":"list","id":"${'\u00e4'.repeat(128)}"}`), 'characters, not bytes');
  t.same(decodeControlLine('{"verb":"list","id":"1","id":"2"}'), { ok: true, message: { verb: 'list', id: '2' } });
  t.ok(takes(' {"id":"1","verb":"list"}\r'), 'white space around it and the order of keys mean nothing');
});

t.test('any text gives a message or an error', async () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
      const decoded = decodeControlLine(text);
      return decoded.ok || decoded.error.length > 0;
    }),
  );
});
