/** A backend that reports failure by itself, and what becomes of its client (BKD-7, ERR-1). */
import type { ControlFault } from '../../../harness/world.js';
import type { ConformanceCase } from '../case.js';
import { isReset, lineOf, logged, logicalOf } from '../evidence.js';
import {
  expectNotServed,
  expectObjects,
  expectReset,
  gets,
  header,
  pause,
  response,
  runAll,
  runOne,
  script,
  send,
} from '../vocabulary.js';

/** The backend's lease ends within it, long before the response is due. */
const BOUND_MS = 800;
const SERVICE_MS = 4000;

function failure(
  story: string,
  clauses: readonly string[],
  summary: string,
  controlFaults?: readonly ControlFault[],
): ConformanceCase {
  return {
    id: `ERR-1.${story}`,
    clauses,
    summary,
    worlds: ['sim', 'linux'],
    options: { bounds: { handoffMs: BOUND_MS }, serviceDelayMs: SERVICE_MS, ...(controlFaults && { controlFaults }) },
    async run(context) {
      expectReset(context, await runOne(context, script(send(header('GET', '/a/8k')), response())));
    },
    afterwards({ control, segments, topology, expect, expectFor }) {
      const [failed] = logged(control, 'failed', 'sent', 'backend0');
      const [told] = logged(control, 'handoff', 'received', 'backend0');
      const shownBy = told ? [lineOf(control, told, 'the hand-off whose failure nobody reports')] : [];
      const wanted = 'expected the backend that could not finish in time to report failure, it did not';
      expectFor('BKD-7', failed !== undefined, wanted, ...shownBy);
      if (failed === undefined) return;
      const reset = segments.find((s) => s.vantage === 'client' && s.src === logicalOf(topology) && isReset(s));
      expect(
        reset !== undefined,
        'expected a RST to the client from the logical address, saw none',
        lineOf(control, failed, 'the report'),
      );
    },
  };
}

export const failureReported = failure(
  'failure-reported',
  ['ERR-1', 'BKD-7', 'RET-6'],
  'A backend that cannot finish in time reports failure: the client is reset with a number that it accepts.',
);

export const failureReportLost = failure(
  'failure-report-lost',
  ['ERR-1', 'BKD-7', 'RET-6'],
  "A backend's report of failure is lost: it is repeated or the time runs out, and the client is reset once.",
  [{ kind: 'drop', match: { verb: 'failed' }, nth: [1] }],
);

export const failureReportTwice = failure(
  'failure-report-twice',
  ['ERR-1', 'ERR-4', 'BKD-7', 'RET-6'],
  "A backend's report of failure arrives twice: the client is reset, and nothing else happens.",
  [{ kind: 'repeat', match: { verb: 'failed' }, nth: [1], ms: 30 }],
);

export const resetLost: ConformanceCase = {
  ...failureReported,
  id: 'ERR-1.reset-lost',
  clauses: ['ERR-1', 'RET-6'],
  summary: 'The RST is lost on its way to the client: it is sent again, so that the client really is reset.',
  options: {
    ...failureReported.options,
    faults: [{ kind: 'drop', match: { to: 'client', flags: ['RST'] }, nth: [1] }],
  },
};

export const handoffRefused: ConformanceCase = {
  id: 'BKD-7.hand-off-refused',
  clauses: ['BKD-7', 'RET-6'],
  summary:
    'A backend refuses a hand-off as too busy: its client is answered or reset, its rule removed, a neighbour served.',
  worlds: ['sim', 'linux'],
  options: { controlFaults: [{ kind: 'refuse', match: { verb: 'handoff', to: 'backend0' }, nth: [1], code: 'busy' }] },
  async run(context) {
    const [refused, neighbour] = await runAll(context, [
      script(send(header('GET', '/a/8k')), response()),
      script(...gets('/b/8k'), pause(50), ...gets('/b/1k')),
    ]);
    if (refused) expectNotServed(context, refused);
    if (neighbour) expectObjects(context, neighbour, ['/b/8k', '/b/1k']);
    expectObjects(context, await runOne(context, script(...gets('/a/8k'))), ['/a/8k']);
  },
};
