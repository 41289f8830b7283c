/**
 * REQ-3: For a read, that acknowledgement (the controller's at hand-off) closes the receive window. (SoCC'17 §2.2)
 * REQ-4: For a write, the window stays open, so that the client can send the payload. (SoCC'17 §2.2, §2.4)
 */
import { isSound, senderOf } from '../flows/connection.js';
import { isFlagged, type Segment } from '../flows/decode.js';
import type { HandedExchange } from '../flows/judged.js';
import { between, hasVariant } from '../flows/rules.js';
import type { Check } from './check.js';
import { ackText, at, missingVantages, named, Tally } from './tally.js';

/** The controller's last acknowledgement of the whole header before the backend speaks. */
function closingAck({ connection, request, begins, handoff }: HandedExchange): Segment | undefined {
  const until = handoff.first?.t ?? handoff.log?.handoff.t;
  if (until === undefined) return undefined;
  let last: Segment | undefined;
  for (const packet of between(connection.toClient, begins, until)) {
    const { head } = packet;
    if (head.acked < request.headerEnd || Number.isNaN(head.acked) || isFlagged(head, 'RST')) continue;
    // Where the controller's vantage missed it, a frame of unknown sender at the client's can only be the controller's.
    if (senderOf(packet) === 'controller' || (packet.sent === undefined && isSound(head))) last = head;
  }
  return last;
}

export const REQ_3: Check = {
  clause: 'REQ-3',
  method:
    "The controller's last acknowledgement of a read's header before the backend speaks must have a window of zero.",
  needs: 'captures',
  judge(judged) {
    const tally = new Tally();
    if (hasVariant(judged, 'VAR-6'))
      tally.unsupported('VAR-6: a lock at the switch takes the place of the closed window');
    for (const exchange of judged.handoffs) {
      if (exchange.request.kind !== 'read') continue;
      const ack = closingAck(exchange);
      if (ack === undefined) tally.doubt("the controller's acknowledgement of the header is not in the captures");
      else if (ack.window === 0) tally.hold();
      else {
        tally.fail(
          `expected window 0 with the acknowledgement of a read's header; ${named(ack)} has window ${ack.window} with ack ${ackText(ack)}`,
          at(ack, `window ${ack.window}`),
        );
      }
    }
    const gap = missingVantages(judged.vantages, 'controller');
    return tally.finding('reads handed off with the window closed', gap ?? 'no hand-off of a read in the captures');
  },
  regular: (connection) => connection.exchanges.filter((exchange) => exchange.kind === 'read').length,
};

export const REQ_4: Check = {
  clause: 'REQ-4',
  method:
    "The controller's last acknowledgement of a write's header before the backend speaks must have a window above zero, and the switch must not zero the backend's.",
  needs: 'captures',
  judge(judged) {
    const tally = new Tally();
    for (const exchange of judged.handoffs) {
      const { request } = exchange;
      if (request.kind !== 'write' || request.end === request.headerEnd) continue;
      const ack = closingAck(exchange);
      const zeroed = zeroedOnTheWay(exchange);
      if (zeroed !== undefined) {
        const { sent, arrival } = zeroed;
        tally.fail(
          `expected the backend's window ${sent.window} to reach the client during a write; ${named(arrival)} has window 0`,
          at(sent, `window ${sent.window} as sent`),
          at(arrival, 'window 0 as received'),
        );
      } else if (ack === undefined)
        tally.doubt("the controller's acknowledgement of the header is not in the captures");
      else if (ack.window > 0) tally.hold();
      else {
        tally.fail(
          `expected an open window with the acknowledgement of a write's header; ${named(ack)} has window 0 with ack ${ackText(ack)}`,
          at(ack, 'window 0'),
        );
      }
    }
    const gap = missingVantages(judged.vantages, 'controller');
    return tally.finding(
      'writes handed off with the window open',
      gap ?? 'no hand-off of a write with payload in the captures',
    );
  },
  regular: (connection) =>
    connection.exchanges.filter((exchange) => exchange.kind === 'write' && exchange.payload).length,
};

function zeroedOnTheWay({ packets, handoff }: HandedExchange): { sent: Segment; arrival: Segment } | undefined {
  for (const packet of packets) {
    const { sent } = packet;
    if (sent === undefined || senderOf(packet) !== handoff.backend || isFlagged(sent, 'RST') || sent.window === 0)
      continue;
    const arrival = packet.arrivals.find(({ vantage, window }) => vantage === 'client' && window === 0);
    if (arrival !== undefined && !packet.twins) return { sent, arrival };
  }
  return undefined;
}
