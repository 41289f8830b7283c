/** The analysed evidence that every passive check is given: connections, hand-offs, other traffic, the control log. */
import type { Topology } from '../../harness/topology.js';
import type { ControlLogEntry } from '../../harness/world.js';
import type { Ipv4Address } from '../../reference-impl/wire/addresses.js';
import { alignClocks } from './clocks.js';
import { type Connection, connectionsOf, type Exchange, type Handoff } from './connection.js';
import { withoutCopies } from './copies.js';
import {
  type CaptureInput,
  type Decoded,
  decodeCaptures,
  type Frame,
  type Hosts,
  hostsOf,
  isFlagged,
} from './decode.js';
import { type ControlLog, indexControlLog } from './logged.js';
import { type Packet, pairOthers, pairSegments } from './packets.js';
import type { RuleSpan } from './rules.js';

export interface Judged {
  readonly topology: Topology;
  readonly hosts: Hosts;
  /** The vantages that the captures have. */
  readonly vantages: ReadonlySet<string>;
  readonly connections: readonly Connection[];
  /** Every client segment of every connection, as packets, in order of time. */
  readonly packets: readonly Packet[];
  /** IPv4 traffic that is none of the logical port's. */
  readonly others: readonly Packet<Frame>[];
  /** Whether the client spoke to a server's own address from this port by itself. */
  addressed(client: string, server: Ipv4Address): boolean;
  /** All hand-offs in order of time. */
  readonly handoffs: readonly HandedExchange[];
  readonly log: ControlLog | undefined;
  /** Time of the last frame. */
  readonly end: number;
  /** Between the captured links nothing but the switch can have lost a frame. */
  readonly lossless: boolean;
  /** Whether a vantage's frames carry checksums left to a network card, or segments no link carries. */
  offloaded(vantage: string): boolean;
  /** Whether a vantage's capture certainly missed a frame, so that it cannot prove that something was not sent. */
  missedFrames(vantage: string): boolean;
  /** So many packets are seen at their receiver's end only that any conclusion from what is not seen is worth nothing. */
  readonly sketchy: boolean;
  /** What was left out and why, for people. */
  readonly notes: readonly string[];
  /** What is known of connections that are not among these because they were judged before, or apart. */
  readonly beside: Beside;
}

/** Connections that share the network with those that are judged. */
export interface Beside {
  /** Spans in which their rules may, and certainly must, have been in force. */
  readonly possible: readonly RuleSpan[];
  readonly certain: readonly RuleSpan[];
  /** The last one of a client's port that was handed off, if one was. */
  readonly earlier: ReadonlyMap<string, EarlierConnection>;
  readonly missed: ReadonlySet<string>;
  readonly offloads: ReadonlySet<string>;
  /** There are hand-offs that are not among these. */
  readonly partial: boolean;
  /** Time of the last frame of anybody. */
  readonly end: number;
  /** Vantages that routers of somebody else may stand before, so that the TTL is lowered by more than the switch lowers it. */
  readonly distant: ReadonlySet<string>;
}

export interface EarlierConnection {
  readonly name: string;
  /** How many connections of that port there were up to it. */
  readonly count: number;
  readonly ended: boolean;
}

export const NOBODY_BESIDE: Beside = {
  possible: [],
  certain: [],
  earlier: new Map(),
  missed: new Set(),
  offloads: new Set(),
  partial: false,
  end: 0,
  distant: new Set(),
};

/** An exchange that was handed off. */
export interface HandedExchange extends Exchange {
  readonly handoff: Handoff;
}

export interface AnalyseInput {
  readonly captures: readonly CaptureInput[];
  readonly topology: Topology;
  readonly controlLog?: { readonly name: string; readonly entries: readonly ControlLogEntry[] };
  /** Whoever captured knows that nothing but the switch can have lost a frame. */
  readonly lossless?: boolean;
}

export type AnalyseOutcome =
  /** `origin`: epoch nanoseconds of the captures' time 0. */
  | { readonly ok: true; readonly judged: Judged; readonly origin: bigint }
  /** One line: which file, where in it, and why it cannot be read. */
  | { readonly ok: false; readonly error: string };

/** Larger than any frame a link carries without offloads (a jumbo frame's IP packet). */
const LARGEST_PACKET = 9216;

/** Total. Captures of one run on one network; several files are brought to one clock. O(n log n) in the number of frames. */
export function analyse(input: AnalyseInput): AnalyseOutcome {
  const { topology } = input;
  const outcome = decodeCaptures(input.captures, topology);
  if (!outcome.ok) return outcome;
  const { segments, others, origin } = outcome.decoded;
  const notes = [...outcome.decoded.notes];
  if (input.captures.length > 1) notes.push(...alignClocks(segments, others));
  const log = input.controlLog && indexControlLog(input.controlLog.name, input.controlLog.entries, origin);
  const judged = judgedOf({ ...outcome.decoded, notes }, topology, log, NOBODY_BESIDE);
  return { ok: true, judged: { ...judged, lossless: input.lossless === true }, origin };
}

/** Frames on one clock, analysed. */
export function judgedOf(
  decoded: Omit<Decoded, 'origin'>,
  topology: Topology,
  log: ControlLog | undefined,
  beside: Beside,
): Judged {
  const { vantages } = decoded;
  const hosts = hostsOf(topology);
  const { frames: segments, copies } = withoutCopies(decoded.segments);
  const { frames: others, copies: more } = withoutCopies(decoded.others);
  const doubled = copies + more;
  const notes =
    doubled === 0
      ? decoded.notes
      : [
          ...decoded.notes,
          `${doubled} frames show what the same link showed a moment before, byte for byte: they were taken for copies that the capture made`,
        ];
  const paired = pairSegments(segments);
  // A client may speak to a server's own address, too: that is nobody's connection to the logical one.
  const direct = ({ sent }: Packet): boolean =>
    sent?.vantage === 'client' && sent.towards === 'server' && sent.serverIp !== hosts.logicalIp;
  const packets = paired.filter((packet) => !direct(packet));
  const opened = new Set(
    paired
      // A reset may be all that it says to whom it has heard from unasked.
      .filter((packet) => direct(packet) && !isFlagged(packet.head, 'RST'))
      .map(({ head }) => `${head.client}>${head.serverIp}`),
  );
  const connections = connectionsOf(packets, hosts, log, beside.earlier);
  const handoffs = connections
    .flatMap(({ exchanges }) => exchanges)
    .filter((exchange): exchange is HandedExchange => exchange.handoff !== undefined)
    .sort((a, b) => startOf(a.handoff) - startOf(b.handoff));
  const offloads = new Set<string>(beside.offloads);
  let { end } = beside;
  for (const segment of segments) {
    end = Math.max(end, segment.t);
    if (segment.checksums === 'partial' || segment.ipv4.totalLength > LARGEST_PACKET) offloads.add(segment.vantage);
  }
  for (const frame of others) end = Math.max(end, frame.t);
  const incomplete = new Set([...incompleteVantages(packets, vantages, hosts), ...beside.missed]);
  return {
    topology,
    hosts,
    vantages,
    connections,
    packets,
    others: [...pairOthers(others), ...paired.filter(direct)],
    handoffs,
    log,
    end,
    lossless: false,
    addressed: (client, server) => opened.has(`${client}>${server}`),
    missedFrames: (vantage) => incomplete.has(vantage),
    sketchy: isSketchy(packets, vantages),
    offloaded: (vantage) => offloads.has(vantage),
    notes,
    beside,
  };
}

/** From such a part of the packets on, seen to arrive and not to be sent. */
const SKETCHY = 0.08;
/** So many may be some offender's doing. */
const FEW = 3;

/** Whether frames are missing all over the captures, at the clients' and at the servers' links. */
function isSketchy(packets: readonly Packet[], vantages: ReadonlySet<string>): boolean {
  if (!vantages.has('client')) return false;
  const unseen = { server: 0, client: 0 };
  for (const { sent, head } of packets) if (sent === undefined) unseen[head.towards]++;
  const all = unseen.server + unseen.client;
  return all > FEW && all > SKETCHY * packets.length;
}

/** Vantages where a packet must have been seen that is seen elsewhere only. */
function incompleteVantages(packets: readonly Packet[], vantages: ReadonlySet<string>, hosts: Hosts): Set<string> {
  const servers = ['controller', ...hosts.backends.keys()];
  const incomplete = new Set<string>();
  for (const { sent, head } of packets) {
    if (sent !== undefined) continue;
    // Which of the servers sent it is not known.
    if (head.towards === 'server') incomplete.add('client');
    else for (const server of servers) incomplete.add(server);
  }
  return new Set([...incomplete].filter((vantage) => vantages.has(vantage)));
}

/** The first moment at which a hand-off shows. */
export function startOf(handoff: Handoff): number {
  return handoff.first?.t ?? handoff.log?.handoff.t ?? handoff.until;
}
