/**
 * REQ-2: The acknowledgement that the controller sends at hand-off covers the request header only, never a byte behind it,
 * payload or next request. (SoCC'17 §2.2)
 */
import { senderOf } from '../flows/connection.js';
import { isFlagged } from '../flows/decode.js';
import { between } from '../flows/rules.js';
import type { Check } from './check.js';
import { ackText, at, missingVantages, named, Tally } from './tally.js';

export const REQ_2: Check = {
  clause: 'REQ-2',
  method:
    "From a handed-off request's header until its response is acknowledged, no acknowledgement number of the controller may exceed the header's end.",
  needs: 'captures',
  judge(judged) {
    const tally = new Tally();
    const gap = missingVantages(judged.vantages, 'controller');
    for (const connection of judged.connections) {
      const controller = connection.toClient.filter((packet) => senderOf(packet) === 'controller');
      for (const { request, begins, handoff } of connection.exchanges) {
        if (handoff === undefined) continue;
        let exact = false;
        let offended = false;
        // Without the end of the response nobody knows when the controller may go on, unless it speaks again for good.
        const until =
          handoff.doneFrom === Number.POSITIVE_INFINITY ? (handoff.takenBack?.t ?? judged.end + 1) : handoff.doneFrom;
        for (const { head } of between(controller, begins, until)) {
          if (head.t >= until || isFlagged(head, 'RST') || Number.isNaN(head.acked)) continue;
          if (head.acked === request.headerEnd) exact = true;
          if (head.acked <= request.headerEnd || offended) continue;
          offended = true;
          tally.fail(
            `expected the controller to acknowledge the header only, up to relative ${request.headerEnd + 1}; ${named(head)} has ack ${ackText(head)}, ${head.acked - request.headerEnd} more`,
            at(head, `acknowledges ${head.acked - request.headerEnd} bytes behind the header`),
          );
        }
        if (exact && !offended) tally.hold();
      }
    }
    return tally.finding(
      "requests acknowledged to the header's end and no further",
      gap ?? 'no acknowledgement of a handed-off header by the controller in the captures',
    );
  },
};
