/** Frames that reach the switch late, behind the hand-off that they belong to: copies that were held up ahead of it. */
import type { Fault } from '../../../harness/world.js';
import type { ConformanceCase } from '../case.js';
import { type CaseEvidence, logged } from '../evidence.js';
import {
  expectObjects,
  expectStored,
  gets,
  header,
  pause,
  response,
  runOne,
  script,
  send,
  sendBody,
} from '../vocabulary.js';

/** Longer than a hand-off of so little takes on a machine with other things to do, and shorter than the client stays. */
const LATE_MS = 500;
const BODY = { size: 1200, seed: 83 };
const MILLISECOND_NS = 1_000_000n;

const lateCopy = (match: Fault['match'], nth: number): Fault => ({
  kind: 'duplicate',
  match,
  nth: [nth],
  ms: LATE_MS,
  ahead: true,
});

/** The first rule had gone when the copy of that vantage's segment with payload came; segments count from 1. */
function behindTheRule(run: CaseEvidence, vantage: string, nth: number): void {
  const [removed] = logged(run.control, 'remove', 'received', 'switch');
  const isSender = (src: string): boolean => (vantage === 'client') !== src.endsWith(':80');
  const first = run.segments.filter(
    (segment) => segment.vantage === vantage && segment.payload > 0 && isSender(segment.src),
  )[nth - 1];
  const late = (first?.t ?? 0n) + BigInt(LATE_MS) * MILLISECOND_NS;
  run.premise(removed !== undefined && BigInt(removed.t) < late, 'the rule was still there when the late copy came');
}

export const lateResponse: ConformanceCase = {
  id: 'EST-2.late-copy-of-a-response',
  clauses: ['EST-2', 'SWT-2'],
  summary: "A copy of a backend's segment comes behind its rule: the client never sees the backend's own address.",
  worlds: ['sim', 'linux'],
  options: { faults: [lateCopy({ from: 'backend0', payload: true }, 1)] },
  async run(context) {
    const paths = ['/a/1k', '/b/1k'];
    const [first = [], second = []] = paths.map((path) => gets(path));
    expectObjects(context, await runOne(context, script(...first, pause(2 * LATE_MS), ...second)), paths);
  },
  afterwards: (run) => behindTheRule(run, 'backend0', 1),
};

export const latePayload: ConformanceCase = {
  id: 'SWT-3.late-copy-of-a-payload',
  clauses: ['SWT-3', 'RET-1'],
  summary:
    "A copy of a payload's segment comes behind its rule: the controller gets it as it is, and the next request is served.",
  worlds: ['sim', 'linux'],
  options: { faults: [lateCopy({ from: 'client', payload: true }, 2)] },
  async run(context) {
    const write = header('PUT', '/a/late', `Content-Length: ${BODY.size}`);
    const result = await runOne(
      context,
      script(send(write), pause(40), sendBody(BODY), response('PUT'), pause(2 * LATE_MS), ...gets('/b/1k')),
    );
    context.expectOk([result]);
    expectStored(context, result.responses[0], BODY);
    context.expectBody(result.responses[1], 200, '/b/1k');
  },
  afterwards: (run) => behindTheRule(run, 'client', 2),
};

export const spoiledResponse: ConformanceCase = {
  id: 'SWT-4.spoiled-segment-of-a-backend',
  clauses: ['SWT-4', 'BKD-5'],
  summary: "A backend's segment leaves with an octet turned over: it stays corrupt, and the client gets every byte.",
  worlds: ['sim'],
  options: { faults: [{ kind: 'spoil', match: { from: 'backend0', payload: true }, nth: [2], ahead: true }] },
  async run(context) {
    const paths = ['/a/8k', '/b/1k'];
    expectObjects(context, await runOne(context, script(...gets(...paths))), paths);
  },
};
