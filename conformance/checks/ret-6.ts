/** RET-6: After a connection ends, no rule and no state of it is left anywhere. (SoCC'17 §2.5) */
import { type Connection, isBackend, isSound } from '../flows/connection.js';
import { isFlagged, type Segment } from '../flows/decode.js';
import type { Judged } from '../flows/judged.js';
import { between, explainArrival, handedOff, possibleRules, type RuleTimes } from '../flows/rules.js';
import type { Check } from './check.js';
import { at, named, Tally } from './tally.js';

const DEFAULT_HANDOFF_MS = 60_000;

export const RET_6: Check = {
  clause: 'RET-6',
  method:
    "In the control log every rule of an ended connection must be removed; in frames, what the client's port sends after the end must not reach a backend.",
  needs: 'captures',
  judge(judged) {
    const tally = new Tally();
    const rules = possibleRules(judged);
    const handedPorts = new Map<string, EarlierOne>(judged.beside.earlier);
    for (const connection of judged.connections) {
      const before = handedPorts.get(connection.client);
      if (before !== undefined) judgeReuse(tally, connection, before);
      if (handedOff(connection).length > 0)
        handedPorts.set(connection.client, { name: connection.name, ended: connection.ended });
      judgeLog(judged, tally, connection);
      judgeLateSegments(judged, tally, connection, rules);
    }
    return tally.finding(
      'ended connections without a rule left',
      'nothing was sent on a connection after its end, and there is no control log',
    );
  },
  regular: ({ reused }) => (reused ? 1 : 0),
};

/** The connection of a port before the one that is judged; its end where its frames are still at hand. */
interface EarlierOne {
  readonly name: string;
  readonly ended: Segment | boolean | undefined;
}

/** A later connection of the same port begins at the controller. */
function judgeReuse(tally: Tally, connection: Connection, before: EarlierOne): void {
  for (const { head, arrivals } of connection.packets) {
    if (head.towards !== 'server' || !isFlagged(head, 'SYN') || !isSound(head)) continue;
    const [arrival] = arrivals;
    if (arrival === undefined) continue;
    if (isBackend(arrival.vantage)) {
      tally.fail(
        `expected the next connection of ${connection.client} at the controller; the rule of ${before.name} took its SYN to ${arrival.vantage} in ${named(arrival)}`,
        ...(typeof before.ended === 'object' ? [at(before.ended, 'the earlier connection ends')] : []),
        at(arrival, `SYN on ${arrival.vantage}'s link`),
      );
    } else if (before.ended) tally.hold();
    return;
  }
}

function judgeLateSegments(judged: Judged, tally: Tally, connection: Connection, rules: RuleTimes): void {
  const { ended } = connection;
  if (ended === undefined || handedOff(connection).length === 0) return;
  let clean = false;
  for (const packet of between(connection.packets, ended.t, connection.to)) {
    if (packet.head.towards !== 'server' || packet.sent === undefined || packet.sent.t <= ended.t) continue;
    for (const arrival of packet.arrivals) {
      if (arrival.vantage === 'controller') clean = true;
      if (!isBackend(arrival.vantage) || explainArrival(judged, rules, connection, packet, arrival) !== 'RET-6')
        continue;
      tally.fail(
        `expected no rule of ${connection.name} after its end in ${named(ended)}; ${named(arrival)} still went to ${arrival.vantage}`,
        at(ended, 'the connection ends'),
        at(arrival, `on ${arrival.vantage}'s link`),
      );
      return;
    }
  }
  if (clean) tally.hold();
}

function judgeLog(judged: Judged, tally: Tally, { log, ended, name }: Connection): void {
  if (judged.log === undefined || !judged.log.showsSwitch || ended === undefined) return;
  const adds = log.filter(({ message, answer }) => message.verb === 'add' && answer?.ok === true);
  const last = adds.at(-1);
  if (last === undefined) return;
  const removed = log.find(({ message, answer, t }) => message.verb === 'remove' && answer?.ok === true && t >= last.t);
  if (removed !== undefined) {
    tally.hold();
    return;
  }
  if (judged.log.end < ended.t) {
    tally.doubt(`${judged.log.name} ends before ${name} does`);
    return;
  }
  // A client that resets while handed off is noticed by the backend, which reports it; that may take as long as a hand-off may.
  const bound = (judged.topology.bounds?.handoffMs ?? DEFAULT_HANDOFF_MS) * 1e6;
  if (Math.max(judged.end, judged.log.end) - ended.t <= bound) {
    const patience = isFlagged(ended, 'RST') ? bound : 0;
    if (Math.max(judged.end, judged.log.end) - ended.t <= patience) {
      tally.doubt(`whether the rule of ${name} is removed after its reset is not in the control log`);
      return;
    }
  }
  tally.fail(
    `expected the rule that line ${last.line} of ${judged.log.name} adds to be removed by the end of ${name} in ${named(ended)}; no remove was answered`,
    { capture: judged.log.name, frame: last.line, note: 'add' },
    at(ended, 'the connection ends'),
  );
}
