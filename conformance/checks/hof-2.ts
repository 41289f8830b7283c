/** HOF-2: Whenever ownership moves, in either direction, the owner that gives up has no un-acknowledged data in flight. (SoCC'17 §2) */
import { isSound, senderOf } from '../flows/connection.js';
import { endOf, isFlagged, type Segment } from '../flows/decode.js';
import type { HandedExchange, Judged } from '../flows/judged.js';
import { between, handedOff } from '../flows/rules.js';
import type { Check } from './check.js';
import { at, missingVantages, named, Tally } from './tally.js';

export const HOF_2: Check = {
  clause: 'HOF-2',
  method:
    "Before the new owner's first segment, the client's acknowledgements on the old owner's link must cover everything that owner sent.",
  needs: 'captures',
  judge(judged) {
    const tally = new Tally();
    for (const connection of judged.connections) {
      const resets = connection.packets.map(({ head }) => head).filter((head) => isFlagged(head, 'RST'));
      let since = Number.NEGATIVE_INFINITY;
      for (const exchange of handedOff(connection)) {
        const { first, takenBack, doneFrom, backend, log } = exchange.handoff;
        if (first !== undefined) judgeMove(judged, tally, exchange, 'controller', first, since);
        if (first === undefined || takenBack === undefined) continue;
        since = takenBack.t;
        // A connection that is reset is not handed over: what is in flight is given up with it.
        const reset = resets.some(({ towards, t }) =>
          towards === 'client' ? t >= takenBack.t && t < doneFrom : t >= first.t && t <= takenBack.t,
        );
        if (!reset && log?.report?.message.verb !== 'failed') {
          judgeMove(judged, tally, exchange, backend, takenBack, first.t);
        }
      }
    }
    return tally.finding('moves of ownership with everything acknowledged', 'no move of ownership in the captures');
  },
  // The controller gives up with its SYN-ACK acknowledged, each backend with its response.
  regular: (connection) => connection.exchanges.length + 1,
};

function judgeMove(
  judged: Judged,
  tally: Tally,
  { connection }: HandedExchange,
  giver: string,
  taker: Segment,
  since: number,
): void {
  const gap = missingVantages(judged.vantages, giver, 'client');
  if (gap !== undefined) {
    tally.doubt(gap);
    return;
  }
  let last: Segment | undefined;
  for (const packet of between(connection.toClient, since, taker.t)) {
    const { head } = packet;
    if (senderOf(packet) !== giver || !isSound(head) || head.t >= taker.t) continue;
    if (endOf(head) > head.offset && (last === undefined || endOf(head) > endOf(last))) last = head;
  }
  if (last === undefined) return;
  const end = endOf(last);
  const known = connection.acksAt.get(giver)?.highest(taker.t);
  if (known !== undefined && known.acked >= end) {
    tally.hold();
    return;
  }
  // The captures may have missed the frame on the giver's link; the client's own tells whether there was one.
  const sent = connection.acksSent.covering(end);
  const packet = sent && connection.toServer.find((candidate) => candidate.sent === sent);
  const astray = packet?.arrivals.some(({ vantage }) => vantage === taker.vantage) === true;
  if (judged.missedFrames('client') || (sent !== undefined && sent.t <= taker.t && !astray)) {
    tally.doubt(`the acknowledgement of ${named(last)} is not seen on the link of ${giver}`);
    return;
  }
  tally.fail(
    `expected everything ${giver} sent to be acknowledged before ${taker.vantage} speaks in ${named(taker)}; ${named(last)} was not`,
    at(last, `not acknowledged to ${giver}`),
    at(taker, `${taker.vantage} takes over`),
  );
}
