/**
 * BKD-2: For a write, the backend acknowledges that request's payload only, not a byte of what follows. (SoCC'17 §2.4)
 * BKD-3: For a read, no byte that follows the request header is acknowledged by the backend while handed off. (A FIN's own number is
 * BKD-4's.) (SoCC'17 §2.4)
 */
import { isSound, senderOf } from '../flows/connection.js';
import { isFlagged } from '../flows/decode.js';
import type { HandedExchange, Judged } from '../flows/judged.js';
import { between } from '../flows/rules.js';
import { misled } from '../flows/told.js';
import type { Check } from './check.js';
import { ackText, at, missingVantages, named, Tally } from './tally.js';

/** The limit of what a backend may acknowledge: the request's end, or what the controller had acknowledged already (REQ-2's matter). */
function judgeAcks(judged: Judged, tally: Tally, exchange: HandedExchange, limit: number, what: string): void {
  const { connection, handoff, packets, begins } = exchange;
  const { first } = handoff;
  if (first === undefined) return;
  const told = misled(judged, exchange);
  if (told !== undefined) {
    tally.doubt(`line ${told.line} handed off something else than frames show`);
    return;
  }
  const fin = connection.clientFin?.offset;
  let allowed = limit;
  let seen = false;
  for (const packet of between(connection.toClient, begins, first.t)) {
    if (senderOf(packet) !== 'controller') continue;
    seen ||= packet.head.acked >= exchange.request.headerEnd;
    if (packet.head.acked > allowed) allowed = packet.head.acked;
  }
  // Whose acknowledgement it was is not seen: it may have come with the hand-off.
  if (!seen && first.acked > allowed) {
    tally.doubt(
      `${named(first)} acknowledges more than ${what}; what the controller had acknowledged is not in the captures`,
    );
    allowed = first.acked;
  }
  let acknowledged = false;
  for (const packet of packets) {
    const { head } = packet;
    if (senderOf(packet) !== handoff.backend || !isSound(head) || Number.isNaN(head.acked) || isFlagged(head, 'RST'))
      continue;
    acknowledged = true;
    if (head.acked <= allowed || (fin === limit && head.acked === limit + 1)) continue;
    tally.fail(
      `expected ${handoff.backend} to acknowledge ${what} only, up to relative ${limit + 1}; ${named(head)} has ack ${ackText(head)}, ${head.acked - limit} more`,
      at(head, `acknowledges ${head.acked - limit} bytes behind the request`),
    );
    return;
  }
  if (acknowledged) tally.hold();
}

export const BKD_2: Check = {
  clause: 'BKD-2',
  method: "No acknowledgement number of the backend that serves a write may exceed the request's end.",
  needs: 'captures',
  judge(judged) {
    const tally = new Tally();
    for (const exchange of judged.handoffs) {
      const { request, packets, handoff } = exchange;
      if (request.kind !== 'write') continue;
      if (request.end === undefined) {
        tally.doubt("a write's end is not in the captures");
        continue;
      }
      const took = packets.some(
        (packet) => senderOf(packet) === handoff.backend && packet.head.acked > request.headerEnd,
      );
      if (took) judgeAcks(judged, tally, exchange, request.end, "that request's payload");
    }
    return tally.finding('writes whose payload alone the backend acknowledged', missing(judged, 'write'));
  },
  regular: (connection) =>
    connection.exchanges.filter((exchange) => exchange.kind === 'write' && exchange.tookPayload).length,
};

export const BKD_3: Check = {
  clause: 'BKD-3',
  method: "No acknowledgement number of the backend that serves a read may exceed the header's end.",
  needs: 'captures',
  judge(judged) {
    const tally = new Tally();
    for (const exchange of judged.handoffs) {
      if (exchange.request.kind === 'read')
        judgeAcks(judged, tally, exchange, exchange.request.headerEnd, 'the header');
    }
    return tally.finding('reads behind whose header the backend acknowledged nothing', missing(judged, 'read'));
  },
  regular: (connection) => connection.exchanges.filter((exchange) => exchange.kind === 'read').length,
};

function missing(judged: Judged, kind: string): string {
  const gap = missingVantages(judged.vantages, ...judged.hosts.backends.keys());
  return gap ?? `no acknowledgement of a backend for a ${kind} in the captures`;
}
