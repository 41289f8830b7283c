/** Malformed, unknown and unasked messages on every channel: nothing changes, and the traffic is not disturbed (ERR-4). */
import type { ControlFault, ControlMatch } from '../../../harness/world.js';
import type { ConformanceCase } from '../case.js';
import { expectObjects, gets, runAll, script } from '../vocabulary.js';

/** Lines that no receiver may take for a message. */
const MALFORMED = [
  'not JSON at all',
  '{"verb":',
  '[]',
  'null',
  '{}',
  '{"verb":"explode","id":"x1"}',
  '{"verb":"add","id":"x2"}',
  '{"verb":"remove","id":"x3","conn":{"client":{"ip":"198.18.1.2","port":99999},"logical":{"ip":"198.18.0.80","port":80}}}',
  '{"verb":"ok","re":"","surprise":true}',
  '{"verb":"complete","id":"x4","handoff":-1}',
  `{"verb":"ok","re":"${'x'.repeat(2000)}"}`,
];

const conn = { client: { ip: '198.18.1.2', port: 1 }, logical: { ip: '198.18.0.80', port: 80 } };
const snapshot = {
  seq: 1,
  ack: 1,
  clientWindow: 1000,
  clientMss: 1460,
  ownMss: 1460,
  windowScale: null,
  sackPermitted: false,
  timestamps: null,
};

const line = (message: object): string => JSON.stringify(message);

/** Well-formed, and for somebody else or in answer to nothing. */
const UNASKED = {
  toController: [
    line({ verb: 'ok', re: 'never asked' }),
    line({ verb: 'refused', re: 'never asked', code: 'full', reason: 'for no reason' }),
    line({ verb: 'complete', id: 'u1', handoff: 999_999, conn, snapshot, keepAlive: true }),
    line({ verb: 'failed', id: 'u2', handoff: 999_999, conn, reason: 'cannot-serve', snapshot: null }),
    line({ verb: 'remove', id: 'u3', conn }),
  ],
  toSwitch: [
    line({ verb: 'ok', re: 'never asked' }),
    line({ verb: 'complete', id: 'u4', handoff: 1, conn, snapshot, keepAlive: true }),
    line({ verb: 'remove', id: 'u5', conn }),
  ],
  toBackend: [
    line({ verb: 'ok', re: 'never asked' }),
    line({ verb: 'refused', re: 'never asked', code: 'stale', reason: 'for no reason' }),
    line({ verb: 'list', id: 'u6' }),
    line({ verb: 'remove', id: 'u7', conn }),
  ],
} as const;

const PATHS = ['/a/8k', '/b/1k', '/a/64k'];
const OTHERS = ['/b/8k', '/a/1k', '/b/64k'];

function disturbs(
  story: string,
  where: string,
  what: string,
  match: ControlMatch,
  lines: readonly string[],
): ConformanceCase {
  const faults = lines.map((text): ControlFault => ({ kind: 'follow', match, nth: [1, 2], line: text }));
  return {
    id: `ERR-4.${story}`,
    clauses: ['ERR-4'],
    summary: `Behind ${where} come ${what}: they change nothing, and every request is served.`,
    worlds: ['sim', 'linux'],
    options: { controlFaults: faults, serviceDelayMs: 30 },
    async run(context) {
      const [one, other] = await runAll(context, [script(...gets(...PATHS)), script(...gets(...OTHERS))]);
      if (one) expectObjects(context, one, PATHS);
      if (other) expectObjects(context, other, OTHERS);
    },
  };
}

const malformed = 'lines that are no messages';
const unasked = 'messages that nobody waits for';

export const nonsense: readonly ConformanceCase[] = [
  disturbs('malformed-lines-at-the-switch', 'a request for a rule', malformed, { verb: 'add' }, MALFORMED),
  disturbs('malformed-lines-at-a-backend', 'a hand-off', malformed, { verb: 'handoff' }, MALFORMED),
  disturbs('malformed-lines-from-the-switch', "the switch's confirmation", malformed, { answers: 'add' }, MALFORMED),
  disturbs('malformed-lines-from-a-backend', "a backend's report", malformed, { verb: 'complete' }, MALFORMED),
  disturbs('unasked-messages-at-the-switch', 'a request for a rule', unasked, { verb: 'add' }, UNASKED.toSwitch),
  disturbs('unasked-messages-at-a-backend', 'a hand-off', unasked, { verb: 'handoff' }, UNASKED.toBackend),
  disturbs(
    'unasked-messages-from-the-switch',
    "the switch's confirmation",
    unasked,
    { answers: 'add' },
    UNASKED.toController,
  ),
  disturbs(
    'unasked-messages-from-a-backend',
    "a backend's answer",
    unasked,
    { answers: 'handoff' },
    UNASKED.toController,
  ),
];
