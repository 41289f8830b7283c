/** The client closes its side right behind the header of a read. */
import type { ConformanceCase } from '../case.js';
import {
  expectObjects,
  expectServerClosed,
  header,
  response,
  runOne,
  script,
  send,
  shutdown,
  waitClose,
} from '../vocabulary.js';

export const finBehindRead: ConformanceCase = {
  id: 'RET-3.fin-behind-read-header',
  clauses: ['RET-3', 'SWT-7', 'BKD-4', 'BKD-3', 'REQ-2', 'REQ-3', 'SWT-6', 'RET-6'],
  summary: 'A client that sends a read and a FIN gets its whole response, and then the close completes.',
  worlds: ['sim', 'linux'],
  // The first retransmission of the FIN, after 200 ms on Linux, still meets the backend.
  options: { serviceDelayMs: 500 },
  async run(context) {
    const result = await runOne(context, script(send(header('GET', '/a/8k')), shutdown, response(), waitClose));
    expectObjects(context, result, ['/a/8k']);
    expectServerClosed(context, result);
  },
};
