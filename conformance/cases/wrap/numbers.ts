/** Sequence numbers and time stamps that pass through zero while a connection is handed off. */
import type { ClientStart } from '../../../harness/world.js';
import type { ConformanceCase } from '../case.js';
import { type CaseEvidence, logicalOf } from '../evidence.js';
import {
  expectObjects,
  expectReadBack,
  expectStored,
  gets,
  header,
  pause,
  response,
  runOne,
  script,
  send,
  sendBody,
  writeHeader,
} from '../vocabulary.js';

const TWO_32 = 2 ** 32;
const PATHS = ['/a/64k', '/b/8k', '/a/1k'];

/** Some data segment of that direction begins before zero and a later one behind it. */
function wrapped(fromClient: boolean) {
  return ({ segments, topology, premise }: CaseEvidence): void => {
    const logical = logicalOf(topology);
    const data = segments.filter(
      (s) => s.vantage === 'client' && s.payload > 0 && (fromClient ? s.dst === logical : s.src === logical),
    );
    const before = data.some(({ seq }) => seq > TWO_32 - 2 ** 24);
    const behind = data.some(({ seq }) => seq < 2 ** 24);
    premise(before && behind, 'the sequence numbers did not pass through zero');
  };
}

function serverWraps(story: string, summary: string, initialSequence: number): ConformanceCase {
  return {
    id: `BKD-1.${story}`,
    clauses: ['BKD-1', 'BKD-6', 'HOF-2', 'RET-2'],
    summary,
    worlds: ['sim', 'linux'],
    needs: ['initial-sequence'],
    options: { initialSequence },
    async run(context) {
      expectObjects(context, await runOne(context, script(...gets(...PATHS))), PATHS);
    },
  };
}

export const wrapsInsideAResponse: ConformanceCase = {
  ...serverWraps(
    'sequence-wraps-inside-a-response',
    'The sequence numbers of a response pass through zero in its middle: it arrives whole, and so do the next ones.',
    TWO_32 - 30_000,
  ),
  afterwards: wrapped(false),
};

export const wrapsBetweenSynAndData = serverWraps(
  'sequence-wraps-behind-the-syn',
  "The controller's SYN has the last number there is, so that the first response byte has number zero.",
  TWO_32 - 1,
);

export const wrapsUnderLoss: ConformanceCase = {
  ...serverWraps(
    'sequence-wraps-under-loss',
    'Segments around the number zero are lost: the owner sends them again, and nobody takes old for new.',
    TWO_32 - 30_000,
  ),
  id: 'BKD-5.sequence-wraps-under-loss',
  clauses: ['BKD-5', 'BKD-1', 'BKD-6'],
  options: {
    initialSequence: TWO_32 - 30_000,
    faults: [{ kind: 'drop', match: { from: 'backend0', to: 'client', payload: true }, nth: [20, 21, 22] }],
  },
  afterwards: wrapped(false),
};

const BODY = { size: 64 * 1024, seed: 95 };

/** A kernel chooses these numbers by itself, so only the simulated client can begin near their end. */
function clientWraps(id: string, clauses: readonly string[], summary: string, stack: ClientStart): ConformanceCase {
  return {
    id,
    clauses,
    summary,
    worlds: ['sim'],
    async run(context) {
      const steps = [
        send(writeHeader(BODY)),
        sendBody(BODY),
        response('PUT'),
        pause(300),
        send(header('GET', '/b/8k') + header('GET', '/a/written')),
        response(),
        response(),
      ];
      const result = await runOne(context, { kind: 'script', steps, stack, timeoutMs: 30_000 });
      context.expectOk([result]);
      expectStored(context, result.responses[0], BODY);
      context.expectBody(result.responses[1], 200, '/b/8k');
      expectReadBack(context, result.responses[2], BODY);
    },
  };
}

export const clientWrapsInsidePayload: ConformanceCase = {
  ...clientWraps(
    'BKD-2.client-sequence-wraps-inside-a-payload',
    ['BKD-2', 'REQ-4', 'HOF-2'],
    "The client's sequence numbers pass through zero inside the payload of a write: it is stored whole.",
    { initialSequence: TWO_32 - 30_000 },
  ),
  afterwards: wrapped(true),
};

export const clientWrapsInsideHeader: ConformanceCase = {
  ...clientWraps(
    'REQ-2.client-sequence-wraps-inside-a-header',
    ['REQ-2', 'REQ-1', 'BKD-2'],
    "The client's sequence numbers pass through zero inside a request header: what is acknowledged is the header alone.",
    { initialSequence: TWO_32 - 10 },
  ),
};

export const clientTimestampsWrap = clientWraps(
  'BKD-8.client-timestamps-wrap',
  ['BKD-8', 'EST-3', 'BKD-2'],
  "The client's time stamps pass through zero during a hand-off: nobody takes its segments for old ones (RFC 7323 §5).",
  { initialTimestamp: TWO_32 - 150 },
);
