/** The streaming judge against the one that sees a whole run at once: the same verdicts, counts and words, whatever is done to the frames. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import t from 'tap';
import { writeTraffic } from '../../cli/bench/traffic.js';
import { CHECKS, judgeAll } from '../../conformance/checks/index.js';
import { UNSEEN } from '../../conformance/checks/unseen.js';
import { analyse } from '../../conformance/flows/judged.js';
import { judgeFiles } from '../../conformance/stream/judge-files.js';
import { DEFAULT_LIMITS, StreamJudge, type StreamLimits } from '../../conformance/stream/stream-judge.js';
import { CaptureParser } from '../../harness/capture/parser.js';
import { encodePcapng, readCapture } from '../../harness/capture/pcapng.js';
import { CaptureSource } from '../../harness/capture/source.js';
import type { Topology } from '../../harness/topology.js';
import type { ControlLogEntry } from '../../harness/world.js';
import { TcpFlag } from '../../reference-impl/wire/tcp.js';
import { CLAUSES, compareClauses } from '../../spec/requirements.js';
import { body, get, ok, read, requestEnd, Story, Talk, type Vantage, write } from './story.js';

interface Told {
  readonly clause: string;
  readonly verdict: string;
  readonly exercised: number;
  readonly message: string;
  readonly frames: readonly number[];
}

const told = (
  findings: readonly {
    clause: string;
    finding: { verdict: string; exercised: number; message: string; evidence: readonly { frame: number }[] };
  }[],
): Told[] =>
  findings.map(({ clause, finding: { verdict, exercised, message, evidence } }) => ({
    clause,
    verdict,
    exercised,
    message,
    frames: evidence.map(({ frame }) => frame),
  }));

function streamed(
  bytes: Uint8Array,
  topology: Topology,
  entries?: readonly ControlLogEntry[],
  limits: StreamLimits = DEFAULT_LIMITS,
  piece = bytes.length,
): { told: Told[]; regular: number; irregular: number } {
  const log = entries && { name: 'story.control.ndjson', entries };
  const judge = new StreamJudge(topology, log, limits);
  const parser = new CaptureParser(judge.file('story.pcapng', undefined), false);
  for (let at = 0, have = 0; at < bytes.length; ) {
    have = Math.min(bytes.length, at + have + piece) - at;
    const used = parser.parse(bytes.subarray(at), have, at + have === bytes.length);
    at += used;
    have -= used;
    judge.sweep();
    if (at + have === bytes.length) break;
  }
  const outcome = judge.finish();
  if ('error' in outcome) throw new Error(outcome.error);
  const { findings, regular, irregular } = outcome;
  return { told: told(findings), regular, irregular };
}

function whole(bytes: Uint8Array, topology: Topology, entries?: readonly ControlLogEntry[]): Told[] {
  const outcome = analyse({
    captures: [{ name: 'story.pcapng', bytes }],
    topology,
    ...(entries ? { controlLog: { name: 'story.control.ndjson', entries } } : {}),
  });
  if (!outcome.ok) throw new Error(outcome.error);
  return told(judgeAll(outcome.judged));
}

/** Everything that is regular, on two connections that overlap. */
function regularStory(): Story {
  const story = new Story();
  const talk = new Talk(story, 40000);
  const other = new Talk(story, 40001);
  talk.connect();
  other.connect();
  read(talk, '/a/8k', 8192);
  read(other, '/b/1k', 1024, {
    respond: () => {
      other.fromServer('backend1', { payload: ok(2800) });
      const at = other.server.next;
      other.fromServer('backend1', { payload: body(1400, 1), lost: true });
      other.fromServer('backend1', { payload: body(2800, 1).subarray(1400) });
      other.fromClient();
      read(talk, '/b/1k', 1024);
      other.fromServer('backend1', { at, payload: body(1400, 1) });
      other.fromClient();
    },
  });
  write(talk, '/a/w', 6000);
  read(talk, '/b/0', 0);
  write(other, '/a/w', 100);
  talk.close();
  other.close();
  return story;
}

t.test('every check says what it counts in a regular connection', async (t) => {
  for (const { clause, regular } of CHECKS) t.type(regular, 'function', clause);
});

t.test('every clause is judged, or has a reason why no capture shows it', async (t) => {
  const seen = CHECKS.map(({ clause }) => clause);
  const unseen = UNSEEN.map(({ clause }) => clause);
  const all = CLAUSES.map(({ id }) => id).filter((id) => !/^(VAR|KNI|MEM)/.test(id));
  t.same([...seen, ...unseen].sort(compareClauses), all);
});

t.test('what is regular is recognised, and counted as the checks count it', async (t) => {
  const story = regularStory();
  const { told: findings, regular, irregular } = streamed(story.capture(), story.topology);
  t.same([regular, irregular], [2, 0]);
  t.same(findings, whole(story.capture(), story.topology));
  const logged = streamed(story.capture(), story.topology, story.sortedEntries());
  t.same([logged.regular, logged.irregular], [0, 2], 'a control log has to be read beside the frames');
  t.same(logged.told, whole(story.capture(), story.topology, story.sortedEntries()));
});

t.test('a run of the simulated world', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'prism-stream-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  for (const loss of [0, 0.01]) {
    const traffic = await writeTraffic(folder, 6000, 7, loss);
    const bytes = readFileSync(traffic.path);
    const all = streamed(bytes, traffic.topology);
    t.equal(all.regular + all.irregular, traffic.connections);
    if (loss === 0) t.equal(all.irregular, 0);
    t.same(all.told, whole(bytes, traffic.topology), `loss ${loss}`);
    // Memory for a few connections only: nothing is held against anybody, and nothing that passed is lost.
    const tight = { heldBytes: 2_500_000, openBytes: 6_000_000, flowBytes: 8_000_000, waitingBytes: 200_000 };
    const few = streamed(bytes, traffic.topology, undefined, tight, 50_000);
    t.same(
      few.told.map(({ clause, verdict }) => [clause, verdict]),
      all.told.map(({ clause, verdict }) => [clause, verdict]),
      `loss ${loss}, little memory`,
    );
  }
});

t.test('out of order within one file, and a file a vantage', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'prism-stream-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  const traffic = await writeTraffic(folder, 8000, 5, 0.003);
  const bytes = readFileSync(traffic.path);
  const capture = readCapture(bytes);
  if (!capture.ok) throw new Error(capture.error.detail);
  const names = capture.interfaces.map(({ name }) => name ?? '');
  const recorded = capture.frames.map((frame) => ({ ...frame, interfaceName: names[frame.interfaceIndex] ?? '' }));
  const begin = recorded[0]?.timestampNs ?? 0n;
  // As a capture that is written interface by interface, a stretch of 100 ms each time.
  const late = [...recorded].sort(
    (a, b) =>
      Number((a.timestampNs - begin) / 100_000_000n) - Number((b.timestampNs - begin) / 100_000_000n) ||
      a.interfaceIndex - b.interfaceIndex,
  );
  const expected = streamed(bytes, traffic.topology);
  const shuffled = streamed(
    encodePcapng(names, late),
    traffic.topology,
    undefined,
    { ...DEFAULT_LIMITS, heldBytes: 4_000_000 },
    100_000,
  );
  const verdicts = ({ told: list }: { told: Told[] }) =>
    list.map(({ clause, verdict, exercised }) => [clause, verdict, exercised]);
  t.same(verdicts(shuffled), verdicts(expected));
  const files = names.map((name) => {
    const path = join(folder, `${name}.pcapng`);
    writeFileSync(
      path,
      encodePcapng(
        [name],
        recorded.filter(({ interfaceName }) => interfaceName === name),
      ),
    );
    return { name: path, path };
  });
  const outcome = await judgeFiles({
    files,
    topology: traffic.topology,
    limits: { ...DEFAULT_LIMITS, heldBytes: 1_000_000 },
  });
  if (!outcome.ok) throw new Error(outcome.error);
  t.same(verdicts({ told: told(outcome.findings) }), verdicts(expected));
  t.equal(outcome.regular, expected.regular);
});

t.test('memory is bounded by what is open, not by the size of the file', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'prism-stream-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  const traffic = await writeTraffic(folder, 30_000, 3, 0);
  const judge = new StreamJudge(traffic.topology, undefined, { ...DEFAULT_LIMITS, heldBytes: 5_000_000 });
  const source = CaptureSource.open(traffic.path, judge.file('x', undefined));
  let most = 0;
  while (await source.step()) {
    most = Math.max(most, judge.held);
    judge.sweep();
  }
  source.close();
  const outcome = judge.finish();
  t.match(outcome, { irregular: 0, regular: traffic.connections, notes: [] });
  t.ok(traffic.bytes > 25_000_000, `${traffic.bytes} bytes in the file`);
  t.ok(most < 8_000_000, `${most} bytes held at most`);
});

const base = regularStory();
const { frames, topology } = base;
const vantage = fc.constantFrom<Vantage>('client', 'controller', 'backend0', 'backend1');
type Recorded = (typeof frames)[number];

/** Frames with something done to one of them. */
const damage = fc.oneof(
  fc.record({ what: fc.constant('drop' as const), index: fc.nat(frames.length - 1) }),
  fc.record({ what: fc.constant('double' as const), index: fc.nat(frames.length - 1), late: fc.nat(2000) }),
  fc.record({
    what: fc.constant('delay' as const),
    index: fc.nat(frames.length - 1),
    late: fc.integer({ min: -3000, max: 300_000 }),
  }),
  fc.record({ what: fc.constant('move' as const), index: fc.nat(frames.length - 1), to: vantage }),
  fc.record({
    what: fc.constant('change' as const),
    index: fc.nat(frames.length - 1),
    at: fc.nat(120),
    value: fc.nat(255),
    /** Whether the TCP checksum is made right again. */
    mend: fc.boolean(),
  }),
);

function damaged(changes: readonly (typeof damage extends fc.Arbitrary<infer D> ? D : never)[]): Recorded[] {
  const made: Recorded[] = [...frames];
  for (const change of changes) {
    const frame = made[change.index];
    if (frame === undefined) continue;
    if (change.what === 'drop') made.splice(change.index, 1);
    else if (change.what === 'double') made.push({ ...frame, t: frame.t + change.late });
    else if (change.what === 'delay') made[change.index] = { ...frame, t: frame.t + change.late };
    else if (change.what === 'move') made[change.index] = { ...frame, vantage: change.to };
    else {
      const bytes = frame.bytes.slice();
      const at = change.at % bytes.length;
      bytes[at] = change.value;
      if (change.mend) mend(bytes);
      made[change.index] = { ...frame, bytes };
    }
  }
  return made.sort((a, b) => a.t - b.t);
}

/** Makes the checksums of an unfragmented TCP segment right. */
function mend(bytes: Uint8Array): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const length = view.getUint16(16);
  if (bytes[14] !== 0x45 || length < 40 || 14 + length > bytes.length) return;
  const sum = (from: number, to: number, initial: number): number => {
    let total = initial;
    for (let at = from; at < to; at += 2) total += at + 1 < to ? view.getUint16(at) : (bytes[at] ?? 0) << 8;
    while (total > 0xffff) total = (total & 0xffff) + (total >>> 16);
    return ~total & 0xffff;
  };
  view.setUint16(24, 0);
  view.setUint16(24, sum(14, 34, 0));
  view.setUint16(50, 0);
  let pseudo = 6 + length - 20;
  for (const at of [26, 28, 30, 32]) pseudo += view.getUint16(at);
  view.setUint16(50, sum(34, 14 + length, pseudo));
}

t.test('whatever is done to single frames, both judges say the same', async (t) => {
  let recognised = 0;
  fc.assert(
    fc.property(fc.array(damage, { minLength: 1, maxLength: 3 }), (changes) => {
      const bytes = base.capture(damaged(changes));
      const { told: findings, regular } = streamed(bytes, topology);
      recognised += regular;
      const expected = whole(bytes, topology);
      // A segment that arrives as another port's is judged beside its connection, not as part of it.
      const elsewhere = changes.some(({ what, index, ...change }) => {
        const at = what === 'change' && 'at' in change ? change.at % (frames[index]?.bytes.length ?? 1) : 0;
        return at >= 26 && at < 38;
      });
      const doubtless = (list: readonly Told[]) =>
        list.map((one) => ({ ...one, message: one.message.replace(/; not judged: .*/, '') }));
      const verdicts = (list: readonly Told[]) => list.map(({ clause, verdict, frames }) => [clause, verdict, frames]);
      if (elsewhere) t.same(verdicts(findings), verdicts(expected));
      else t.same(doubtless(findings), doubtless(expected));
    }),
    { numRuns: 250 },
  );
  t.ok(recognised > 100, `${recognised} connections were still recognised`);
});

t.test('what a backend must not do is never regular', async (t) => {
  const offences: [string, (talk: Talk) => void][] = [
    ['SWT-6', (talk) => read(talk, '/a/1', 500, { respond: () => respond(talk, (wire) => ({ ...wire, window: 9 })) })],
    ['SWT-5', (talk) => read(talk, '/a/1', 500, { respond: () => respond(talk, (wire) => ({ ...wire, id: 7 })) })],
    ['REQ-6', (talk) => read(talk, '/a/1', 500, {}, 'backend1')],
    [
      'REQ-2',
      (talk) =>
        read(talk, '/a/1', 500, {
          headerAck: () => {
            talk.server.ack = requestEnd(talk, get('/a/1')) + 1;
            talk.fromServer('controller', { window: 0 });
          },
        }),
    ],
    [
      'HOF-4',
      (talk) => {
        read(talk, '/a/1', 500);
        talk.fromServer('backend0', { flags: TcpFlag.ACK });
      },
    ],
  ];
  for (const [clause, offend] of offences) {
    const story = new Story();
    const talk = new Talk(story);
    talk.connect();
    offend(talk);
    talk.close();
    const { told: findings, regular } = streamed(story.capture(), story.topology);
    t.equal(regular, 0, clause);
    t.match(
      findings.find((one) => one.clause === clause),
      { verdict: 'fail' },
      clause,
    );
    t.same(findings, whole(story.capture(), story.topology), clause);
  }

  function respond(talk: Talk, arrives: NonNullable<Parameters<Talk['fromServer']>[1]>['arrives']): void {
    talk.fromServer('backend0', { payload: ok(500) });
    talk.fromServer('backend0', { payload: body(500, 3), ...(arrives && { arrives }) });
    talk.fromClient();
  }
});
