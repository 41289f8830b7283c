/** Lines that cannot be used are named, with the reason; nothing else is. */
import t from 'tap';
import { LONGEST_LINE, readEventLines } from '../../../model/trace/event-lines.js';

const event = (t: number, more: object = {}): string =>
  JSON.stringify({ t: String(t), role: 'controller', action: 'ClientFin', conn: '198.18.1.2:5', seq: 1, ...more });

const read = (text: string, size = 7): ReturnType<typeof readEventLines> => {
  const bytes = Buffer.from(text);
  const pieces = [];
  for (let at = 0; at < bytes.length; at += size) pieces.push(bytes.subarray(at, at + size));
  return readEventLines(pieces);
};

const handOff = (t: number, handoff: number): string =>
  event(t, { action: 'HandOff', backend: 'backend0', handoff, seq: 1, ack: 1 });

t.test('whole traces, in pieces of any size', async (t) => {
  const text = `${event(1)}\n${event(1)}\n${event(2)}\n`;
  for (const size of [1, 2, 100, 1000]) {
    const lines = read(text, size);
    t.ok(lines.ok);
    t.match(lines, { events: [{ line: 1 }, { line: 2, t: 1n }, { line: 3, fields: { seq: 1 } }] });
  }
  t.match(read(`${event(1)}\n${event(2)}`), { ok: true }, 'the last line break may be missing');
});

t.test('lines that cannot be used', async (t) => {
  const bad: readonly (readonly [string, string, string])[] = [
    ['unknown action', `${event(1)}\n${event(2, { action: 'Handover' })}\n`, 'line 2: unknown action "Handover"'],
    ['no action', `${event(1, { action: null })}\n`, 'line 1: unknown action (none)'],
    ['an inherited name', `${event(1, { action: 'constructor' })}\n`, 'line 1: unknown action "constructor"'],
    ['a gap: an empty line', `${event(1)}\n\n${event(2)}\n`, 'line 2: a gap: nothing is on it'],
    ['a gap: a hole', `${event(1)}\n\0\0\0\n${event(2)}\n`, 'line 2: a gap: nothing is on it'],
    ['a gap: a hand-off', `${handOff(1, 4)}\n${handOff(2, 6)}\n`, 'line 2: a gap: no event tells of hand-off 5'],
    ['time backwards', `${event(9)}\n${event(7)}\n`, 'line 2: time runs backwards, by 2 ns'],
    ['a megabyte', `${event(1)}\n${'x'.repeat(1 << 20)}\n`, `line 2: longer than ${LONGEST_LINE} bytes`],
    ['a megabyte without end', `${event(1)}\n${'x'.repeat(1 << 20)}`, `line 2: longer than ${LONGEST_LINE} bytes`],
    ['cut off', `${event(1)}\n${event(2).slice(0, -9)}`, 'line 2: cut off: the file ends within it'],
    ['not JSON', `${event(1)}\nhello\n${event(2)}\n`, 'line 2: not JSON'],
    ['a list', '[]\n', 'line 1: not a JSON object'],
    ['nothing', '', 'line 1: no event: the file is empty'],
    ['no time', `${event(1, { t: 5 })}\n`, 'line 1: t: a time is a decimal count of nanoseconds, as text'],
    [
      'a stranger',
      `${event(1, { role: 'client' })}\n`,
      'line 1: role: it is controller, switch, or backend0, backend1, ...',
    ],
    ['no number', `${event(1, { seq: 'x' })}\n`, 'line 1: ClientFin without seq (a number)'],
    [
      'no sequence number',
      `${event(1, { seq: 2 ** 32 })}\n`,
      'line 1: seq: a sequence number is a whole number below 2^32',
    ],
    ['a nested field', `${event(1, { more: {} })}\n`, 'line 1: more: a field is a text, a number, true, false or null'],
    ['no connection', `${event(1, { conn: 'x' })}\n`, "line 1: conn: it is the client's address:port, or null"],
  ];
  for (const [name, text, error] of bad)
    for (const size of [5, 1 << 16]) t.same(read(text, size), { ok: false, error }, name);
});
