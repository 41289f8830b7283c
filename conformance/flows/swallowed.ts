/**
 * Segments that went into the switch and never came out, nor anything else that says the same. A network may lose a frame, so what was made
 * good later is no offence; what was sent again and again in vain, while other traffic passed, was not lost by chance.
 */

import { confirmedDuring } from './confirmed.js';
import { type Connection, isBackend, isSound, senderOf } from './connection.js';
import { isFlagged, type Segment } from './decode.js';
import type { Judged } from './judged.js';
import type { Packet } from './packets.js';
import { remembered } from './remembered.js';
import { handedOff } from './rules.js';
import { strays } from './strays.js';

/** The clause by which a right switch would have carried it. */
export type CarryingClause = 'SWT-1' | 'SWT-2' | 'SWT-3';

export interface Swallowed {
  readonly clause: CarryingClause;
  readonly connection: Connection;
  /** The same thing, as often as it was sent, in order of time; none of them arrived anywhere. */
  readonly sent: readonly Segment[];
  /** Where it had to arrive. */
  readonly owed: string;
}

/** Sent so often in vain is no chance, where ... */
const IN_VAIN = 3;
/** ... chance would make it less likely than this, by what else the captures show lost. */
const CHANCE = 1e-3;
/** What is on its way when a capture ends is not swallowed. */
const FLIGHT_NS = 1e9;
/** The same where nothing is ever late. */
const MOMENT_NS = 10e6;
/** Larger packets are a router's to refuse (RFC 1191). */
const ORDINARY_PACKET = 1500;

/** What the switch swallowed, in order of the first sending; nothing where a vantage is not captured or missed frames. */
export const swallowed: (judged: Judged) => readonly Swallowed[] = remembered(find);

function find(judged: Judged): Swallowed[] {
  const wanted = ['client', 'controller', ...judged.hosts.backends.keys()];
  if (wanted.some((vantage) => !judged.vantages.has(vantage) || judged.missedFrames(vantage))) return [];
  const astray = new Set(strays(judged).map(({ sent }) => sent));
  const candidates = judged.connections.flatMap((connection) => [
    ...lost(judged, connection, 'server', astray),
    ...lost(judged, connection, 'client', astray),
  ]);
  if (candidates.length === 0) return [];
  const suspects = new Set(candidates.flatMap(({ sent }) => sent));
  let passed = 0;
  let vanished = 0;
  let lastPassage = Number.NEGATIVE_INFINITY;
  for (const { sent, arrivals } of judged.packets) {
    if (sent === undefined) continue;
    if (arrivals.length > 0) {
      passed++;
      lastPassage = Math.max(lastPassage, sent.t);
    } else if (!suspects.has(sent)) vanished++;
  }
  const chance = (vanished + 1) / (passed + vanished + 2);
  return candidates
    .filter(({ sent }) => {
      const [first] = sent;
      if (first === undefined) return false;
      if (judged.lossless) return judged.end - first.t > MOMENT_NS;
      // A switch that is dead, or a link that was cut, carries nothing: that is no clause of forwarding.
      const alive = lastPassage > first.t && judged.end - first.t > FLIGHT_NS;
      return alive && sent.length >= IN_VAIN && chance ** sent.length < CHANCE;
    })
    .sort((a, b) => (a.sent[0]?.t ?? 0) - (b.sent[0]?.t ?? 0));
}

/** What of one direction never arrived and was never made good, by what it says. */
function lost(
  judged: Judged,
  connection: Connection,
  towards: 'server' | 'client',
  astray: ReadonlySet<Segment>,
): Swallowed[] {
  if (connection.start === undefined) return lostHandshake(judged, connection, towards);
  const packets = towards === 'server' ? connection.toServer : connection.toClient;
  const groups = new Map<string, Swallowed & { readonly sent: Segment[] }>();
  const arrivedAt = new Map<string, Arrived>();
  for (const packet of packets) {
    const { sent } = packet;
    if (sent === undefined || packet.arrivals.length > 0 || astray.has(sent) || !carriable(judged, sent)) continue;
    const owed = carrier(connection, sent, senderOf(packet));
    if (owed === undefined) continue;
    // What another owner got is not made good by that: the client sends it again because it was not acknowledged there.
    let arrived = arrivedAt.get(owed.owed);
    if (arrived === undefined) {
      arrived = new Arrived(packets, owed.owed);
      arrivedAt.set(owed.owed, arrived);
    }
    if (arrived.makesGood(sent)) continue;
    const key = `${owed.clause} ${contentOf(sent)}`;
    const group = groups.get(key);
    if (group) group.sent.push(sent);
    else groups.set(key, { ...owed, connection, sent: [sent] });
  }
  return [...groups.values()];
}

/** Of a connection that never came about: its SYNs, and the answers to them. */
function lostHandshake(judged: Judged, connection: Connection, towards: 'server' | 'client'): Swallowed[] {
  const syns = connection.packets.filter(
    ({ head }) => head.towards === towards && isFlagged(head, 'SYN') && isSound(head),
  );
  if (syns.some(({ arrivals }) => arrivals.length > 0)) return [];
  const sent = syns.flatMap((packet) => (packet.sent && carriable(judged, packet.sent) ? [packet.sent] : []));
  if (sent.length === 0) return [];
  return [{ clause: 'SWT-3', connection, sent, owed: towards === 'server' ? 'controller' : 'client' }];
}

/** A switch has no reason of its own to drop it. */
function carriable(judged: Judged, segment: Segment): boolean {
  const { fabricMac, logicalIp } = judged.hosts;
  return (
    segment.checksums === 'valid' &&
    segment.acceptable &&
    segment.ipv4.ttl > 1 &&
    segment.ipv4.options.length === 0 &&
    segment.ipv4.totalLength <= ORDINARY_PACKET &&
    segment.view.ethernet.vlanTags.length === 0 &&
    (fabricMac === undefined || segment.dstMac === fabricMac) &&
    (segment.towards === 'client' || segment.dst === logicalIp)
  );
}

/** Who had to get it, and by which clause; undefined where nobody need have. */
function carrier(
  connection: Connection,
  sent: Segment,
  sender: string | undefined,
): Pick<Swallowed, 'clause' | 'owed'> | undefined {
  if (sent.towards === 'client') {
    if (sender === 'controller') return { clause: 'SWT-3', owed: 'client' };
    return isBackend(sender) && owns(connection, sent, sender) ? { clause: 'SWT-2', owed: 'client' } : undefined;
  }
  if (sent.vantage !== 'client') return undefined;
  const rule = confirmedDuring(connection, sent.t, sent.t);
  if (rule !== undefined) return { clause: 'SWT-1', owed: rule.backend };
  const handed = handedOff(connection).find(
    ({ handoff: { first, until, log } }) => log === undefined && first && first.t < sent.t && sent.t < until,
  );
  if (handed !== undefined) return { clause: 'SWT-1', owed: handed.handoff.backend };
  return { clause: 'SWT-3', owed: 'controller' };
}

/** A former owner's segments are rightly dropped, and so are those of one that was given up. */
function owns(connection: Connection, sent: Segment, backend: string): boolean {
  if (connection.log.some(({ message }) => message.verb === 'add'))
    return confirmedDuring(connection, sent.t, sent.t)?.backend === backend;
  return handedOff(connection).some(
    ({ handoff }) =>
      handoff.backend === backend &&
      handoff.first !== undefined &&
      handoff.first.t <= sent.t &&
      sent.t < Math.min(handoff.interrupted, handoff.doneFrom),
  );
}

/** Two frames that say the same have the same. */
function contentOf(segment: Segment): string {
  const { offset, acked, length, window } = segment;
  if (isFlagged(segment, 'SYN')) return 'SYN';
  if (isFlagged(segment, 'RST')) return 'RST';
  if (length > 0) return `data ${offset}`;
  if (isFlagged(segment, 'FIN')) return 'FIN';
  return `ack ${acked} ${window > 0}`;
}

/** What of one direction has arrived at one vantage. */
class Arrived {
  readonly #syn: boolean;
  readonly #fin: boolean;
  readonly #reset: boolean;
  readonly #ranges: readonly (readonly [from: number, to: number])[];
  /** The most that was acknowledged, and the most with an open window. */
  #acked = Number.NEGATIVE_INFINITY;
  #ackedOpen = Number.NEGATIVE_INFINITY;

  constructor(packets: readonly Packet[], vantage: string) {
    const here = packets.map(({ head, arrivals }) => ({
      head,
      arrivals: arrivals.filter((one) => one.vantage === vantage),
    }));
    const arrivals = here.flatMap((packet) => packet.arrivals);
    this.#syn = arrivals.some((segment) => isFlagged(segment, 'SYN'));
    // A rule takes the flag off, and the segment has arrived nevertheless.
    this.#fin = here.some((packet) => packet.arrivals.length > 0 && isFlagged(packet.head, 'FIN'));
    this.#reset = arrivals.some((segment) => isFlagged(segment, 'RST'));
    const ranges: (readonly [number, number])[] = [];
    for (const segment of arrivals) {
      if (segment.length > 0) ranges.push([segment.offset, segment.offset + segment.length]);
      if (segment.acked > this.#acked) this.#acked = segment.acked;
      if (segment.window > 0 && segment.acked > this.#ackedOpen) this.#ackedOpen = segment.acked;
    }
    ranges.sort((a, b) => a[0] - b[0]);
    const joined: [number, number][] = [];
    for (const [from, to] of ranges) {
      const last = joined.at(-1);
      if (last !== undefined && from <= last[1]) last[1] = Math.max(last[1], to);
      else joined.push([from, to]);
    }
    this.#ranges = joined;
  }

  makesGood(segment: Segment): boolean {
    if (isFlagged(segment, 'RST')) return this.#reset;
    if (isFlagged(segment, 'SYN')) return this.#syn;
    if (segment.length > 0)
      return this.#ranges.some(([from, to]) => from <= segment.offset && segment.offset + segment.length <= to);
    if (isFlagged(segment, 'FIN')) return this.#fin;
    return (segment.window > 0 ? this.#ackedOpen : this.#acked) >= segment.acked;
  }
}
