/** Pipelined requests, two to ten deep: reads, writes and both, across backends; none lost, none done twice (RET-7). */
import type { ConformanceCase } from '../case.js';
import { bodyText, expectObjects, expectReadBack, header, response, runAll, script, send } from '../vocabulary.js';

/** Payload of a full segment on Ethernet with time stamps. */
const SEGMENT = 1448;

/**
 * A header that fills a segment. A Linux client takes no measure of the round trip from an acknowledgement that covers part of a segment, and so
 * doubles its time-out at every hand-off while several requests share one: ten requests would take minutes, of anybody's making.
 */
function fullHeader(method: string, path: string, ...fields: readonly string[]): string {
  const bare = header(method, path, ...fields, 'X-Pad: ').length;
  return header(method, path, ...fields, `X-Pad: ${'x'.repeat(SEGMENT - bare)}`);
}

/** A write of two full segments. */
const fullWrite = (path: string, seed: number): string =>
  fullHeader('PUT', path, `Content-Length: ${SEGMENT}`) + bodyText({ size: SEGMENT, seed });

const DEPTHS = [2, 3, 4, 5, 6, 7, 8, 9, 10];
const OBJECTS = ['/a/8k', '/b/1k', '/a/1', '/b/8k', '/a/64k', '/b/0', '/a/1k', '/b/64k', '/b/1', '/a/0'];

export const readsTwoToTenDeep: ConformanceCase = {
  id: 'RET-7.reads-two-to-ten-deep',
  clauses: ['RET-7', 'BKD-3', 'REQ-2', 'HOF-6', 'HOF-7'],
  summary:
    'Nine connections pipeline two to ten reads in one segment, to both backends in turn: each is answered in order.',
  worlds: ['sim', 'linux'],
  // Held for a while, so that the hand-offs overlap.
  options: { serviceDelayMs: 100 },
  async run(context) {
    const stories = DEPTHS.map((depth) => OBJECTS.slice(0, depth));
    const results = await runAll(
      context,
      stories.map((paths) =>
        script(send(paths.map((path) => fullHeader('GET', path)).join('')), ...paths.map(() => response())),
      ),
    );
    for (const [i, result] of results.entries()) expectObjects(context, result, stories[i] ?? []);
  },
};

const bodyOf = (depth: number, i: number) => ({ size: SEGMENT, seed: 100 * depth + i });

/**
 * Every write of a connection goes to one path, which nobody else writes: the first is answered 201, all others 200, and what is read at
 * last is what was written last. A write that is done twice is answered twice or in the wrong place; one that is lost leaves another body.
 */
export const writesTwoToTenDeep: ConformanceCase = {
  id: 'RET-7.writes-two-to-ten-deep',
  clauses: ['RET-7', 'BKD-2', 'REQ-5', 'REQ-2', 'HOF-7'],
  summary:
    'Nine connections pipeline two to ten writes of one object and a read of it: each write is done once, in order.',
  worlds: ['sim', 'linux'],
  // Held for a while, so that the hand-offs overlap.
  options: { serviceDelayMs: 40 },
  async run(context) {
    const results = await runAll(
      context,
      DEPTHS.map((depth) => {
        const path = `/${depth % 2 === 0 ? 'a' : 'b'}/deep-${depth}`;
        const writes = Array.from({ length: depth }, (_, i) => fullWrite(path, bodyOf(depth, i).seed));
        return script(
          send(writes.join('') + fullHeader('GET', path)),
          ...writes.map(() => response('PUT')),
          response(),
        );
      }),
    );
    context.expectOk(results);
    for (const [i, { responses }] of results.entries()) {
      const depth = DEPTHS[i] ?? 0;
      const said = responses
        .slice(0, depth)
        .map(({ status }) => status)
        .join(' ');
      const wanted = ['201', ...Array.from({ length: depth - 1 }, () => '200')].join(' ');
      context.expect(
        said === wanted,
        `expected the first of ${depth} writes to create, the others to replace: ${wanted}, got ${said}`,
        // A second execution is RET-7's; an answer that is missing, or no success, has another cause.
        /^20[01]( 20[01])*$/.test(said) && said.length === wanted.length ? undefined : 'service',
      );
      expectReadBack(context, responses[depth], bodyOf(depth, depth - 1));
    }
  },
};

const MIXED = { size: SEGMENT, seed: 91 };

export const mixedAcrossBackends: ConformanceCase = {
  id: 'RET-7.reads-and-writes-across-backends',
  clauses: ['RET-7', 'BKD-2', 'BKD-3', 'HOF-6', 'REQ-2'],
  summary: 'Reads and writes for both backends are pipelined ten deep in one go: each is done once, where it belongs.',
  worlds: ['sim', 'linux'],
  async run(context) {
    const texts = [
      fullHeader('GET', '/a/8k'),
      fullWrite('/b/mixed', MIXED.seed),
      fullHeader('GET', '/b/mixed'),
      fullWrite('/a/mixed', 92),
      fullHeader('HEAD', '/b/8k'),
      fullHeader('GET', '/a/mixed'),
      fullWrite('/a/mixed', MIXED.seed),
      fullHeader('GET', '/b/1'),
      fullHeader('GET', '/a/mixed'),
      fullHeader('GET', '/b/64k'),
    ];
    const methods = texts.map((text) => (text.startsWith('HEAD') ? 'HEAD' : 'GET'));
    const jobs = [script(send(texts.join('')), ...methods.map((method) => response(method)))];
    const [result] = await runAll(context, jobs);
    if (!result) return;
    context.expectOk([result]);
    const { responses } = result;
    context.expectBody(responses[0], 200, '/a/8k');
    expectReadBack(context, responses[2], MIXED);
    expectReadBack(context, responses[5], { ...MIXED, seed: 92 });
    expectReadBack(context, responses[8], MIXED);
    context.expectBody(responses[9], 200, '/b/64k');
    const statuses = [1, 3, 6].map((i) => responses[i]?.status).join(' ');
    context.expect(
      statuses === '201 201 200',
      `expected the writes to be answered 201 201 200, got ${statuses}`,
      'service',
    );
  },
};

/** The client hears of nothing for a while, and sends everything again. */
export const writeUnderLoss: ConformanceCase = {
  id: 'RET-7.pipelined-writes-under-loss',
  clauses: ['RET-7', 'BKD-2', 'REQ-5'],
  summary: 'Acknowledgements of pipelined writes are lost, so that the client sends them again: each is done once.',
  worlds: ['sim', 'linux'],
  options: { faults: [{ kind: 'drop', match: { to: 'client', payload: false, flags: ['ACK'] }, nth: [2, 3, 4] }] },
  async run(context) {
    const writes = [0, 1, 2].map((i) => fullWrite('/a/lossy', bodyOf(1, i).seed));
    const [result] = await runAll(context, [
      script(send(writes.join('') + header('GET', '/a/lossy')), ...writes.map(() => response('PUT')), response()),
    ]);
    if (!result) return;
    context.expectOk([result]);
    const said = result.responses
      .slice(0, 3)
      .map(({ status }) => status)
      .join(' ');
    context.expect(said === '201 200 200', `expected the writes to be answered 201 200 200, got ${said}`, 'service');
    expectReadBack(context, result.responses[3], bodyOf(1, 2));
  },
};
