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
    for (const exchange of judged.handoffs) {
      const { connection, request, begins, handoff } = exchange;
      const { headerEnd } = request;
      const ends = Math.min(
        handoff.doneFrom,
        handoff.takenBack?.t ?? Number.POSITIVE_INFINITY,
        handoff.log?.report?.t ?? Number.POSITIVE_INFINITY,
      );
      // A hand-off whose backend nobody watched may have ended at any time.
      if (ends === Number.POSITIVE_INFINITY && !judged.vantages.has(handoff.backend)) {
        tally.doubt(`no capture at ${handoff.backend}: when it gave the connection up cannot be seen`);
        continue;
      }
      const until = Math.min(ends, judged.end + 1);
      const acks = between(connection.toClient, begins, until)
        .filter(
          (packet) => senderOf(packet) === 'controller' && packet.head.t < until && !isFlagged(packet.head, 'RST'),
        )
        .map(({ head }) => head);
      // Whoever repeats what a backend acknowledged before only continues from it.
      const over = acks.find(
        ({ acked, t }) =>
          acked > headerEnd && acked > (connection.serverAcks.highest(t - 1)?.acked ?? Number.NEGATIVE_INFINITY),
      );
      if (over !== undefined) {
        tally.fail(
          `expected the controller to acknowledge the header only, up to relative ${headerEnd + 1}; ${named(over)} has ack ${ackText(over)}, ${over.acked - headerEnd} more`,
          at(over, `acknowledges ${over.acked - headerEnd} bytes behind the header`),
        );
      } else if (acks.some(({ acked }) => acked === headerEnd)) tally.hold();
    }
    return tally.finding(
      "requests acknowledged to the header's end and no further",
      gap ?? 'no acknowledgement of a handed-off header by the controller in the captures',
    );
  },
  regular: (connection) => connection.exchanges.length,
};
