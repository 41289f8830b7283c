/** One connection is handed off while others are idle or still talking to the controller. */
import type { ConformanceCase } from '../case.js';
import { expectObjects, gets, header, pause, response, runAll, script, send } from '../vocabulary.js';

const SLOW = header('GET', '/b/8k');

export const neighbours: ConformanceCase = {
  id: 'SWT-8.neighbours-of-a-hand-off',
  clauses: ['SWT-8', 'SWT-3', 'HOF-7', 'REQ-1'],
  summary:
    'While one connection is handed off, an idle one stays idle and one still sending its header is not touched.',
  worlds: ['sim', 'linux'],
  options: { serviceDelayMs: 300 },
  async run(context) {
    const [handedOff, idle, talking] = await runAll(context, [
      script(...gets('/a/64k', '/b/64k')),
      script(...gets('/a/1'), pause(400), ...gets('/b/1')),
      // Header segments keep coming, to the controller, while its neighbours belong to backends.
      script(...[...SLOW].flatMap((byte) => [send(byte), pause(15)]), response()),
    ]);
    if (handedOff) expectObjects(context, handedOff, ['/a/64k', '/b/64k']);
    if (idle) expectObjects(context, idle, ['/a/1', '/b/1']);
    if (talking) expectObjects(context, talking, ['/b/8k']);
  },
};
