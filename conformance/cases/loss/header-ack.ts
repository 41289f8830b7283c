/** The ACK that closes the window at hand-off is lost. */
import type { ConformanceCase } from '../case.js';
import { expectObjects, gets, runOne, script } from '../vocabulary.js';

const PATHS = ['/a/8k', '/b/1k'];

export const headerAckLost: ConformanceCase = {
  id: 'REQ-2.header-ack-lost',
  clauses: ['REQ-2', 'REQ-3', 'SWT-1', 'BKD-1'],
  summary:
    "The controller's ACK of the header is lost; the header's retransmission meets the backend and does no harm.",
  worlds: ['sim', 'linux'],
  options: {
    // The client's retransmission time-out, 200 ms on Linux, passes before the response acknowledges the header.
    serviceDelayMs: 400,
    faults: [{ kind: 'drop', match: { from: 'controller', to: 'client', payload: false, zeroWindow: true }, nth: [1] }],
  },
  async run(context) {
    expectObjects(context, await runOne(context, script(...gets(...PATHS))), PATHS);
  },
};
