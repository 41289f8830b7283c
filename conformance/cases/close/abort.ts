/** The client resets the connection, between requests and in the middle of a hand-off. */
import type { ConformanceCase } from '../case.js';
import { abort, expectObjects, gets, header, pause, QUIET_MS, runOne, script, send } from '../vocabulary.js';

const AFTER = ['/a/8k', '/b/8k'];

export const abortWhenIdle: ConformanceCase = {
  id: 'RET-6.abort-when-idle',
  clauses: ['RET-6', 'RET-1'],
  summary: 'The client resets an idle connection after a response; nothing of it is left, and the next one works.',
  worlds: ['sim', 'linux'],
  async run(context) {
    expectObjects(context, await runOne(context, script(...gets('/a/8k'), pause(QUIET_MS), abort)), ['/a/8k']);
    expectObjects(context, await runOne(context, script(...gets(...AFTER))), AFTER);
  },
};

export const abortDuringHandoff: ConformanceCase = {
  id: 'RET-5.abort-during-hand-off',
  clauses: ['RET-5', 'RET-6', 'SWT-1'],
  summary:
    'The client resets while its request is handed off; everybody forgets the connection, and the next one works.',
  worlds: ['sim', 'linux'],
  // Nothing of the response is on its way yet when the reset comes.
  options: { serviceDelayMs: 400 },
  async run(context) {
    context.expectOk([await runOne(context, script(send(header('GET', '/a/8k')), pause(100), abort))]);
    expectObjects(context, await runOne(context, script(...gets(...AFTER))), AFTER);
  },
};
