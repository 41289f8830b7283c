/** Expect: 100-continue in its variants, and writes of nothing (RFC 9110 §10.1.1). */
import type { ScriptStep } from '../../../harness/world.js';
import type { ConformanceCase } from '../case.js';
import {
  bodyText,
  expectReadBack,
  expectStored,
  expectWriteAndRead,
  header,
  pause,
  QUIET_MS,
  response,
  runAll,
  runOne,
  script,
  send,
  sendBody,
} from '../vocabulary.js';

const BODY = { size: 20_000, seed: 81 };

function writes(
  story: string,
  summary: string,
  steps: readonly ScriptStep[],
  body = BODY,
  path = '/a/written',
): ConformanceCase {
  return {
    id: `REQ-4.${story}`,
    clauses: ['REQ-4', 'REQ-2', 'BKD-1'],
    summary,
    worlds: ['sim', 'linux'],
    async run(context) {
      await expectWriteAndRead(context, steps, body, path);
    },
  };
}

const expecting = header('PUT', '/a/written', `Content-Length: ${BODY.size}`, 'Expect: 100-continue');

export const expectAndWait = writes(
  'expect-and-wait',
  'A client asks for 100 Continue and waits: the backend lets the payload come, and stores it.',
  [send(expecting), pause(150), sendBody(BODY)],
);

export const expectAndSend = writes(
  'expect-and-send-at-once',
  'A client asks for 100 Continue and sends the payload without waiting: it is stored once.',
  [send(expecting), sendBody(BODY)],
);

const SMALL = { size: 300, seed: 82 };

export const expectInOneSegment = writes(
  'expect-with-payload-in-its-segment',
  'A client asks for 100 Continue with the payload in the same segment: it is stored once, and the stream goes on.',
  [send(header('PUT', '/a/written', `Content-Length: ${SMALL.size}`, 'Expect: 100-continue') + bodyText(SMALL))],
  SMALL,
);

const NOTHING = { size: 0, seed: 1 };

export const writeOfNothing: ConformanceCase = {
  id: 'REQ-4.write-of-nothing',
  clauses: ['REQ-4', 'REQ-2', 'HOF-2'],
  summary:
    'Writes without a payload byte, by length, by an empty chunk and with an expectation, are stored and read back.',
  worlds: ['sim', 'linux'],
  async run(context) {
    const forms = [
      header('PUT', '/a/nothing', 'Content-Length: 0'),
      `${header('PUT', '/b/nothing', 'Transfer-Encoding: chunked')}0\r\n\r\n`,
      header('PUT', '/a/awaited', 'Content-Length: 0', 'Expect: 100-continue'),
    ];
    const paths = ['/a/nothing', '/b/nothing', '/a/awaited'];
    const results = await runAll(
      context,
      forms.map((text, i) => script(send(text), response('PUT'), send(header('GET', paths[i] ?? '')), response())),
    );
    context.expectOk(results);
    for (const { responses } of results) {
      expectStored(context, responses[0], NOTHING);
      expectReadBack(context, responses[1], NOTHING);
    }
  },
};

const HEADS = ['/a/0', '/b/1', '/a/8k', '/b/64k', '/a/1m'];

export const headsOfAllSizes: ConformanceCase = {
  id: 'BKD-1.heads-of-all-sizes',
  clauses: ['BKD-1', 'REQ-3', 'HOF-6'],
  summary: 'HEAD of objects from 0 bytes to 1 MB is answered without a body, pipelined and one by one.',
  worlds: ['sim', 'linux'],
  async run(context) {
    const pipelined = [send(HEADS.map((path) => header('HEAD', path)).join('')), ...HEADS.map(() => response('HEAD'))];
    const oneByOne = HEADS.flatMap((path) => [send(header('HEAD', path)), response('HEAD'), pause(QUIET_MS / 4)]);
    const results = await runAll(context, [script(...pipelined), script(...oneByOne)]);
    context.expectOk(results);
    for (const { responses } of results) {
      const said = responses.map(({ status, bodySize }) => `${status}:${bodySize}`).join(' ');
      context.expect(
        said === HEADS.map(() => '200:0').join(' '),
        `expected five empty answers of 200, got ${said}`,
        'service',
      );
    }
  },
};

export const emptyObjects: ConformanceCase = {
  id: 'BKD-6.empty-objects',
  clauses: ['BKD-6', 'BKD-1', 'HOF-6', 'RET-2'],
  summary: 'Objects of 0 bytes, from both backends in turn, twenty times on one connection.',
  worlds: ['sim', 'linux'],
  async run(context) {
    const paths = Array.from({ length: 20 }, (_, i) => (i % 2 === 0 ? '/a/0' : '/b/0'));
    const steps = paths.flatMap((path) => [send(header('GET', path)), response()]);
    const result = await runOne(context, script(...steps));
    context.expectOk([result]);
    for (const [i, path] of paths.entries()) context.expectBody(result.responses[i], 200, path);
  },
};
