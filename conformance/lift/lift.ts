/** Captures to programs for Trace.tla: every frame of a connection as it left and as it arrived, in the order of the captures. */
import type { Topology } from '../../harness/topology.js';
import { ISS } from '../../model/trace/event-programs.js';
import { Numbers } from '../../model/trace/numbers.js';
import type { TracedPacket, TracedStep, TraceProgram } from '../../model/trace/program.js';
import { seqDiff } from '../../reference-impl/wire/seq.js';
import { type Connection, isSound, senderOf } from '../flows/connection.js';
import { type CaptureInput, isFlagged, optionOf, type Segment } from '../flows/decode.js';
import { analyse, type Judged } from '../flows/judged.js';
import { changesOf, type Packet } from '../flows/packets.js';
import { describeFrame } from './frame-words.js';
import { Keeping } from './keeping.js';
import { reduce } from './reduce.js';
import { type LiftedRequest, requestsOf } from './requests.js';

export type Lifted =
  | { readonly ok: true; readonly programs: readonly TraceProgram[]; readonly notes: readonly string[] }
  /** One line that says which file cannot be used and why. */
  | { readonly ok: false; readonly error: string };

/** Actions that no frame shows. */
const HIDDEN = [
  'SwitchAddRule',
  'SwitchRemoveRule',
  'HandOff',
  'TakeOver',
  'Respond',
  'Complete',
  'TakeBack',
  'ReopenWindow',
] as const;

/** Total: any captures give programs or one line that says why not. */
export function liftCaptures(captures: readonly CaptureInput[], topology: Topology): Lifted {
  const evidence = analyse({ captures, topology });
  if (!evidence.ok) return evidence;
  const { judged } = evidence;
  const missing = ['client', 'controller', ...topology.backends.map(({ name }) => name)].filter(
    (vantage) => !judged.vantages.has(vantage),
  );
  if (missing.length > 0) {
    const names = captures.map(({ name }) => name).join(', ');
    return { ok: false, error: `${names}: nothing was captured at ${missing.join(', ')}; a trace needs every vantage` };
  }
  const notes = [...judged.notes];
  const programs: TraceProgram[] = [];
  for (const connection of judged.connections) {
    if (connection.start === undefined)
      notes.push(`${connection.name}: left out, its handshake is not in the captures`);
    else programs.push(liftConnection(judged, connection));
  }
  return { ok: true, programs, notes };
}

interface Placed {
  readonly frame: Segment;
  readonly packet: number;
  readonly kind: 'leave' | 'arrive' | 'again';
}

function liftConnection(judged: Judged, connection: Connection): TraceProgram {
  const { hosts } = judged;
  const backends = [...hosts.backends.keys()].sort();
  const requests = requestsOf(connection, backends);
  const client = new Numbers(0, 'client');
  const server = new Numbers(ISS, 'server');
  const notes: string[] = [];
  const whole = connection.packets.flatMap(apart);
  const usable = whole.filter(({ head }) => isSound(head) && Number.isFinite(head.offset));
  const dropped = whole.length - usable.length;
  if (dropped > 0) notes.push(`${dropped} segments left out whose checksums are wrong`);
  const { packets: sound, notes: reductions } = reduce(usable, requests, observedBefore);
  notes.push(...reductions);
  for (const { start, headEnd, end, reply, replyEnd, interimEnd } of requests) {
    for (const offset of [start, headEnd, end]) client.add(offset);
    for (const offset of [reply, replyEnd, interimEnd]) server.add(offset);
  }
  // The specification has a controller's own answer in one piece.
  const answers = requests.filter(({ answered }) => answered);
  const within = (offset: number): boolean =>
    answers.some(({ reply, replyEnd }) => offset > reply && offset < replyEnd);
  for (const { head, arrivals } of sound) {
    for (const frame of [head, ...arrivals]) {
      const [own, other] = frame.towards === 'server' ? [client, server] : [server, client];
      const end = frame.offset + frame.length;
      for (const offset of [frame.offset, end, ...(isFlagged(frame, 'FIN') ? [end + 1] : [])])
        if (own === client || !within(offset)) own.add(offset);
      if (Number.isFinite(frame.acked) && (other === client || !within(frame.acked))) other.add(frame.acked);
      // A segment without a byte lies one number before another one only if it does on the wire.
      if (frame.length === 0 && !isFlagged(frame, 'SYN') && (own === client || !within(frame.offset + 1)))
        own.add(frame.offset + 1);
    }
  }
  const stamps = new Stamps(sound);
  const keeping = new Keeping(requests.flatMap(({ start, headEnd, end }) => [start, headEnd, end]));
  const hostAt = (vantage: string): string => (vantage === 'controller' ? 'logical' : vantage);
  const unit = (frame: Segment, offset: number): number => (frame.towards === 'server' ? client : server).unit(offset);
  const farSrc = (frame: Segment): string => {
    if (frame.towards === 'server') return 'client';
    if (frame.src === hosts.logicalIp) return 'logical';
    return hosts.serverNames.get(frame.src) ?? 'other';
  };
  const packets = sound.map(({ sent, head, arrivals }): TracedPacket => {
    const [first] = arrivals;
    const end = unit(head, head.offset + head.length);
    return {
      by: sent === undefined ? 'nobody' : hostAt(sent.vantage),
      to: first === undefined ? 'none' : hostAt(first.vantage),
      seq: unit(head, head.offset),
      ack: Number.isFinite(head.acked) ? (head.towards === 'server' ? server : client).unit(head.acked) : 0,
      len: isFlagged(head, 'SYN') ? 0 : end - unit(head, head.offset),
      fresh: head.length > 1,
      open: head.window !== 0,
      farOpen: (first ?? head).window !== 0,
      syn: isFlagged(head, 'SYN'),
      fin: isFlagged(head, 'FIN'),
      farFin: isFlagged(first ?? head, 'FIN'),
      rst: isFlagged(head, 'RST'),
      farSrc: first === undefined ? 'none' : farSrc(first),
      ts: stamps.rank(head),
    };
  });
  const placed: Placed[] = [];
  for (const [packet, { sent, arrivals }] of sound.entries()) {
    if (sent !== undefined) placed.push({ frame: sent, packet, kind: 'leave' });
    for (const [index, frame] of arrivals.entries())
      placed.push({ frame, packet, kind: index === 0 ? 'arrive' : 'again' });
  }
  placed.sort((a, b) => observedBefore(a.frame, b.frame));
  const steps = placed.flatMap(({ frame, packet, kind }): TracedStep[] => {
    const source = { number: frame.number, words: describeFrame(frame) };
    const traced = packets[packet];
    if (traced === undefined) return [];
    if (kind === 'leave') return [{ operation: { op: 'leave', id: packet + 1 }, source }];
    const host = hostAt(frame.vantage);
    const kept = frame.towards === 'server' ? keeping.arrived(host, frame) : undefined;
    if (kind === 'arrive') {
      const ends =
        kept === undefined ? traced.seq + traced.len : Math.max(traced.seq + traced.len, client.unit(kept.end));
      const fin = traced.farFin || kept?.fin === true;
      return [{ operation: { op: 'arrive', host, id: packet + 1, ends, fin }, source }];
    }
    const { seq, ack, len, syn, rst } = traced;
    const segment = { host, seq, ack, len, syn, fin: isFlagged(frame, 'FIN'), rst };
    return host === 'client' ? [] : [{ operation: { op: 'meet', segment }, source }];
  });
  const repeated = placed.filter(({ kind, frame }) => kind === 'again' && frame.vantage === 'client').length;
  if (repeated > 0) notes.push(`${repeated} frames that reached the client twice were looked at once`);
  const { misfortune, hidden } = ends(sound, requests);
  return {
    connection: connection.name,
    wire: true,
    backends,
    requests: requests.map(({ kind, start, headEnd, end, reply, replyEnd, backend }) => ({
      kind,
      head: client.unit(headEnd) - client.unit(start),
      payload: client.unit(end) - client.unit(headEnd),
      response: server.unit(replyEnd) - server.unit(reply),
      backend,
    })),
    interim: requests.map(({ reply, interimEnd }) => server.unit(interimEnd) - server.unit(reply)),
    misfortune,
    hidden: [...HIDDEN, ...hidden],
    packets,
    steps,
    client: (value) => client.words(value),
    server: (value) => server.words(value),
    notes,
  };
}

/** What arrived otherwise than it was sent, beyond what a switch may change, was sent by nobody. */
function apart(packet: Packet): Packet[] {
  const { sent, arrivals } = packet;
  if (sent === undefined) return arrivals.map((head) => ({ ...packet, arrivals: [head], head }));
  const byController = sent.vantage === 'controller';
  const altered = arrivals.filter(
    (arrived) => changesOf(sent, arrived).length > 0 || (byController && arrived.window !== sent.window),
  );
  if (altered.length === 0) return [packet];
  const faithful = arrivals.filter((arrived) => !altered.includes(arrived));
  return [
    { ...packet, arrivals: faithful },
    ...altered.map((head) => ({ sent: undefined, arrivals: [head], head, twins: false })),
  ];
}

/**
 * In one file the file's order is that of the observations, whatever the stamps say: they may be equal, and who exchanges two frames may or
 * may not exchange their stamps. Files are brought together by their stamps.
 */
function observedBefore(a: Segment, b: Segment): number {
  return a.file === b.file ? a.number - b.number : a.t - b.t || a.file - b.file;
}

/** Time stamps of the servers' segments, as ranks from 1. */
class Stamps {
  readonly #base: number | undefined;
  readonly #ranks = new Map<number, number>();

  constructor(packets: readonly Packet[]) {
    const values = packets.flatMap(({ head }) => {
      const value = this.#valueOf(head);
      return value === undefined ? [] : [value];
    });
    this.#base = values[0];
    const base = this.#base ?? 0;
    const ordered = [...new Set(values.map((value) => seqDiff(value, base)))].sort((a, b) => a - b);
    for (const [index, value] of ordered.entries()) this.#ranks.set(value, index + 1);
  }

  #valueOf(segment: Segment): number | undefined {
    return segment.towards === 'client' ? optionOf(segment, 'timestamps')?.value : undefined;
  }

  rank(segment: Segment): number {
    const value = this.#valueOf(segment);
    return value === undefined || this.#base === undefined ? 0 : (this.#ranks.get(seqDiff(value, this.#base)) ?? 0);
  }
}

/** What has to be possible for the connection to end as it did. */
function ends(
  packets: readonly Packet[],
  requests: readonly LiftedRequest[],
): { misfortune: string[]; hidden: string[] } {
  const misfortune = new Set<string>();
  const hidden = new Set<string>();
  const add = (kinds: readonly string[], actions: readonly string[]): void => {
    for (const kind of kinds) misfortune.add(kind);
    for (const action of actions) hidden.add(action);
  };
  for (const packet of packets) {
    const { head } = packet;
    const byController = senderOf(packet) === 'controller';
    if (isFlagged(head, 'FIN') && byController) add(['close'], ['CloseConnection']);
    if (isFlagged(head, 'RST'))
      add(byController ? ['fail', 'crash', 'silence'] : [], ['Fail', 'BackendFailed', 'Forget', 'IdleTimeout']);
    if (isFlagged(head, 'RST') && byController) add([], ['Crash', 'BackendLost', 'ResetClient']);
  }
  if (requests.some(({ answered, kind }) => answered && kind !== 'bad'))
    add(['refuse'], ['SwitchRefuseRule', 'RuleRefused']);
  return { misfortune: [...misfortune], hidden: [...hidden] };
}
