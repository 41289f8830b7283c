/** What no rule may touch, as it was sent and as it arrived. */
import { formatIpv4Address } from '../../reference-impl/wire/addresses.js';
import { type Connection, isBackend, senderOf } from './connection.js';
import { type Frame, isFlagged, type Segment } from './decode.js';
import { extraHops } from './hops.js';
import type { Judged } from './judged.js';
import { changesOf, ecnKept, firstDifference } from './packets.js';
import { type RuleSpan, type RuleTimes, spansOf } from './rules.js';

export interface UnmatchedHop {
  readonly connection: Connection | undefined;
  readonly sent: Frame;
  readonly arrived: Frame;
  /** What changed that may not; undefined when nothing did. */
  readonly alteration: string | undefined;
  /** What a hand-off's rule would have done just so. */
  readonly deed: RuleDeed | undefined;
  /** Somebody else's rule that does just that, in force at the moment. */
  readonly byRule: RuleSpan | undefined;
}

/** Client segments that arrived at the controller, and the controller's that arrived at the client; duplicates and twins left out. */
export function unmatchedHops(judged: Judged, rules: RuleTimes): UnmatchedHop[] {
  const hops: UnmatchedHop[] = [];
  // What is done to a segment as well when no rule is in force is not a rule's doing at any other time.
  const always = new Set<RuleDeed>();
  for (const connection of judged.connections) {
    const own = spansOf(connection);
    for (const packet of connection.packets) {
      const { sent } = packet;
      if (sent === undefined || packet.twins) continue;
      for (const arrived of packet.arrivals) {
        const between =
          sent.towards === 'server'
            ? arrived.vantage === 'controller'
            : senderOf(packet) === 'controller' && arrived.vantage === 'client';
        if (!between) continue;
        const change = alterationOf(judged, sent, arrived);
        const owned = own.some(({ from, to }) => from <= arrived.t && sent.t <= to);
        const others = change?.likeRule && rules.ofOthers(connection, arrived.t);
        if (change?.likeRule !== undefined && change.likeRule !== 'address' && !others) always.add(change.likeRule);
        const byRule = owned || !others ? undefined : others;
        hops.push({ connection, sent, arrived, alteration: change?.text, deed: change?.likeRule, byRule });
      }
    }
  }
  return hops.map((hop) => (hop.deed !== undefined && always.has(hop.deed) ? { ...hop, byRule: undefined } : hop));
}

/** What a rule does to a segment. */
type RuleDeed = 'address' | 'FIN' | 'window';

interface Alteration {
  readonly text: string;
  /** What a hand-off's rule would have done, where it is just that. */
  readonly likeRule: RuleDeed | undefined;
}

function alterationOf(judged: Judged, sent: Segment, arrived: Segment): Alteration | undefined {
  const address = addressChange(sent, arrived);
  if (address !== undefined) return address;
  const [change] = changesOf(sent, arrived);
  if (change !== undefined)
    return { text: `${change.field} ${change.after} instead of ${change.before}`, likeRule: undefined };
  if (isFlagged(sent, 'FIN') !== isFlagged(arrived, 'FIN')) {
    return {
      text: `FIN ${isFlagged(arrived, 'FIN') ? 'set' : 'cleared'}`,
      likeRule: isFlagged(sent, 'FIN') ? 'FIN' : undefined,
    };
  }
  if (sent.window !== arrived.window) {
    return {
      text: `window ${arrived.window} instead of ${sent.window}`,
      likeRule: arrived.window === 0 ? 'window' : undefined,
    };
  }
  return ttlChange(judged, sent, arrived);
}

function addressChange(sent: Frame, arrived: Frame): Alteration | undefined {
  if (sent.dst !== arrived.dst) {
    return {
      text: `destination ${formatIpv4Address(arrived.dst)} instead of ${formatIpv4Address(sent.dst)}`,
      likeRule: 'address',
    };
  }
  if (sent.src !== arrived.src) {
    return {
      text: `source ${formatIpv4Address(arrived.src)} instead of ${formatIpv4Address(sent.src)}`,
      likeRule: 'address',
    };
  }
  return undefined;
}

function ttlChange(judged: Judged, sent: Frame, arrived: Frame): Alteration | undefined {
  const { ttl } = arrived.ipv4;
  const wanted = sent.ipv4.ttl - 1 - extraHops(judged, sent, arrived);
  return ttl === wanted ? undefined : { text: `TTL ${ttl} instead of ${wanted}`, likeRule: undefined };
}

/** Everything that is none of the logical port's traffic. */
export function otherHops(judged: Judged, rules: RuleTimes): UnmatchedHop[] {
  const hops: UnmatchedHop[] = [];
  for (const { sent, arrivals, twins } of judged.others) {
    if (sent === undefined || twins) continue;
    for (const arrived of arrivals) {
      if (arrived.vantage === sent.vantage) continue;
      const change = addressChange(sent, arrived) ?? contentChange(sent, arrived) ?? ttlChange(judged, sent, arrived);
      const backend = isBackend(arrived.vantage) ? arrived.vantage : undefined;
      const byRule = change?.likeRule ? rules.ofOthers(undefined, arrived.t, backend) : undefined;
      hops.push({
        connection: undefined,
        sent,
        arrived,
        alteration: change?.text,
        deed: change?.likeRule,
        byRule,
      });
    }
  }
  return hops;
}

function fieldChange(before: number, after: number): string | undefined {
  if (before >>> 2 !== after >>> 2) return `differentiated services ${after >>> 2} instead of ${before >>> 2}`;
  return ecnKept(before, after) ? undefined : `ECN field ${after & 3} instead of ${before & 3}`;
}

function contentChange(sent: Frame, arrived: Frame): Alteration | undefined {
  const { ipv4: a, view: first } = sent;
  const { ipv4: b, view: second } = arrived;
  if (a.id !== b.id) return { text: `IP id ${b.id} instead of ${a.id}`, likeRule: undefined };
  const marked = fieldChange(a.tos, b.tos);
  if (marked !== undefined) return { text: marked, likeRule: undefined };
  if (a.totalLength !== b.totalLength)
    return { text: `length ${b.totalLength} instead of ${a.totalLength}`, likeRule: undefined };
  if (first.tcp && second.tcp) {
    const cleared = (first.tcp.flags ^ second.tcp.flags) === 1 && first.tcp.fin;
    if (first.tcp.flags !== second.tcp.flags) return { text: 'other TCP flags', likeRule: cleared ? 'FIN' : undefined };
    if (first.tcp.window !== second.tcp.window) {
      return {
        text: `window ${second.tcp.window} instead of ${first.tcp.window}`,
        likeRule: second.tcp.window === 0 ? 'window' : undefined,
      };
    }
  }
  const mine = a.bytes.subarray(a.payloadOffset, a.payloadEnd);
  const theirs = b.bytes.subarray(b.payloadOffset, b.payloadEnd);
  const length = Math.min(mine.length, theirs.length);
  const checksum = first.tcp ? 16 : first.udp ? 6 : length;
  const at =
    firstDifference(mine, theirs, Math.min(checksum, length)) ??
    firstDifference(mine.subarray(checksum + 2), theirs.subarray(checksum + 2), Math.max(0, length - checksum - 2));
  return at === undefined ? undefined : { text: 'other bytes', likeRule: undefined };
}
