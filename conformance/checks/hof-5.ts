/** HOF-5: A client segment that meets a backend before take-over or after give-up draws no RST and no ACK there. (D of HOF-4) */
import { seqDiff } from '../../reference-impl/wire/seq.js';
import { isSound, senderOf } from '../flows/connection.js';
import { isFlagged, type Segment } from '../flows/decode.js';
import { afterGivingUp, giveUps, LOG_SLACK_NS } from '../flows/former.js';
import type { HandedExchange } from '../flows/judged.js';
import type { Packet } from '../flows/packets.js';
import { between } from '../flows/rules.js';
import type { Check } from './check.js';
import { at, missingVantages, named, Tally } from './tally.js';

export const HOF_5: Check = {
  clause: 'HOF-5',
  method:
    "Client segments on a backend's link before its hand-off (the control log's, or else its first segment) and after it gave the connection up must draw neither RST nor ACK of it.",
  needs: 'captures',
  incidental: true,
  judge(judged) {
    const tally = new Tally();
    for (const exchange of judged.handoffs) judgeBefore(tally, exchange);
    for (const exchange of judged.handoffs) judgeReport(tally, exchange);
    for (const connection of judged.connections) {
      for (const giveUp of giveUps(connection)) {
        const { backend } = giveUp.exchange.handoff;
        const met = arrivalsAt(between(connection.toServer, giveUp.t, giveUp.until), backend).filter(
          ({ t }) => t > giveUp.t && t < giveUp.until,
        );
        judgeArrivals(
          tally,
          met,
          afterGivingUp(giveUp),
          backend,
          'after it gave the connection up',
          'line' in giveUp.shownBy,
        );
      }
    }
    const gap = missingVantages(judged.vantages, ...judged.hosts.backends.keys());
    return tally.finding(
      'client segments drew nothing from a backend that did not own the connection',
      gap ?? 'no client segment met a backend that did not own the connection',
    );
  },
  regular: () => 0,
};

/** Between the header and the hand-off; without a log an ACK of the backend is its first word as the owner. */
function judgeBefore(tally: Tally, exchange: HandedExchange): void {
  const { connection, handoff, begins } = exchange;
  // A backend takes over when it answers the hand-off.
  const answer = handoff.log?.handoff.answer;
  const told = answer?.ok === true ? answer.t - LOG_SLACK_NS : undefined;
  const until = told ?? handoff.first?.t;
  // Behind an earlier request of its own a backend still owns the connection until it has reported.
  const before = connection.exchanges.findLast(
    (one) => one.index < exchange.index && one.handoff?.backend === handoff.backend,
  )?.handoff;
  const from = Math.max(begins, before === undefined ? begins : (before.log?.report?.t ?? Number.POSITIVE_INFINITY));
  if (until === undefined || until <= from) return;
  const met = arrivalsAt(between(connection.toServer, from, until), handoff.backend).filter(({ t }) => t < until);
  const replies = between(connection.toClient, from, until).filter(
    (packet) =>
      senderOf(packet) === handoff.backend &&
      packet.head.t < until &&
      (told !== undefined || isFlagged(packet.head, 'RST')),
  );
  judgeArrivals(tally, met, replies, handoff.backend, 'before it took over', told !== undefined);
}

function arrivalsAt(packets: readonly Packet[], backend: string): Segment[] {
  return packets.flatMap(({ arrivals }) =>
    arrivals.filter((arrival) => arrival.vantage === backend && isSound(arrival) && !isFlagged(arrival, 'RST')),
  );
}

/** An acknowledgement of more than the backend reported to have taken, whatever the clocks of log and captures say. */
function judgeReport(tally: Tally, { connection, handoff }: HandedExchange): void {
  const report = handoff.log?.report;
  if (report?.message.verb !== 'complete') return;
  const { ack } = report.message.snapshot;
  const next = connection.exchanges.find(({ handoff: later }) => (later?.first?.t ?? 0) > report.t)?.handoff?.first?.t;
  const over = between(connection.toClient, report.t - LOG_SLACK_NS, next ?? connection.to).find(
    (packet) =>
      senderOf(packet) === handoff.backend &&
      packet.head.length === 0 &&
      seqDiff(packet.head.ack, ack) > 0 &&
      packet.head.t < (next ?? connection.to),
  )?.head;
  if (over === undefined) return;
  const arrival = connection.toServer
    .flatMap(({ arrivals }) => arrivals)
    .find((one) => one.vantage === handoff.backend && one.t <= over.t && seqDiff(over.ack, one.seq) === one.length);
  tally.fail(
    `expected no answer of ${handoff.backend} to what met it after it had reported (ack ${ack} in line ${report.line}); it acknowledges ${over.ack} in ${named(over)}`,
    ...(arrival ? [at(arrival, `meets ${handoff.backend} after it gave up`)] : []),
    at(over, 'ACK of no owner'),
  );
}

/** A stack answers within so long; what it sends later, a timer sends. */
const PROMPT_NS = 200e6;

function judgeArrivals(
  tally: Tally,
  met: readonly Segment[],
  replies: readonly Packet[],
  backend: string,
  when: string,
  certain: boolean,
): void {
  for (const arrival of met) {
    const reply = replies.find(
      ({ head }) =>
        head.t >= arrival.t && head.t - arrival.t < PROMPT_NS && (isFlagged(head, 'RST') || head.length === 0),
    )?.head;
    if (reply === undefined) {
      // Where frames alone tell when ownership moved, it may have moved a moment later.
      if (certain) tally.hold();
      continue;
    }
    const what = isFlagged(reply, 'RST') ? 'RST' : 'ACK';
    tally.fail(
      `expected no answer of ${backend} to ${named(arrival)}, which met it ${when}; it sent ${what} in ${named(reply)}`,
      at(arrival, `meets ${backend} ${when}`),
      at(reply, `${what} of no owner`),
    );
    return;
  }
}
