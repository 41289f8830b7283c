/** What frames show of a rule that the switch has confirmed: whether it rewrote from its ok on, only later, or never. */

import { type ConfirmedRule, confirmedDuring, confirmedRules, removedBefore } from './confirmed.js';
import { type Connection, isBackend, isSound, senderOf } from './connection.js';
import { isFlagged, type Segment } from './decode.js';
import type { Judged } from './judged.js';
import type { LoggedRequest } from './logged.js';
import { byTime } from './packets.js';

export interface Belied {
  readonly rule: ConfirmedRule;
  /** Frames that met no rule although it had been confirmed, as they arrived, in order of time. */
  readonly missed: readonly Segment[];
  /** The first that met it; undefined where none did. */
  readonly met: Segment | undefined;
}

/**
 * The rule's confirmation was a lie: all that went through the switch at first met no rule, then all did (it was installed late); or nothing did, in
 * either direction (it was never installed). Anything else is a fault in rewriting.
 */
export function beliedBy(judged: Judged, connection: Connection, rule: ConfirmedRule): Belied | undefined {
  const { met, missed } = passagesOf(judged, connection, rule);
  const last = missed.at(-1);
  if (last === undefined) return undefined;
  const [first] = met;
  if (first !== undefined) return last.t < first.t ? { rule, missed, met: first } : undefined;
  const behind = metBehind(connection, rule);
  if (behind !== undefined) return { rule, missed, met: behind };
  const bothWays = new Set(missed.map(({ towards }) => towards)).size === 2;
  return bothWays && disturbanceOf(judged, connection, rule) === undefined
    ? { rule, missed, met: undefined }
    : undefined;
}

interface Passages {
  readonly met: readonly Segment[];
  readonly missed: readonly Segment[];
}

const passages = new WeakMap<ConfirmedRule, Passages>();

/** What passed the switch while the rule was in force by the log, as it arrived, in order of time: what met it, and what did not. */
function passagesOf(judged: Judged, connection: Connection, rule: ConfirmedRule): Passages {
  let found = passages.get(rule);
  if (found === undefined) {
    found = findPassages(judged, connection, rule);
    passages.set(rule, found);
  }
  return found;
}

function findPassages(
  { hosts: { logicalIp, backends } }: Judged,
  connection: Connection,
  rule: ConfirmedRule,
): Passages {
  const missed: Segment[] = [];
  const met: Segment[] = [];
  const backend = backends.get(rule.backend);
  if (backend === undefined) return { met, missed };
  for (const packet of connection.packets) {
    const { sent, twins } = packet;
    if (sent === undefined || twins || sent.t <= rule.from || isFlagged(sent, 'SYN') || !isSound(sent)) continue;
    if (sent.towards === 'client' && senderOf(packet) !== rule.backend) continue;
    for (const arrival of packet.arrivals) {
      if (arrival.t >= rule.to) continue;
      if (sent.towards === 'client') {
        if (arrival.src === backend.ip) missed.push(arrival);
        else if (arrival.src === logicalIp) met.push(arrival);
      } else if (isBackend(arrival.vantage) && arrival.dst !== logicalIp) met.push(arrival);
      else if (arrival.vantage === 'controller') missed.push(arrival);
    }
  }
  missed.sort(byTime);
  met.sort(byTime);
  return { met, missed };
}

/** A client's segment that follows the rule although its removal was confirmed, and no other rule asked for: it came after its own removal. */
function metBehind(connection: Connection, { backend, removal }: ConfirmedRule): Segment | undefined {
  const gone = removal?.answer?.t;
  if (gone === undefined) return undefined;
  for (const { sent, arrivals, twins } of connection.toServer) {
    if (sent === undefined || twins || sent.t <= gone) continue;
    const arrival = arrivals.find(({ vantage }) => vantage === backend);
    if (arrival !== undefined && removedBefore(connection, sent.t, arrival.t) === removal) return arrival;
  }
  return undefined;
}

/** Another connection's rule request between what last met a rule and what first missed it. */
export interface Disturbance {
  readonly rule: ConfirmedRule;
  /** Undefined where nothing had met it yet. */
  readonly lastMet: Segment | undefined;
  readonly missed: Segment;
  readonly request: LoggedRequest;
  /** Whose rule it was about. */
  readonly other: Connection;
}

/** Behind a request so far back somebody else than it may have taken the rule away. */
const DISTURBED_NS = 1e9;

/** A rule that nothing met any more behind somebody else's request for a rule, which is in force itself. */
export function disturbanceOf(judged: Judged, connection: Connection, rule: ConfirmedRule): Disturbance | undefined {
  const { met, missed } = passagesOf(judged, connection, rule);
  const lastMet = met.at(-1);
  const [first] = missed;
  const since = lastMet?.t ?? rule.from;
  if (first === undefined || first.t < since) return undefined;
  for (const other of judged.connections) {
    if (other === connection) continue;
    const request = other.log.find(
      ({ message, answer }) =>
        (message.verb === 'add' || message.verb === 'remove') &&
        answer?.ok === true &&
        answer.t > since &&
        answer.t < first.t &&
        first.t - answer.t < DISTURBED_NS,
    );
    const theirs = request && confirmedRules(other).find((one) => one.add === request || one.removal === request);
    if (request === undefined || theirs === undefined || passagesOf(judged, other, theirs).met.length === 0) continue;
    return { rule, lastMet, missed: first, request, other };
  }
  return undefined;
}

/**
 * The first frame that met no rule although its rule had been confirmed, where nothing ever met that rule and frames of the same direction met
 * another one: rewriting works, and this rule is not there. One direction alone may as well be a fault in its rewriting, unless other rules are in
 * force at the time, and so may have taken the place. Undefined where something met it, or nothing tells.
 */
export function neverInstalled(judged: Judged, connection: Connection, rule: ConfirmedRule): Segment | undefined {
  const { met, missed } = passagesOf(judged, connection, rule);
  const [first] = missed;
  if (first === undefined || met.length > 0 || metBehind(connection, rule) !== undefined) return undefined;
  const bothWays = new Set(missed.map(({ towards }) => towards)).size === 2;
  const others = judged.connections.filter((other) => other !== connection);
  if (!bothWays && !others.some((other) => confirmedDuring(other, rule.from, rule.from) !== undefined))
    return undefined;
  const worksElsewhere = judged.connections.some((other) =>
    confirmedRules(other).some((one) =>
      passagesOf(judged, other, one).met.some(({ towards }) => towards === first.towards),
    ),
  );
  return worksElsewhere ? first : undefined;
}
