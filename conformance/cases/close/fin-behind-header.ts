/** The client closes its side right behind the header of a read. */
import type { ConformanceCase } from '../case.js';
import {
  expectObjects,
  expectServerClosed,
  header,
  response,
  runAll,
  script,
  send,
  shutdown,
  waitClose,
} from '../vocabulary.js';

/** Longer than an initial congestion window (RFC 6928), so that the header's tail and the FIN queue up and leave as one segment. */
const FILLER = Array.from({ length: 10 }, (_, i) => `X-Filler-${i}: ${'x'.repeat(2000)}`);

export const finBehindHeader: ConformanceCase = {
  id: 'REQ-2.fin-behind-header',
  clauses: ['REQ-2', 'REQ-3', 'SWT-6', 'BKD-1', 'RET-6'],
  summary:
    'A FIN right behind a header is not acknowledged with it; the response comes whole, then the close completes.',
  worlds: ['sim', 'linux'],
  // A FIN that was sent before the window closed is repeated after 200 ms on Linux, and then meets the backend.
  options: { serviceDelayMs: 400 },
  async run(context) {
    const headers = [header('GET', '/a/8k'), header('GET', '/a/8k', ...FILLER)];
    const results = await runAll(
      context,
      headers.map((text) => script(send(text), shutdown, response(), waitClose)),
    );
    for (const result of results) {
      expectObjects(context, result, ['/a/8k']);
      expectServerClosed(context, result);
    }
  },
};
