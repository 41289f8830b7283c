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

t.test('any text gives a message or an error', async () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
      const decoded = decodeControlLine(text);
      return decoded.ok || decoded.error.length > 0;
    }),
  );
});
