/**
 * Two moments at which a connection may be attacked, one for each kind of owner, both with an open window and something left to send: afterwards the
 * connection must be as good as before.
 */
import { generateBody } from '../../../harness/objects.js';
import type { SegmentStep } from '../../../harness/segments/story.js';
import type { JobResult } from '../../../harness/world.js';
import type { CaseContext } from '../case.js';
import type { CaseEvidence } from '../evidence.js';
import { frameOf } from '../segment-frames.js';
import { connect, expectSegment, readResponse, sendText, wait } from '../segment-words.js';
import { expectStored, header } from '../vocabulary.js';

export interface Ownership {
  /** Ends a case's id. */
  readonly name: string;
  /** Ends a sentence. */
  readonly when: string;
  readonly lead: readonly SegmentStep[];
  /** What of the client's stream has been acknowledged. */
  readonly place: number;
  /** Finishes the request and reads the response. */
  readonly rest: readonly SegmentStep[];
  readonly vantage: 'controller' | 'backend0';
  /** The response is what it has to be. */
  expect(context: CaseContext, result: JobResult): void;
}

const READ = header('GET', '/a/8k');
const HALF = 20;
const BODY = { size: 2000, seed: 61 };
const WRITE = header('PUT', '/a/hostile', `Content-Length: ${BODY.size}`);
const PAYLOAD = Buffer.from(generateBody(BODY)).toString('latin1');
const PART = 1000;

/** Until a hand-off is over on a machine with other things to do; what is sent too early is repeated. */
const HANDED_MS = 100;

export const AT_THE_CONTROLLER: Ownership = {
  name: 'at-the-controller',
  when: 'the controller reads a request header',
  lead: [connect(), sendText(READ.slice(0, HALF)), expectSegment({ flags: ['ACK'], acks: HALF, window: 'open' })],
  place: HALF,
  rest: [sendText(READ.slice(HALF)), readResponse],
  vantage: 'controller',
  expect: (context, result) => context.expectBody(result.responses[0], 200, '/a/8k'),
};

export const AT_THE_BACKEND: Ownership = {
  name: 'at-the-backend',
  when: 'a backend receives the payload of a write',
  lead: [
    connect(),
    sendText(WRITE),
    expectSegment({ flags: ['ACK'], acks: WRITE.length, window: 'open' }),
    wait(HANDED_MS),
    sendText(PAYLOAD.slice(0, PART)),
    expectSegment({ flags: ['ACK'], acks: WRITE.length + PART, window: 'open' }),
  ],
  place: WRITE.length + PART,
  rest: [sendText(PAYLOAD.slice(PART)), { do: 'response', method: 'PUT' }],
  vantage: 'backend0',
  expect: (context, result) => expectStored(context, result.responses[0], BODY),
};

export const OWNERSHIPS: readonly Ownership[] = [AT_THE_CONTROLLER, AT_THE_BACKEND];

/** The forged frame reached the owner that it was meant for. */
export function checkReached(run: CaseEvidence, ownership: Ownership): void {
  const reached = frameOf(run, 'forge', ownership.vantage) !== undefined;
  run.premise(reached, `the forged segment did not arrive at ${ownership.vantage}`);
}
