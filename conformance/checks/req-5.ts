/** REQ-5: Payload bytes that arrived behind the header reach the backend exactly once, in order. (SoCC'17 §2.2) */
import { senderOf } from '../flows/connection.js';
import type { HandedExchange, Judged } from '../flows/judged.js';
import { firstDifference } from '../flows/packets.js';
import { between } from '../flows/rules.js';
import type { Check } from './check.js';
import { ackText, at, missingVantages, named, Tally } from './tally.js';

export const REQ_5: Check = {
  clause: 'REQ-5',
  method:
    "Payload that reached the controller's link behind the header must reach the backend's link, with the same bytes, before the backend acknowledges it or answers with success.",
  needs: 'captures',
  judge(judged) {
    const tally = new Tally();
    for (const exchange of judged.handoffs) if (exchange.request.kind === 'write') judgeWrite(judged, tally, exchange);
    const gap = missingVantages(judged.vantages, 'controller');
    return tally.finding(
      'writes whose early payload reached the backend',
      gap ?? "no payload of a handed-off write arrived at the controller's link behind the header",
    );
  },
  regular: () => 0,
};

function judgeWrite(judged: Judged, tally: Tally, exchange: HandedExchange): void {
  const { connection, request, handoff, response, packets } = exchange;
  const until = request.end ?? Number.POSITIVE_INFINITY;
  const early = (connection.dataAt.get('controller')?.overlapping(request.headerEnd, until) ?? []).filter(
    ({ t }) => t < (handoff.first?.t ?? handoff.until),
  );
  const [firstEarly] = early;
  if (firstEarly === undefined) return;
  const to = Math.min(until, Math.max(...early.map(({ offset, length }) => offset + length)));
  const from = Math.max(request.headerEnd, firstEarly.offset);
  const gap = missingVantages(judged.vantages, handoff.backend);
  if (gap !== undefined) {
    tally.doubt(gap);
    return;
  }
  const takenOver = between(connection.toClient, exchange.begins, handoff.first?.t ?? handoff.until).some(
    (packet) => senderOf(packet) === 'controller' && packet.head.acked > from,
  );
  if (takenOver) {
    tally.doubt('the controller acknowledged payload itself, which is for REQ-2 to judge');
    return;
  }
  const atBackend = connection.dataAt.get(handoff.backend);
  const acknowledging = packets.find(
    (packet) => senderOf(packet) === handoff.backend && packet.head.acked >= to && packet.sent !== undefined,
  )?.head;
  const confirmed =
    acknowledging ??
    (response?.end !== undefined && response.status >= 200 && response.status < 300 ? handoff.last : undefined);
  const by = acknowledging?.t ?? handoff.doneFrom;
  const missing = confirmed && (atBackend === undefined ? from : atBackend.missing(from, to, by));
  if (confirmed === undefined) {
    tally.doubt('the end of a write with early payload is not in the captures');
    return;
  }
  if (missing !== undefined) {
    const resent = connection.dataSent
      .overlapping(missing, missing + 1)
      .some((segment) => segment.t < by && !wentToController(exchange, segment.number, segment.capture));
    if (!judged.vantages.has('client') || resent) {
      tally.doubt(
        `byte ${missing + 1} of the client's stream is not seen on ${handoff.backend}'s link before ${named(confirmed)}`,
      );
      return;
    }
    tally.fail(
      `expected the payload behind the header at ${handoff.backend} before it is acknowledged; byte relative ${missing + 1} never got there, and ${named(confirmed)} has ack ${ackText(confirmed)}`,
      at(firstEarly, "payload on the controller's link"),
      at(confirmed, 'taken as received'),
    );
    return;
  }
  for (const segment of atBackend?.overlapping(from, to) ?? []) {
    for (const other of early) {
      const start = Math.max(segment.offset, other.offset, from);
      const length = Math.min(segment.offset + segment.payload.length, other.offset + other.payload.length, to) - start;
      if (length <= 0) continue;
      const mine = segment.payload.subarray(start - segment.offset);
      const theirs = other.payload.subarray(start - other.offset);
      if (
        firstDifference(mine, theirs, length) !== undefined &&
        !isAltered(exchange, segment.number, segment.capture)
      ) {
        tally.fail(
          `expected the same payload bytes at ${handoff.backend} as at the controller; ${named(segment)} differs from ${named(other)}`,
          at(other, "on the controller's link"),
          at(segment, `on ${handoff.backend}'s link`),
        );
        return;
      }
    }
  }
  tally.hold();
}

/** Whether the client's frame is known to have arrived, and at the controller only. */
function wentToController({ connection }: HandedExchange, number: number, capture: string): boolean {
  const packet = connection.toServer.find(({ sent }) => sent?.number === number && sent.capture === capture);
  return (
    packet !== undefined &&
    packet.arrivals.length > 0 &&
    packet.arrivals.every(({ vantage }) => vantage === 'controller')
  );
}

/** A frame that differs from what the client sent in the same packet was changed on its way: that is SWT-5's. */
function isAltered({ connection }: HandedExchange, number: number, capture: string): boolean {
  const packet = connection.toServer.find(({ arrivals }) =>
    arrivals.some((arrival) => arrival.number === number && arrival.capture === capture),
  );
  return packet?.sent !== undefined;
}
