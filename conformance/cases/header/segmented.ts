/** Headers that come in pieces: two, many, with something behind, and never whole. */
import type { ConformanceCase } from '../case.js';
import { logged } from '../evidence.js';
import {
  bodyText,
  expectObjects,
  expectReadBack,
  expectStored,
  expectWriteAndRead,
  gets,
  header,
  pause,
  putText,
  QUIET_MS,
  response,
  runAll,
  runOne,
  script,
  send,
  writeHeader,
} from '../vocabulary.js';

const pathOf = (position: number) => (position % 2 === 0 ? '/a/1k' : '/b/1k');

export const splitEverywhereAtOnce: ConformanceCase = {
  id: 'REQ-1.header-split-everywhere-at-once',
  clauses: ['REQ-1', 'REQ-2', 'REQ-3', 'HOF-1', 'HOF-7'],
  summary:
    'As many connections as a header has bytes send theirs in two segments, each split behind another byte, at once.',
  worlds: ['sim', 'linux'],
  // Held for a while, so that the hand-offs overlap.
  options: { serviceDelayMs: 100 },
  async run(context) {
    const fields = ['Accept: */*', 'User-Agent: split'];
    const length = header('GET', '/a/1k', ...fields).length;
    const positions = Array.from({ length: length - 1 }, (_, i) => i + 1);
    const results = await runAll(
      context,
      positions.map((at) => {
        const text = header('GET', pathOf(at), ...fields);
        return script(send(text.slice(0, at)), pause(QUIET_MS), send(text.slice(at)), response());
      }),
    );
    for (const [i, result] of results.entries()) expectObjects(context, result, [pathOf(positions[i] ?? 0)]);
  },
};

const PIECES = 60;

export const inManySegments: ConformanceCase = {
  id: 'REQ-1.header-in-sixty-segments',
  clauses: ['REQ-1', 'REQ-2', 'REQ-3', 'BKD-1'],
  summary: 'A header of 6 KB comes in sixty segments, cut through names, values and line ends, and is handed off once.',
  worlds: ['sim', 'linux'],
  async run(context) {
    const text = header('GET', '/a/8k', ...Array.from({ length: 60 }, (_, i) => `X-Field-${i}: ${'v'.repeat(85)}`));
    const size = Math.ceil(text.length / PIECES);
    const pieces = Array.from({ length: PIECES }, (_, i) => text.slice(i * size, (i + 1) * size));
    const steps = pieces.flatMap((piece) => [send(piece), pause(5)]);
    expectObjects(context, await runOne(context, script(...steps, response(), ...gets('/b/1'))), ['/a/8k', '/b/1']);
  },
};

const BODY = { size: 700, seed: 71 };

/** Where a write is cut: into the segments of these lengths, the rest behind. */
const CUTS = (() => {
  const whole = writeHeader(BODY, '/a/w0').length;
  return [
    { name: "before the header's last byte", cuts: [whole - 1] },
    { name: "behind the header's last byte", cuts: [whole] },
    { name: 'behind the first byte of the payload', cuts: [whole + 1] },
    { name: "around the header's last line end", cuts: [whole - 3, whole - 1, whole + 1] },
    { name: "before the payload's last byte", cuts: [whole + BODY.size - 1] },
    { name: 'in the middle of both', cuts: [20, whole + 350] },
  ];
})();

export const writeCutInAwkwardPlaces: ConformanceCase = {
  id: 'REQ-5.write-cut-in-awkward-places',
  clauses: ['REQ-5', 'REQ-1', 'REQ-2', 'REQ-4', 'BKD-2'],
  summary:
    'Header and payload of six writes are cut around the place where they meet: every payload arrives once, whole.',
  worlds: ['sim', 'linux'],
  async run(context) {
    const results = await runAll(
      context,
      CUTS.map(({ cuts }, i) => {
        const text = putText(`/a/w${i}`, BODY);
        const edges = [0, ...cuts, text.length];
        const pieces = edges.slice(1).map((end, at) => text.slice(edges[at], end));
        return script(
          ...pieces.flatMap((piece) => [send(piece), pause(QUIET_MS)]),
          response('PUT'),
          send(header('GET', `/a/w${i}`)),
          response(),
        );
      }),
    );
    context.expectOk(results);
    for (const { responses } of results) {
      expectStored(context, responses[0], BODY);
      expectReadBack(context, responses[1], BODY);
    }
  },
};

const IDLE_MS = 1200;

export const headerThatNeverEnds: ConformanceCase = {
  id: 'REQ-1.header-that-never-ends',
  clauses: ['REQ-1', 'RET-6'],
  summary:
    'A client sends a header slowly and never ends it: nobody hands it off, and it is let go once it falls silent.',
  worlds: ['sim', 'linux'],
  options: { bounds: { idleMs: IDLE_MS } },
  async run(context) {
    const lines = ['GET /a/8k HTTP/1.1\r\n', 'Host: p\r\n', ...Array.from({ length: 8 }, (_, i) => `X-${i}: y\r\n`)];
    const idleMs = context.world.topology.bounds?.idleMs;
    // A target that declares no bound may keep it for as long as the client stays.
    const end = idleMs === undefined ? pause(IDLE_MS) : ({ do: 'wait-close' } as const);
    const [slow, other] = await runAll(context, [
      script(...lines.flatMap((text) => [send(text), pause(60)]), end),
      script(...gets('/a/8k'), pause(100), ...gets('/b/8k')),
    ]);
    if (slow) {
      const ended = idleMs === undefined || slow.closedBy === 'server-rst' || slow.closedBy === 'server-fin';
      context.expect(
        ended,
        `expected the server to end an idle connection, saw ${slow.closedBy ?? slow.error ?? 'nothing'}`,
      );
    }
    if (other) expectObjects(context, other, ['/a/8k', '/b/8k']);
  },
  afterwards({ control, expect }) {
    const ports = new Set(
      logged(control, 'handoff', 'sent').map(({ message }) =>
        message.verb === 'handoff' ? message.conn.client.port : 0,
      ),
    );
    expect(ports.size <= 1, `expected hand-offs of the other client only, saw those of ${ports.size} clients`);
  },
};

export const emptyLinesBefore: ConformanceCase = {
  id: 'REQ-2.empty-line-before-a-request',
  clauses: ['REQ-2', 'REQ-1', 'REQ-5'],
  summary: 'Empty lines before a request line are skipped, and their bytes count as the header does (RFC 9112 §2.2).',
  worlds: ['sim', 'linux'],
  async run(context) {
    const write = `\r\n${putText('/a/written', BODY)}`;
    const read = `\r\n${header('GET', '/a/written')}`;
    const result = await runOne(context, script(send(write), response('PUT'), send(read), response()));
    context.expectOk([result]);
    expectStored(context, result.responses[0], BODY);
    expectReadBack(context, result.responses[1], BODY);
  },
};

export const payloadByteByByte: ConformanceCase = {
  id: 'BKD-2.payload-byte-by-byte',
  clauses: ['BKD-2', 'REQ-4', 'HOF-2'],
  summary: "A write's payload comes one byte a segment, each acknowledged by its backend, the next request behind it.",
  worlds: ['sim', 'linux'],
  async run(context) {
    const body = { size: 60, seed: 72 };
    const bytes = [...bodyText(body)].flatMap((byte) => [send(byte), pause(4)]);
    await expectWriteAndRead(
      context,
      [send(writeHeader(body, '/b/written')), pause(QUIET_MS), ...bytes],
      body,
      '/b/written',
    );
  },
};
