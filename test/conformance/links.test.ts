/** The same run as other tools would have captured it: other links, tags, cuts, files and clocks. */
import fc from 'fast-check';
import t from 'tap';
import { judgeAll } from '../../conformance/checks/index.js';
import { analyse } from '../../conformance/flows/judged.js';
import { asEthernet } from '../../conformance/flows/link.js';
import { StreamJudge } from '../../conformance/stream/stream-judge.js';
import { CaptureParser } from '../../harness/capture/parser.js';
import type { Topology } from '../../harness/topology.js';
import { body, EPOCH, read, Story, Talk, type Vantage, write } from './story.js';

function rightStory(): Story {
  const story = new Story();
  const talk = new Talk(story);
  talk.connect();
  read(talk, '/a/8k', 8192);
  write(talk, '/b/w', 4000);
  read(talk, '/b/1k', 1024);
  talk.close();
  return story;
}

const story = rightStory();
const { frames, topology } = story;

interface Shape {
  readonly linkType?: number;
  /** Little-endian, microseconds. */
  readonly micro?: boolean;
  readonly snap?: number;
  readonly wrap?: (bytes: Uint8Array, vantage: Vantage) => Uint8Array;
}

/** A classic pcap of what some vantages saw. */
function pcap(vantages: readonly Vantage[], { linkType = 1, micro = false, snap, wrap = (b) => b }: Shape): Uint8Array {
  const header = Buffer.alloc(24);
  const u32 = (buffer: Buffer, value: number, at: number) =>
    micro ? buffer.writeUInt32LE(value, at) : buffer.writeUInt32BE(value, at);
  u32(header, micro ? 0xa1b2c3d4 : 0xa1b23c4d, 0);
  if (micro) header.writeUInt16LE(2, 4);
  else header.writeUInt16BE(2, 4);
  u32(header, 65535, 16);
  u32(header, linkType, 20);
  const records = frames
    .filter(({ vantage }) => vantages.includes(vantage))
    .map(({ t: at, bytes, vantage }) => {
      const made = wrap(bytes, vantage);
      const record = Buffer.alloc(16);
      const ns = EPOCH + BigInt(Math.round(at * 1000));
      u32(record, Number(ns / 1_000_000_000n), 0);
      u32(record, Number((ns % 1_000_000_000n) / (micro ? 1000n : 1n)), 4);
      const length = Math.min(made.length, snap ?? made.length);
      u32(record, length, 8);
      u32(record, made.length, 12);
      return Buffer.concat([record, made.subarray(0, length)]);
    });
  return Buffer.concat([header, ...records]);
}

interface File {
  readonly bytes: Uint8Array;
  readonly vantage?: string;
}

/** Verdicts by clause of both judges, which have to agree. */
function verdicts(files: readonly File[], scene: Topology = topology): Map<string, string> {
  const captures = files.map((file, n) => ({ name: `${n}.pcap`, ...file }));
  const outcome = analyse({ captures, topology: scene });
  if (!outcome.ok) throw new Error(outcome.error);
  const batch = judgeAll(outcome.judged).map(({ clause, finding }) => [clause, finding.verdict] as const);
  const judge = new StreamJudge(scene, undefined);
  for (const { name, bytes, vantage } of captures) {
    const parser = new CaptureParser(judge.file(name, vantage), false);
    parser.parse(bytes, bytes.length, true);
  }
  const streamed = judge.finish();
  if ('error' in streamed) throw new Error(streamed.error);
  t.same(
    streamed.findings.map(({ clause, finding }) => [clause, finding.verdict]),
    batch,
    'both judges agree',
  );
  return new Map(batch);
}

const ALL: readonly Vantage[] = ['client', 'controller', 'backend0', 'backend1'];
const fails = (found: ReadonlyMap<string, string>): string[] =>
  [...found].filter(([, verdict]) => verdict === 'fail').map(([clause]) => clause);
const passes = (found: ReadonlyMap<string, string>): number =>
  [...found].filter(([, verdict]) => verdict === 'pass').length;

const plain = verdicts(ALL.map((vantage) => ({ bytes: pcap([vantage], {}), vantage })));

/** 802.1Q, and 802.1ad around it. */
const tagged = (bytes: Uint8Array): Uint8Array =>
  Buffer.concat([bytes.subarray(0, 12), Buffer.from('88a8006481000065', 'hex'), bytes.subarray(12)]);

const sll = (bytes: Uint8Array, vantage: Vantage): Uint8Array => {
  const sent = Buffer.from(bytes.subarray(6, 12)).equals(macOf(vantage));
  return Buffer.concat([
    Buffer.from([0, sent ? 4 : 0, 0, 1, 0, 6]),
    bytes.subarray(6, 12),
    Buffer.from([0, 0]),
    bytes.subarray(12),
  ]);
};

const sll2 = (bytes: Uint8Array, vantage: Vantage): Uint8Array => {
  const sent = Buffer.from(bytes.subarray(6, 12)).equals(macOf(vantage));
  return Buffer.concat([
    bytes.subarray(12, 14),
    Buffer.from([0, 0, 0, 0, 0, 2, 0, 1, sent ? 4 : 0, 6]),
    bytes.subarray(6, 12),
    Buffer.from([0, 0]),
    bytes.subarray(14),
  ]);
};

function macOf(vantage: Vantage): Buffer {
  return Buffer.from(story.host(vantage).mac.toString(16).padStart(12, '0'), 'hex');
}

t.test('a file a vantage', async (t) => {
  t.same(fails(plain), []);
  t.ok(passes(plain) > 20);
});

t.test('VLAN tags, microseconds, the other byte order', async (t) => {
  t.same(verdicts(ALL.map((vantage) => ({ bytes: pcap([vantage], { wrap: tagged, micro: true }), vantage }))), plain);
});

for (const [name, shape] of [
  ['cooked', { linkType: 113, wrap: sll }],
  ['cooked, the second version', { linkType: 276, wrap: sll2 }],
  ['raw IP', { linkType: 101, wrap: (bytes: Uint8Array) => bytes.subarray(14) }],
  [
    'loopback',
    { linkType: 0, wrap: (bytes: Uint8Array) => Buffer.concat([Buffer.from([2, 0, 0, 0]), bytes.subarray(14)]) },
  ],
] as const) {
  t.test(`link type: ${name}`, async (t) => {
    t.same(verdicts(ALL.map((vantage) => ({ bytes: pcap([vantage], shape), vantage }))), plain);
  });
}

t.test('any bytes of any link type give a frame or nothing', async (t) => {
  const types = fc.constantFrom(0, 1, 12, 14, 101, 108, 113, 228, 276, 105);
  fc.assert(
    fc.property(
      types,
      fc.uint8Array({ maxLength: 60 }),
      fc.option(fc.nat(), { nil: undefined }),
      (type, bytes, own) => {
        const frame = asEthernet(type, bytes, own === undefined ? undefined : new Set([own]));
        return frame === undefined || frame.length <= bytes.length + 14;
      },
    ),
    { numRuns: 2000 },
  );
  t.pass();
});

t.test('frames of any content are taken by the stream', async (t) => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.nat(frames.length - 1), fc.nat(200), fc.nat(255), fc.nat(1600)), { maxLength: 20 }),
      (picks) => {
        const made = picks.flatMap(([index, at, value, length]) => {
          const frame = frames[index];
          if (frame === undefined) return [];
          const bytes = frame.bytes.slice(0, length);
          if (bytes.length > 0) bytes[at % bytes.length] = value;
          return [{ ...frame, bytes }];
        });
        const bytes = story.capture(made);
        const judge = new StreamJudge(topology, undefined);
        new CaptureParser(judge.file('x', undefined), false).parse(bytes, bytes.length, true);
        return !('error' in judge.finish());
      },
    ),
    { numRuns: 100 },
  );
  t.pass();
});

t.test('data behind the report by less than stamps are good for is named, and held against nobody', async (t) => {
  const near = new Story();
  const talk = new Talk(near);
  talk.connect();
  const content = body(400);
  read(talk, '/a/1', 400, {
    complete: () => {
      near.pass(2000);
      talk.complete('backend0');
      near.pass(100);
      talk.fromServer('backend0', { at: talk.server.next - 400, payload: content });
    },
  });
  const { findings } = near.judge();
  t.match(findings.get('BKD-9'), { verdict: 'inconclusive', message: /behind its report by the stamps/ });
});

t.test('an unknown link type is ignored', async (t) => {
  const captures = [{ name: 'x.pcap', bytes: pcap(['client'], { linkType: 105 }), vantage: 'client' }];
  t.match(analyse({ captures, topology }), { ok: false, error: /link type 105/ });
});

t.test('every frame cut behind its headers: numbers are judged, contents are not', async (t) => {
  const found = verdicts(ALL.map((vantage) => ({ bytes: pcap([vantage], { snap: 96 }), vantage })));
  t.same(fails(found), []);
  for (const clause of ['EST-1', 'EST-2', 'EST-3', 'BKD-8']) t.equal(found.get(clause), 'pass', clause);
  t.equal(found.get('SWT-4'), 'pass', 'the short ones are whole');
});

t.test('one file of everything, told apart by MAC addresses', async (t) => {
  t.same(verdicts([{ bytes: pcap(ALL, {}) }]), plain);
  const { mac: _, ...logical } = topology.logical;
  const blind = {
    ...topology,
    logical,
    controller: { ip: topology.controller.ip },
    clients: [],
    backends: topology.backends.map(({ name, ip }) => ({ name, ip })),
  };
  const outcome = analyse({ captures: [{ name: 'x.pcap', bytes: pcap(ALL, {}) }], topology: blind });
  t.match(outcome, { ok: false, error: /FILE@vantage/ });
});

t.test('one side only', async (t) => {
  for (const side of ALL) {
    const found = verdicts([{ bytes: pcap([side], {}), vantage: side }]);
    t.same(fails(found), [], side);
    // A backend's link does not show the handshake: nothing is known of where the streams begin.
    if (!side.startsWith('backend')) t.ok(passes(found) > 0, side);
  }
});
