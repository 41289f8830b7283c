/** When the switch's rules must, and when they may, have been in force, as far as captures tell; and what a segment met instead. */
import { type ConfirmedRule, confirmedDuring, removedBefore } from './confirmed.js';
import { type Connection, countBefore, type Exchange, isSound } from './connection.js';
import { endOf, isFlagged, type Segment } from './decode.js';
import type { HandedExchange, Judged } from './judged.js';
import { NO_MAC } from './link.js';
import type { Packet } from './packets.js';

export type RuleOwner = Pick<Connection, 'name' | 'client'>;

/** A hand-off's rules may be in force from the whole header on, until the client has heard from the controller again. */
export interface RuleSpan {
  readonly connection: RuleOwner;
  /** The connection is judged elsewhere; frames of its client's port here may be its own. */
  readonly beside?: true;
  readonly backend: string;
  readonly from: number;
  readonly to: number;
  /** The client is known to have heard from the controller again. */
  readonly heard: boolean;
}

export function spanOf(exchange: HandedExchange): RuleSpan {
  const { connection, handoff } = exchange;
  // A hand-off that came too early had its rules no later.
  const from = Math.min(
    exchange.headerAt?.t ?? exchange.begins,
    handoff.first?.t ?? Number.POSITIVE_INFINITY,
    handoff.log?.handoff.t ?? Number.POSITIVE_INFINITY,
  );
  const to = handoff.takenBackAtClient?.t ?? handoff.takenBack?.t ?? connection.to;
  return { connection, backend: handoff.backend, from, to, heard: handoff.takenBackAtClient !== undefined };
}

const spansByConnection = new WeakMap<Connection, readonly RuleSpan[]>();

/** The spans of a connection's hand-offs, in order. */
export function spansOf(connection: Connection): readonly RuleSpan[] {
  let spans = spansByConnection.get(connection);
  if (spans === undefined) {
    spans = handedOff(connection).map(spanOf);
    spansByConnection.set(connection, spans);
  }
  return spans;
}

/** Spans in order of their begin, to be asked what lasts at a moment. */
class Spans {
  readonly #spans: readonly RuleSpan[];
  /** For each prefix of `#spans`: the two that last longest, of different connections. */
  readonly #longest: { readonly first: RuleSpan; readonly second: RuleSpan | undefined }[] = [];

  constructor(spans: readonly RuleSpan[]) {
    this.#spans = [...spans].sort((a, b) => a.from - b.from);
    let first: RuleSpan | undefined;
    let second: RuleSpan | undefined;
    for (const span of this.#spans) {
      if (first === undefined || span.to > first.to) {
        if (first !== undefined && first.connection !== span.connection) second = first;
        first = span;
      } else if (span.connection !== first.connection && (second === undefined || span.to > second.to)) second = span;
      this.#longest.push({ first, second });
    }
  }

  ofOthers(own: RuleOwner | undefined, t: number): RuleSpan | undefined {
    const longest = this.#longest[countBefore(this.#spans, ({ from }) => from <= t) - 1];
    if (longest === undefined) return undefined;
    const other = isOwn(longest.first, own) ? longest.second : longest.first;
    return other !== undefined && other.to >= t ? other : undefined;
  }
}

function isOwn({ connection, beside }: RuleSpan, own: RuleOwner | undefined): boolean {
  return connection === own || (beside === true && connection.client === own?.client);
}

/** Answers whether somebody else's rule is in force at a moment. */
export class RuleTimes {
  readonly #all: Spans;
  readonly #byBackend: ReadonlyMap<string, Spans>;

  constructor(spans: readonly RuleSpan[]) {
    this.#all = new Spans(spans);
    const names = new Set(spans.map(({ backend }) => backend));
    this.#byBackend = new Map(
      [...names].map((name) => [name, new Spans(spans.filter(({ backend }) => backend === name))]),
    );
  }

  /** A rule of another connection than `own` that is in force at `t`, if asked for to that backend. */
  ofOthers(own: RuleOwner | undefined, t: number, backend?: string): RuleSpan | undefined {
    return (backend === undefined ? this.#all : this.#byBackend.get(backend))?.ofOthers(own, t);
  }
}

const possibleByJudged = new WeakMap<Judged, RuleTimes>();
const certainByJudged = new WeakMap<Judged, RuleTimes>();

function remembered(known: WeakMap<Judged, RuleTimes>, judged: Judged, make: () => readonly RuleSpan[]): RuleTimes {
  let times = known.get(judged);
  if (times === undefined) {
    times = new RuleTimes(make());
    known.set(judged, times);
  }
  return times;
}

/** Spans in which rules may have been in force. */
export function possibleRules(judged: Judged): RuleTimes {
  return remembered(possibleByJudged, judged, () => [...judged.handoffs.map(spanOf), ...judged.beside.possible]);
}

/** Spans in which rules were certainly in force: from a backend's first segment to the acknowledgement of its last. */
export function certainRules(judged: Judged): RuleTimes {
  return remembered(certainByJudged, judged, () => [...judged.handoffs.flatMap(certainSpan), ...judged.beside.certain]);
}

/** The span in which a hand-off's rule certainly was in force, if any. */
export function certainSpan({ connection, handoff }: HandedExchange): RuleSpan[] {
  const { first, until, backend } = handoff;
  return first && until >= first.t ? [{ connection, backend, from: first.t, to: until, heard: false }] : [];
}

/** A client's segment that a rule had to carry to a backend and that arrived elsewhere, or as something else. */
export interface Misrouted {
  readonly exchange: HandedExchange;
  readonly packet: Packet;
  readonly arrival: Segment;
  /** The rule that was in force meanwhile, by the control log. */
  readonly confirmed?: ConfirmedRule;
  /** Rewriting had worked before and never again: the rules were gone too soon. */
  readonly early: boolean;
}

export interface Routing {
  /** Client segments that reached the owner's link rewritten. */
  readonly routed: readonly { readonly exchange: HandedExchange; readonly arrival: Segment }[];
  readonly misrouted: readonly Misrouted[];
}

/** Whether a target declares a variant. */
export function hasVariant(judged: Judged, variant: string): boolean {
  return judged.topology.variants?.includes(variant) === true;
}

export function handedOff(connection: Connection): HandedExchange[] {
  return connection.exchanges.filter((exchange): exchange is HandedExchange => exchange.handoff !== undefined);
}

/** Follows the client's segments of a connection while the rules of a hand-off had to be in force. */
export function routingOf(judged: Judged, connection: Connection): Routing {
  const routed: { exchange: HandedExchange; arrival: Segment }[] = [];
  const misrouted: Misrouted[] = [];
  for (const exchange of handedOff(connection)) {
    const { handoff } = exchange;
    const backend = judged.hosts.backends.get(handoff.backend);
    const started = handoff.firstAtClient?.t;
    const span = spanOf(exchange);
    const wrong: Omit<Misrouted, 'early'>[] = [];
    let worked = false;
    let workedAfter = Number.NEGATIVE_INFINITY;
    const reset = resetWithin(connection, span);
    const completing = connection.acksSent.covering(exchange.response?.end ?? Number.POSITIVE_INFINITY);
    for (const packet of between(connection.toServer, span.from, span.to)) {
      const { sent } = packet;
      for (const arrival of packet.arrivals) {
        if (!isSound(arrival)) continue;
        const here = arrival.vantage === handoff.backend;
        if (here && (arrival.dst === backend?.ip || hasVariant(judged, 'VAR-4')) && macFits(backend?.mac, arrival)) {
          routed.push({ exchange, arrival });
          worked = true;
          workedAfter = Math.max(workedAfter, sent?.t ?? arrival.t);
          continue;
        }
        if (sent === undefined || packet.twins) continue;
        // The client has ended it: whatever it says behind that, no rule has to be there (RET-5).
        if (reset !== undefined && sent.t > reset.t) continue;
        // The switch has said that the rule is in force, and nobody has asked for its removal.
        const confirmed = isFlagged(sent, 'SYN') ? undefined : confirmedDuring(connection, sent.t, arrival.t);
        if (confirmed?.backend === handoff.backend) {
          wrong.push({ exchange, packet, arrival, confirmed });
          continue;
        }
        if (started === undefined || sent.t <= started) continue;
        const completes = sent === completing && !(handoff.done && handoff.done.t <= arrival.t);
        const limit = completes ? handoff.interrupted : handoff.until;
        if (arrival.t <= limit) wrong.push({ exchange, packet, arrival });
      }
    }
    for (const one of wrong) {
      const gone =
        one.confirmed === undefined &&
        one.arrival.vantage === 'controller' &&
        worked &&
        (one.packet.sent?.t ?? 0) > workedAfter;
      misrouted.push({ ...one, early: gone });
    }
  }
  return { routed, misrouted };
}

/** The client's reset in [from, to] that a receiver takes: exactly behind all that the client had sent (RFC 5961 §3.2). */
function resetWithin({ toServer }: Connection, { from, to }: { from: number; to: number }): Segment | undefined {
  const resets = between(toServer, from, to).filter(({ head }) => isFlagged(head, 'RST') && isSound(head));
  return resets.find(({ head }) => {
    const before = toServer.filter((packet) => packet.head.t < head.t && !isFlagged(packet.head, 'RST'));
    return head.offset === before.reduce((end, packet) => Math.max(end, packet.head.offset + packet.head.length), 0);
  })?.head;
}

function macFits(mac: number | undefined, arrival: Segment): boolean {
  return mac === undefined || arrival.dstMac === NO_MAC || arrival.dstMac === mac;
}

/** Packets whose first frame lies in [from, to]; they are in order of time. */
export function between(packets: readonly Packet[], from: number, to: number): readonly Packet[] {
  const start = countBefore(packets, ({ head }) => head.t < from);
  return packets.slice(
    start,
    Math.max(
      start,
      countBefore(packets, ({ head }) => head.t <= to),
    ),
  );
}

/** Why a client segment can have reached a backend, by the clause that it touches. */
export type StrayReason = 'own rule' | 'REQ-1' | 'RET-1' | 'RET-6' | 'SWT-3' | 'SWT-8' | 'unclear';

/** Explains the arrival of a client's segment at a backend's link; `rules` are the possible ones. */
export function explainArrival(
  judged: Judged,
  rules: RuleTimes,
  connection: Connection,
  packet: Packet,
  arrival: Segment,
): StrayReason {
  const { sent } = packet;
  const backend = arrival.vantage;
  const spans = spansOf(connection);
  const covers = (span: RuleSpan | undefined): boolean =>
    span !== undefined && arrival.t >= span.from && (sent?.t ?? span.from) <= span.to;
  const latest = spans[countBefore(spans, ({ from }) => from <= arrival.t) - 1];
  // What the log says is worth more than what frames allow: the removal was confirmed before this was sent, and no rule asked for since.
  const removed =
    sent !== undefined && !packet.twins && !hasVariant(judged, 'VAR-3') && spans.some((one) => one.backend === backend)
      ? removedBefore(connection, sent.t, arrival.t)
      : undefined;
  if (removed !== undefined && sent !== undefined)
    return connection.ended !== undefined && sent.t > connection.ended.t ? 'RET-6' : 'RET-1';
  if (latest?.backend === backend && covers(latest)) return 'own rule';
  if (spans.some((span) => span.backend === backend && covers(span))) return 'own rule';
  if (connection.start === undefined || sent === undefined || packet.twins) return 'unclear';
  const { ended } = connection;
  const earlier = spans.filter((span) => span.backend === backend && span.to < sent.t);
  if (ended !== undefined && sent.t > ended.t) return earlier.length > 0 ? 'RET-6' : 'unclear';
  if (hasVariant(judged, 'VAR-3') || connection.unread !== undefined) return 'unclear';
  // A rule to another backend of this connection, or one whose end is not in the captures, may explain it.
  if (spans.some(covers)) return 'unclear';
  const awaited = connection.exchanges.find(({ headerAt }) => headerAt === undefined || headerAt.t > arrival.t);
  if (awaited !== undefined && carriesHeaderRest(connection, awaited, sent, arrival)) return 'REQ-1';
  // A request that was handed off to a backend that never spoke: whose header the controller can have got.
  const pending = connection.exchanges.some(
    ({ begins, handoff, response, request }) =>
      handoff === undefined &&
      connection.dataAt.get('controller')?.missing(request.start, request.headerEnd, arrival.t) === undefined &&
      begins <= arrival.t &&
      (connection.acksSent.covering(response?.end ?? Number.POSITIVE_INFINITY)?.t ?? Number.POSITIVE_INFINITY) >=
        sent.t,
  );
  if (pending) return 'unclear';
  if (earlier.some(({ heard }) => heard)) return 'RET-1';
  if (rules.ofOthers(connection, arrival.t, backend) !== undefined) return 'SWT-8';
  return 'SWT-3';
}

/** Whether the segment is the first to carry header bytes of a request of which the controller has got the beginning only. */
function carriesHeaderRest(connection: Connection, exchange: Exchange, sent: Segment, arrival: Segment): boolean {
  const { start, headerEnd } = exchange.request;
  if (arrival.offset >= headerEnd || endOf(arrival) <= start || arrival.length === 0) return false;
  const missing = connection.dataAt.get('controller')?.missing(start, headerEnd, arrival.t);
  if (missing === undefined || missing <= start || arrival.offset + arrival.length <= missing) return false;
  return connection.dataSent.overlapping(missing, missing + 1).every(({ t }) => t >= sent.t);
}
