/** One connection is handed off while others are idle or still talking to the controller. */
import type { ConformanceCase } from '../case.js';
import {
  expectObjects,
  expectStored,
  gets,
  header,
  pause,
  QUIET_MS,
  response,
  runAll,
  script,
  send,
  sendBody,
  writeHeader,
} from '../vocabulary.js';

const BODY = { size: 20_000, seed: 20 };
const SLOW = header('GET', '/b/8k');

export const neighbours: ConformanceCase = {
  id: 'SWT-8.neighbours-of-a-hand-off',
  clauses: ['SWT-8', 'SWT-3', 'REQ-1', 'REQ-4', 'BKD-2'],
  summary:
    'While one connection is handed off, an idle one stays idle and one still sending its header is not touched.',
  worlds: ['sim', 'linux'],
  // The backend acknowledges the payload at once and answers late: all that time it visibly owns the connection.
  options: { serviceDelayMs: 500 },
  async run(context) {
    const [handedOff, idle, talking] = await runAll(context, [
      script(pause(QUIET_MS), send(writeHeader(BODY)), pause(QUIET_MS), sendBody(BODY), response('PUT')),
      script(...gets('/a/1'), pause(200), ...gets('/b/1')),
      // Header segments keep coming, to the controller, while its neighbour belongs to a backend.
      script(...[...SLOW].flatMap((byte) => [send(byte), pause(25)]), response()),
    ]);
    if (handedOff) {
      context.expectOk([handedOff]);
      expectStored(context, handedOff.responses[0], BODY);
    }
    if (idle) expectObjects(context, idle, ['/a/1', '/b/1']);
    if (talking) expectObjects(context, talking, ['/b/8k']);
  },
};
