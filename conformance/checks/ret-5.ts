/** RET-5: A client RST during hand-off frees rules, backend socket and controller state. (D of RET-1) */
import { type Connection, isSound, senderOf } from '../flows/connection.js';
import { isFlagged, type Segment } from '../flows/decode.js';
import type { HandedExchange, Judged } from '../flows/judged.js';
import { between } from '../flows/rules.js';
import type { Check } from './check.js';
import { at, missingVantages, named, Tally } from './tally.js';

/** What was under way when the reset arrived. */
const UNDER_WAY_NS = 50e6;
/** A rule whose removal is asked for later than this was left behind: the lease of a hand-off is no longer. */
const LEASE_SLACK_NS = 10e9;

export const RET_5: Check = {
  clause: 'RET-5',
  method:
    "After a client's RST of the exact number has reached the owning backend's link, that backend sends nothing more, and the control log shows the rule's removal.",
  needs: 'captures',
  incidental: true,
  judge(judged) {
    const tally = new Tally();
    for (const exchange of judged.handoffs) {
      const { connection, handoff } = exchange;
      const reset = resetAtOwner(exchange);
      if (reset === undefined) continue;
      const stray = between(connection.toClient, reset.t, connection.to).find(
        (packet) =>
          senderOf(packet) === handoff.backend &&
          packet.head.t > reset.t + UNDER_WAY_NS &&
          !isFlagged(packet.head, 'RST') &&
          !handedAgain(connection, exchange, packet.head.t),
      )?.head;
      if (stray !== undefined)
        tally.fail(
          `expected nothing of ${handoff.backend} once the client has reset ${connection.name} in ${named(reset)}; it sent ${named(stray)}`,
          at(reset, 'the client resets the connection'),
          at(stray, `${handoff.backend} goes on`),
        );
      else judgeRule(judged, tally, exchange, reset);
    }
    const gap = missingVantages(judged.vantages, 'client', ...judged.hosts.backends.keys());
    return tally.finding(
      'resets during a hand-off after which the backend was silent',
      gap ?? 'no client reset its connection while handed off',
    );
  },
  regular: () => 0,
};

/** The client's reset as it reached the owner, with exactly the number that the owner waits for. */
function resetAtOwner({ connection, handoff }: HandedExchange): Segment | undefined {
  const { first, interrupted, doneFrom, backend } = handoff;
  if (first === undefined) return undefined;
  for (const { arrivals } of between(connection.toServer, first.t, Math.min(interrupted, doneFrom))) {
    const arrived = arrivals.find(({ vantage }) => vantage === backend);
    if (arrived === undefined || !isFlagged(arrived, 'RST') || !isSound(arrived)) continue;
    let expected = -1;
    for (const packet of between(connection.toClient, first.t, arrived.t))
      if (senderOf(packet) === backend && packet.head.acked > expected) expected = packet.head.acked;
    if (arrived.offset === expected) return arrived;
  }
  return undefined;
}

function handedAgain(connection: Connection, exchange: HandedExchange, t: number): boolean {
  return connection.exchanges.some(({ index, begins }) => index > exchange.index && begins <= t);
}

function judgeRule(judged: Judged, tally: Tally, { handoff, connection }: HandedExchange, reset: Segment): void {
  const { log } = handoff;
  const bound = (judged.topology.bounds?.handoffMs ?? 60_000) * 1e6 + LEASE_SLACK_NS;
  if (log === undefined || judged.log?.showsSwitch !== true || log.remove !== undefined) {
    tally.hold();
    return;
  }
  if (Math.max(judged.end, judged.log.end) < reset.t + bound) {
    tally.doubt('the control log ends before the rule has to be removed');
    return;
  }
  tally.fail(
    `expected the rule of ${connection.name} to be removed once the client has reset it in ${named(reset)}; ${judged.log.name} shows no removal`,
    at(reset, 'the client resets the connection'),
    { capture: judged.log.name, frame: log.handoff.line, note: 'the hand-off' },
  );
}
