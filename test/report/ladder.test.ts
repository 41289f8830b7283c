/** Ladders from captures: rows, numbers, marks, what is left out; and which problem of a report shows which frame. */
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import t from 'tap';
import type { JudgeInput } from '../../conformance/judge.js';
import { drawLadders } from '../../conformance/report/ladder/draw.js';
import { laddersOf } from '../../conformance/report/ladder/problems.js';
import { isGap, isMarked, type Ladder, type LadderGap, type LadderRow } from '../../conformance/report/ladder/rows.js';
import { ladderText } from '../../conformance/report/ladder/text.js';
import { windowed } from '../../conformance/report/ladder/window.js';
import { problemKey } from '../../conformance/report/matrix.js';
import { NO_SINGLE_FRAME } from '../../conformance/verdict.js';
import { TcpFlag } from '../../reference-impl/wire/tcp.js';
import { get, read, Story, Talk } from '../conformance/story.js';
import { resultOf } from './documents.js';

const LIMITS = { rows: 60, ladders: 3 };
const CAPTURE = 'sim/story/capture.pcapng';
const LOG = 'sim/story/capture.control.ndjson';

function inputOf(story: Story): JudgeInput {
  return {
    captures: [{ name: CAPTURE, bytes: story.capture() }],
    topology: story.topology,
    controlLog: { name: LOG, entries: story.sortedEntries() },
  };
}

const at = (frame: number, note = 'here', capture = CAPTURE) => ({ capture, frame, note });
const rowsOf = (ladder: Ladder | undefined): LadderRow[] => (ladder?.rows ?? []).filter((row) => row.kind !== 'gap');

function oneRead(): { story: Story; talk: Talk } {
  const story = new Story();
  const talk = new Talk(story);
  talk.connect();
  read(talk, '/a/1', 100);
  talk.close();
  return { story, talk };
}

t.test(
  'every frame of the connection is a row between its vantage and the switch; control messages stand between them',
  async (t) => {
    const { story } = oneRead();
    const { ladders, undrawn } = drawLadders(inputOf(story), [at(9, 'too far')], LIMITS);
    t.same(undrawn, []);
    t.equal(ladders.length, 1);
    const [ladder] = ladders;
    t.match(ladder, {
      files: [CAPTURE, LOG],
      conversation: '198.18.1.2:40000',
      filter: 'ip.addr == 198.18.1.2 && tcp.port == 40000',
      columns: ['client', 'switch', 'controller', 'backend0'],
    });
    const rows = rowsOf(ladder);
    t.same(
      rows.filter(({ kind }) => kind === 'frame').map(({ number }) => number),
      story.frames.map((_, i) => i + 1),
    );
    t.match(rows[0], { t: 0, number: 1, from: 'client', to: 'switch', label: 'SYN seq 0 win 64240', marks: [] });
    t.match(rows[1], { number: 2, from: 'switch', to: 'controller', label: 'SYN seq 0 win 64240' });
    t.match(rows[3], { from: 'switch', to: 'client', label: 'SYN seq 0 ack 1 win 65535' });
    const header = get('/a/1').length;
    t.match(rows[6], { number: 7, label: `PSH seq 1:${1 + header} ack 1 win 64128 len ${header} "GET /a/1"` });
    t.match(rows[8], { number: 9, from: 'controller', to: 'switch', marks: ['too far'] });
    const said = rows.filter(({ kind }) => kind === 'control');
    t.same(
      said.slice(0, 4).map(({ from, to, label }) => `${from}>${to} ${label}`),
      [
        'controller>switch add rule to backend0, window 0, clear FIN (+0.100 ms)',
        'switch>controller ok to add (+0.100 ms)',
        `controller>backend0 hand-off 4000001 seq 1 ack ${1 + header} "GET /a/1" (+0.100 ms)`,
        'backend0>controller ok to handoff (+0.100 ms)',
      ],
    );
    t.same(
      rows.map((row) => row.t),
      rows.map((row) => row.t).sort((a, b) => a - b),
      'in order of time',
    );
  },
);

t.test('numbers, lengths, windows and times are what tshark shows', async (t) => {
  const { story } = oneRead();
  const file = join(t.testdir(), 'capture.pcapng');
  writeFileSync(file, story.capture());
  const fields = ['frame.number', 'frame.time_relative', 'tcp.seq', 'tcp.ack', 'tcp.window_size', 'tcp.len'];
  // Wireshark takes each pair of addresses for a connection: only those of the client and the logical one have their handshake in it.
  const shown = execFileSync('tshark', [
    ...['-n', '-r', file, '-Y', 'ip.addr == 198.18.0.80', '-T', 'fields', ...fields.flatMap((name) => ['-e', name])],
  ]).toString();
  const rows = new Map(
    rowsOf(drawLadders(inputOf(story), [at(1)], { ...LIMITS, rows: 500 }).ladders[0])
      .filter(({ kind }) => kind === 'frame')
      .map((row) => [row.number, row]),
  );
  const lines = shown.trim().split('\n');
  t.ok(lines.length > 20, `${lines.length} frames`);
  for (const line of lines) {
    const [number = '', time = '', seq = '', ack = '', window = '', length = ''] = line.split('\t');
    const row = rows.get(Number(number));
    t.equal(row && (row.t / 1e9).toFixed(6), Number(time).toFixed(6));
    const end = Number(length) > 0 ? `:${Number(seq) + Number(length)}` : '';
    t.match(row?.label, new RegExp(`seq ${seq}${end} `), `frame ${number}`);
    if (Number(ack) > 0) t.match(row?.label, new RegExp(`ack ${ack} win ${window}( |$)`), `frame ${number}`);
  }
});

t.test('evidence of a control log marks the message, whichever end logged it', async (t) => {
  const { story } = oneRead();
  const sent = story.line(({ verb }) => verb === 'handoff');
  for (const line of [sent, sent + 1]) {
    const { ladders, undrawn } = drawLadders(inputOf(story), [at(line, 'too early', LOG)], LIMITS);
    t.same(undrawn, []);
    t.match(rowsOf(ladders[0]).filter(isMarked), [{ kind: 'control', number: sent, marks: ['too early'] }]);
  }
});

t.test('a ladder a connection; a port that is used again is another', async (t) => {
  const story = new Story();
  const first = new Talk(story);
  first.connect();
  read(first, '/a/1', 10);
  first.close();
  const other = new Talk(story, 40001);
  other.connect();
  const again = story.frames.length + 1;
  const second = new Talk(story);
  second.client.next = 5000;
  const { clients } = story.topology;
  t.ok(clients);
  second.fromClient({ at: 4000, flags: TcpFlag.SYN });
  second.fromClient({ at: 4001 });
  const ladders = drawLadders(inputOf(story), [at(1), at(again), at(again - 1)], LIMITS).ladders;
  t.same(
    ladders.map(({ conversation }) => conversation),
    ['198.18.1.2:40000', '198.18.1.2:40000#2', '198.18.1.2:40001'],
  );
  t.match(rowsOf(ladders[1]), [{ number: again, label: /^SYN seq 0/ }, {}, { label: /^seq 1 / }, {}]);
  t.equal(drawLadders(inputOf(story), [at(1), at(again)], { ...LIMITS, ladders: 1 }).undrawn.length, 1);
});

t.test('an address that should not show is said', async (t) => {
  const story = new Story();
  const talk = new Talk(story);
  talk.connect();
  talk.fromServer('backend0', { payload: 'HTTP/1.1 200 OK' });
  const ladder = drawLadders(inputOf(story), [at(1)], LIMITS).ladders[0];
  t.match(rowsOf(ladder).at(-1), { from: 'switch', to: 'client', label: /\(from the address of backend0\)$/ });
  t.notMatch(rowsOf(ladder).at(-2)?.label, /address/);
});

t.test('captures of several files are one ladder, whose rows say the file', async (t) => {
  const { story } = oneRead();
  const { frames } = story;
  const vantages = ['client', 'controller', 'backend0'] as const;
  const captures = vantages.map((vantage) => ({
    name: `run/${vantage}.pcapng`,
    bytes: story.capture(frames.filter((frame) => frame.vantage === vantage)),
  }));
  const { ladders } = drawLadders(
    { captures, topology: story.topology },
    [at(2, 'x', 'run/controller.pcapng')],
    LIMITS,
  );
  t.equal(ladders.length, 1);
  const [ladder] = ladders;
  if (ladder === undefined) return;
  t.match(ladder.files, ['run/client.pcapng', 'run/controller.pcapng', 'run/backend0.pcapng']);
  t.equal(rowsOf(ladder).length, frames.length);
  t.match(rowsOf(ladder).filter(isMarked), [{ file: 1, number: 2, label: /^SYN seq 0 ack 1/ }]);
  t.match(
    ladderText(ladder).find((line) => line.startsWith('>')),
    / 2 controller\.pcapng /,
  );
});

t.test('where no single frame decides, the connection that ended last or was reset is drawn, unmarked', async (t) => {
  const { story } = oneRead();
  const other = new Talk(story, 40001);
  other.connect();
  const undecided = [at(1, NO_SINGLE_FRAME)];
  const drawn = drawLadders(inputOf(story), undecided, LIMITS);
  t.match(drawn, { ladders: [{ conversation: '198.18.1.2:40001' }], undrawn: undecided });
  t.same(drawn.ladders[0]?.rows.filter(isMarked), []);
  new Talk(story, 40002).connect();
  other.fromServer('controller', { flags: TcpFlag.RST | TcpFlag.ACK });
  new Talk(story, 40003).connect();
  t.match(drawLadders(inputOf(story), undecided, LIMITS).ladders, [{ conversation: '198.18.1.2:40001' }]);
});

t.test('evidence that is nowhere stays undrawn', async (t) => {
  const { story } = oneRead();
  const nowhere = [at(9999), at(1, 'x', 'other.pcapng'), at(9999, 'x', LOG)];
  t.same(drawLadders(inputOf(story), nowhere, LIMITS), { ladders: [], undrawn: nowhere });
});

t.test('any bytes for a capture: rows or none, and no exception', async () => {
  const { story } = oneRead();
  const whole = story.capture();
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.nat(whole.length - 1), fc.nat(255)), { maxLength: 40 }),
      fc.integer({ min: 1, max: 40 }),
      (changes, frame) => {
        const bytes = whole.slice();
        for (const [offset, value] of changes) bytes[offset] = value;
        const input = { ...inputOf(story), captures: [{ name: CAPTURE, bytes }] };
        const { ladders, undrawn } = drawLadders(input, [at(frame)], LIMITS);
        for (const ladder of ladders) ladderText(ladder);
        return ladders.length + undrawn.length === 1;
      },
    ),
    { numRuns: 300, seed: 3 },
  );
});

const row = (number: number, marked: boolean): LadderRow => ({
  kind: 'frame',
  t: number,
  file: 0,
  number,
  from: 'client',
  to: 'switch',
  label: '',
  marks: marked ? ['x'] : [],
});

t.test('a long conversation keeps what is marked, its surroundings, its beginning and its end', async (t) => {
  const rows = Array.from({ length: 1000 }, (_, i) => row(i + 1, i === 500));
  const shown = windowed(rows, 20);
  const numbers = shown.map((r) => (isGap(r) ? -r.left : r.number));
  t.equal(shown.filter((r) => !isGap(r)).length, 20);
  t.equal(numbers[0], 1);
  t.equal(numbers.at(-1), 1000);
  const mark = numbers.indexOf(501);
  t.ok(mark > 0);
  t.same(numbers.slice(mark - 5, mark + 4), [496, 497, 498, 499, 500, 501, 502, 503, 504]);
  t.ok(numbers.filter((n) => n > 0 && n < 501 && n > 400).length > numbers.filter((n) => n > 501 && n < 600).length);
});

t.test('rows and gaps always add up, marks are the last to go, and cutting twice is cutting once', async () => {
  fc.assert(
    fc.property(fc.array(fc.boolean(), { maxLength: 80 }), fc.integer({ min: 1, max: 40 }), (marked, limit) => {
      const rows = marked.map((m, i) => row(i + 1, m));
      const size = (all: readonly (LadderRow | LadderGap)[]) => all.reduce((n, r) => n + (isGap(r) ? r.left : 1), 0);
      const shown = windowed(rows, limit);
      const kept = shown.filter((r) => !isGap(r)).length;
      const marks = (all: readonly (LadderRow | LadderGap)[]) => all.filter(isMarked).length;
      return (
        size(shown) === rows.length &&
        kept === Math.min(limit, rows.length) &&
        marks(shown) === Math.min(limit, marks(rows)) &&
        !shown.some((r, i) => isGap(r) && isGap(shown[i + 1] ?? row(0, false))) &&
        size(windowed(shown, Math.max(1, limit - 3))) === rows.length
      );
    }),
    { numRuns: 500, seed: 4 },
  );
});

t.test('as text: an arrow from column to column, dashed for control messages', async (t) => {
  const ladder: Ladder = {
    files: ['a.pcapng', 'a.control.ndjson'],
    conversation: 'c',
    filter: '',
    columns: ['client', 'switch', 'controller', 'backend0'],
    rows: [
      { ...row(1, false), label: 'SYN' },
      { kind: 'gap', left: 1 },
      { ...row(12, true), from: 'switch', to: 'backend0', t: 1_500_000, label: 'seq 1' },
      { ...row(3, false), kind: 'control', from: 'backend0', to: 'controller', file: 1, t: 2e9, label: 'complete' },
    ],
  };
  t.same(ladderText(ladder), [
    '     time   frame  client     switch     controller backend0',
    ' 0.000000       1    |--------->|          |          |        SYN',
    '                     |          |          |          |        ... 1 row left out ...',
    '>0.001500      12    |          |----------|--------->|        seq 1',
    '                     |          |          |          |        ^ x',
    ' 2.000000  line 3    |          |          |<- - - - -|        complete',
  ]);
  t.match(ladderText({ ...ladder, files: ['x/a.pcap', 'x/b.pcap'] })[1], / 1 a\.pcap /, 'several files are told apart');
});

t.test('a frame that several problems name is drawn with the first', async (t) => {
  const { story } = oneRead();
  const input = inputOf(story);
  const problem = (id: string, ...frames: number[]) => ({
    column: 'sim',
    result: resultOf(id, 'fail', { evidence: frames.map((frame) => at(frame)) }),
  });
  const [a, b, c] = [problem('a', 3), problem('check.A', 3, 5), problem('check.B', 3)];
  const missing = { column: 'sim', result: resultOf('d', 'fail', { evidence: [at(1, 'x', 'gone.pcapng')] }) };
  const drawn = laddersOf([a, b, c, missing], (file) =>
    file.startsWith('gone') ? { ok: false, reason: 'gone' } : { ok: true, input },
  );
  const of = (p: typeof a) => drawn.get(problemKey(p));
  t.match(of(a), { ladders: [{}], elsewhere: [], undrawn: [], notes: [] });
  t.match(of(b)?.ladders.length, 1);
  t.match(of(b)?.elsewhere, [{ frame: { frame: 3 }, problem: a }]);
  t.match(of(c), { ladders: [], elsewhere: [{ problem: a }] });
  t.match(of(missing), { ladders: [], undrawn: [{ frame: 1 }], notes: ['gone'] });
  const many = Array.from({ length: 60 }, (_, i) => problem(`p${i}`, i + 1));
  const counts = [...laddersOf(many, () => ({ ok: true, input })).values()];
  t.equal(counts.reduce((n, { ladders }) => n + ladders.length, 0) <= 40, true);
});
