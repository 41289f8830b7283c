/**
 * Plays a segment story: a sans-IO core that is fed frames and the time and puts out frames. It keeps a connection's numbers, so that a story reads
 * like one (RFC 9293 §3.10; nothing of congestion control or of a window's limits: a story sends what it says, when it says it).
 */
import { createHash } from 'node:crypto';
import { resetFor } from '../../reference-impl/tcp/segment.js';
import { BROADCAST_MAC, parseIpv4Address, parseMacAddress } from '../../reference-impl/wire/addresses.js';
import { ArpOperation } from '../../reference-impl/wire/arp.js';
import { buildArpFrame, buildTcpFrame } from '../../reference-impl/wire/build.js';
import { parseFrame } from '../../reference-impl/wire/frame.js';
import { seqAdd } from '../../reference-impl/wire/seq.js';
import { TcpFlag, type TcpOption, type TcpView } from '../../reference-impl/wire/tcp.js';
import { readResponse } from '../clients/http-message.js';
import { generateBody } from '../objects.js';
import type { HttpResponse, JobResult, Observation, SeenArrival } from '../world.js';
import type { Craft } from './craft.js';
import { describeForgery, type Present } from './forgery.js';
import { isForbidden, matchesExpectation, tellArrival } from './matching.js';
import type {
  ConnectStep,
  ExpectNothingStep,
  ExpectStep,
  Forgery,
  SegmentStep,
  SegmentStory,
  SendStep,
} from './story.js';
import { tellStep } from './story.js';
import { type Arrival, type SentPiece, Tracking } from './tracking.js';

export interface PlayerOptions {
  readonly story: SegmentStory;
  readonly client: { readonly ip: string; readonly mac: string };
  readonly logical: { readonly ip: string; readonly port: number; readonly mac: string };
  readonly port: number;
  /** Where the story does not say. */
  readonly isn: number;
  /** Of the client's timestamp clock, which counts milliseconds. */
  readonly timestampOffset: number;
}

export type PlayerOutput =
  | { readonly kind: 'frame'; readonly bytes: Uint8Array }
  /** To be built and sent by whoever runs the player, who then calls `crafted`. */
  | { readonly kind: 'craft'; readonly items: readonly Craft[] }
  | { readonly kind: 'end'; readonly result: JobResult };

/** Microseconds since the epoch. */
type Now = number;

const WITHIN_MS = 1000;
/** A response may need a lost segment's retransmission or two. */
const RESPONSE_MS = 5000;
const CLOSE_MS = 5000;
const RETRANSMIT_MS = 300;
/** RFC 9293 §3.8.3 asks for more patience; a story has less. */
const HANDSHAKE_TRIES = 4;
/** A later connection of the same port begins ahead of all that the one before can have sent (RFC 9293 §3.4.1). */
const ISN_STEP = 0x0100_0000;
const EMPTY = new Uint8Array(0);

interface Wait {
  readonly what: string;
  readonly until: Now | null;
}

/** What a step throws when the server does not do its part. */
class StoryFailure extends Error {
  constructor(
    message: string,
    readonly offence?: Arrival,
  ) {
    super(message);
  }
}

export class SegmentPlayer {
  readonly #options: PlayerOptions;
  readonly #clientIp: number;
  readonly #clientMac: number;
  readonly #fabricMac: number;
  readonly #logicalIp: number;
  readonly #play: Generator<Wait, void, void>;
  #tracking: Tracking;
  #outputs: PlayerOutput[] = [];
  #now: Now = 0;
  #waiting: Wait = { what: 'the beginning', until: null };
  #arrivals: Arrival[] = [];
  /** Of the arrivals: which are since what was last sent. */
  #since = 0;
  #state: 'closed' | 'syn-sent' | 'open' | 'reset' = 'closed';
  #offered: readonly TcpOption[] = [];
  #window = 0xffff;
  #autoAck = true;
  #autoRetransmit = true;
  #retransmitAt: Now | null = null;
  #crafting = false;
  #ipId: number;
  #connects = 0;
  #consumed = 0;
  #resetBy: Arrival | undefined;
  #closedBy: JobResult['closedBy'];
  readonly #responses: HttpResponse[] = [];
  readonly #observations: Observation[] = [];
  #sentIds: number[] = [];
  #over = false;

  constructor(options: PlayerOptions) {
    this.#options = options;
    this.#clientIp = parseIpv4Address(options.client.ip) ?? 0;
    this.#clientMac = parseMacAddress(options.client.mac) ?? 0;
    this.#fabricMac = parseMacAddress(options.logical.mac) ?? 0;
    this.#logicalIp = parseIpv4Address(options.logical.ip) ?? 0;
    this.#tracking = new Tracking(options.isn);
    // Connections of one address begin at different identifications.
    this.#ipId = 1 + ((options.port * 257) % 0xffff);
    this.#play = this.#steps(options.story.steps);
  }

  /** When `wake` wants to be called next; null: not before something arrives. */
  get wakeAt(): Now | null {
    const times = [this.#over ? null : this.#waiting.until, this.#retransmitAt].filter((at) => at !== null);
    return times.length === 0 ? null : Math.min(...times);
  }

  /** Begins, or goes on because time has passed. */
  wake(now: Now): readonly PlayerOutput[] {
    this.#now = now;
    if (this.#retransmitAt !== null && this.#retransmitAt <= now) this.#retransmitOwed();
    return this.#proceed();
  }

  /** A frame arrives. */
  receive(bytes: Uint8Array, now: Now): readonly PlayerOutput[] {
    this.#now = now;
    // What is answered by itself is none of the step's.
    const sent = this.#sentIds;
    this.#sentIds = [];
    this.#take(bytes);
    this.#sentIds = sent;
    return this.#proceed();
  }

  /** What was to be crafted has been sent. */
  crafted(now: Now): readonly PlayerOutput[] {
    this.#now = now;
    this.#crafting = false;
    return this.#proceed();
  }

  /** Ends a story that takes too long. */
  giveUp(now: Now, timeoutMs: number): readonly PlayerOutput[] {
    this.#now = now;
    if (!this.#over) this.#fail(`the story was not done after ${timeoutMs} ms, waiting for ${this.#waiting.what}`);
    return this.#drain();
  }

  #drain(): readonly PlayerOutput[] {
    const outputs = this.#outputs;
    this.#outputs = [];
    return outputs;
  }

  #proceed(): readonly PlayerOutput[] {
    if (this.#over) return this.#drain();
    try {
      const next = this.#play.next();
      if (!next.done) this.#waiting = next.value;
      else this.#end(undefined);
    } catch (error) {
      if (!(error instanceof StoryFailure)) throw error;
      this.#fail(error.message, error.offence);
    }
    return this.#drain();
  }

  #fail(error: string, offence?: Arrival): void {
    // Nothing is to be left of a connection whose story broke off.
    if (this.#state === 'open') this.#reset();
    this.#end(error, offence);
  }

  #end(error: string | undefined, offence?: Arrival): void {
    this.#over = true;
    this.#autoRetransmit &&= error === undefined;
    this.#outputs.push({
      kind: 'end',
      result: {
        ok: error === undefined,
        ...(error !== undefined && { error }),
        responses: this.#responses,
        ...(this.#closedBy !== undefined && { closedBy: this.#closedBy }),
        observations: this.#observations,
        ...(offence !== undefined && { offence: seenArrival(offence) }),
      },
    });
  }

  // --- the story ------------------------------------------------------------------------------------------------------------

  *#steps(steps: readonly SegmentStep[]): Generator<Wait, void, void> {
    for (const [index, step] of steps.entries()) {
      const which = `step ${index + 1} (${tellStep(step)})`;
      this.#sentIds = [];
      const begun = this.#now;
      const seen = yield* this.#step(step, which);
      this.#observations.push({
        step: index + 1,
        do: step.do,
        t: `${begun}000`,
        done: `${this.#now}000`,
        sent: this.#sentIds,
        ...(seen !== undefined && { seen: seenArrival(seen) }),
      });
    }
    this.#sentIds = [];
    if (this.#state === 'open') yield* this.#close('the end of the story');
  }

  *#step(step: SegmentStep, which: string): Generator<Wait, Arrival | undefined, void> {
    switch (step.do) {
      case 'connect':
        yield* this.#connect(step, which);
        return;
      case 'send':
        this.#sendData(step);
        return;
      case 'shutdown':
        this.#sendPieces([{ place: this.#tracking.next, bytes: EMPTY, fin: true }]);
        return;
      case 'reset':
        this.#mark();
        this.#reset();
        return;
      case 'retransmit':
        if (this.#tracking.last === undefined) throw new StoryFailure(`${which}: nothing was sent yet`);
        this.#mark();
        this.#sendPiece(this.#tracking.last);
        return;
      case 'probe':
        this.#mark();
        this.#probe(step.bytes ?? 0);
        return;
      case 'expect':
        return yield* this.#expect(step, which);
      case 'expect-nothing':
        yield* this.#expectNothing(step, which);
        return;
      case 'response':
        yield* this.#response(step.method ?? 'GET', which, step.withinMs ?? RESPONSE_MS);
        return;
      case 'arrived':
        yield* this.#until(which, step.withinMs ?? RESPONSE_MS, () => this.#tracking.arrived >= step.bytes);
        return;
      case 'auto-ack':
        this.#autoAck = step.on;
        if (step.on && this.#tracking.told < this.#tracking.receivedAll) this.#acknowledge();
        return;
      case 'auto-retransmit':
        this.#autoRetransmit = step.on;
        this.#setRetransmit();
        return;
      case 'window':
        this.#window = step.window;
        this.#mark();
        this.#emit(this.#tracking.next, TcpFlag.ACK, EMPTY);
        return;
      case 'wait':
        yield* this.#pause(step.ms, which);
        return;
      case 'closed':
        yield* this.#until(which, step.withinMs ?? CLOSE_MS, () =>
          step.by === 'rst' ? this.#state === 'reset' && this.#closedBy === 'server-rst' : this.#tracking.finArrived,
        );
        return;
      case 'acknowledged':
        yield* this.#until(which, step.withinMs ?? CLOSE_MS, () => this.#tracking.acknowledged === this.#tracking.next);
        return;
      case 'close':
        yield* this.#close(which);
        return;
      case 'forge':
        yield* this.#craft([this.#forge(step.frame)], which);
        return;
      case 'flood':
        yield* this.#craft(this.#flood(step.count), which);
        return;
    }
  }

  /** Waits until `done`; throws when the connection ends or the time is over first. */
  *#until(which: string, withinMs: number, done: () => boolean): Generator<Wait, void, void> {
    const until = this.#now + withinMs * 1000;
    while (!done()) {
      if (this.#state === 'reset') throw new StoryFailure(`${which}: the connection was reset`, this.#resetBy);
      if (this.#now >= until) throw new StoryFailure(`${which}: not within ${withinMs} ms; ${this.#seen()}`);
      yield { what: which, until };
    }
  }

  *#pause(ms: number, which: string): Generator<Wait, void, void> {
    const until = this.#now + ms * 1000;
    while (this.#now < until) yield { what: which, until };
  }

  *#connect(step: ConnectStep, which: string): Generator<Wait, void, void> {
    this.#tracking = new Tracking(step.isn ?? seqAdd(this.#options.isn, this.#connects++ * ISN_STEP));
    this.#window = step.window ?? 0xffff;
    this.#consumed = 0;
    this.#closedBy = undefined;
    this.#offered = synOptions(step, this.#timestampValue());
    this.#state = 'syn-sent';
    this.#mark();
    for (let tries = 0; this.#tracking.irs === undefined; tries++) {
      if (tries === HANDSHAKE_TRIES) throw new StoryFailure(`${which}: nobody answered the SYN; ${this.#seen()}`);
      this.#emitSyn();
      const until = this.#now + WITHIN_MS * 1000;
      while (this.#tracking.irs === undefined && this.#now < until) {
        if (this.#refused) throw new StoryFailure(`${which}: refused with RST`, this.#resetBy);
        yield { what: which, until };
      }
    }
    if (!this.#autoAck) this.#emit(0, TcpFlag.ACK, EMPTY);
  }

  get #refused(): boolean {
    return this.#state === 'reset';
  }

  *#expect(step: ExpectStep, which: string): Generator<Wait, Arrival, void> {
    const withinMs = step.withinMs ?? WITHIN_MS;
    const until = this.#now + withinMs * 1000;
    for (;;) {
      for (let i = this.#since; i < this.#arrivals.length; i++) {
        const arrival = this.#arrivals[i];
        if (arrival === undefined) continue;
        if (matchesExpectation(step, arrival)) {
          this.#since = i + 1;
          return arrival;
        }
        if (step.next) throw new StoryFailure(`${which}: ${tellArrival(arrival)} came instead`, arrival);
      }
      if (this.#now >= until) throw new StoryFailure(`${which}: not within ${withinMs} ms; ${this.#seen()}`);
      yield { what: which, until };
    }
  }

  *#expectNothing(step: ExpectNothingStep, which: string): Generator<Wait, void, void> {
    const until = this.#now + step.ms * 1000;
    for (;;) {
      const found = this.#arrivals.slice(this.#since).find((arrival) => isForbidden(step, arrival));
      if (found !== undefined) throw new StoryFailure(`${which}: ${tellArrival(found)} came`, found);
      if (this.#now >= until) return;
      yield { what: which, until };
    }
  }

  *#response(method: 'GET' | 'HEAD' | 'PUT' | 'POST', which: string, withinMs: number): Generator<Wait, void, void> {
    const until = this.#now + withinMs * 1000;
    for (;;) {
      const ended = this.#state === 'reset' || this.#tracking.finArrived;
      const read = readResponse(this.#tracking.stream, this.#consumed, method === 'HEAD', ended);
      if (read.kind === 'malformed') throw new StoryFailure(`${which}: ${read.reason}`);
      if (read.kind === 'whole') {
        const { status, headers, body, end } = read.message;
        const etag = headers.get('etag')?.replace(/^"|"$/g, '');
        const sha256 = createHash('sha256').update(body).digest('hex');
        this.#responses.push({ status, bodySize: body.length, sha256, ...(etag !== undefined && { etag }) });
        this.#consumed = end;
        return;
      }
      if (ended) throw new StoryFailure(`${which}: the connection ended (${this.#closedBy}) within it`, this.#resetBy);
      if (this.#now >= until) throw new StoryFailure(`${which}: not whole within ${withinMs} ms; ${this.#seen()}`);
      yield { what: which, until };
    }
  }

  *#close(which: string): Generator<Wait, void, void> {
    if (this.#state !== 'open') return;
    this.#autoAck = true;
    this.#autoRetransmit = true;
    if (this.#tracking.told < this.#tracking.receivedAll) this.#acknowledge();
    if (!this.#tracking.finSent) this.#sendPieces([{ place: this.#tracking.next, bytes: EMPTY, fin: true }]);
    this.#closedBy ??= 'client';
    const { next } = this.#tracking;
    yield* this.#until(`${which}: the close`, CLOSE_MS, () => {
      return this.#tracking.acknowledged === next && this.#tracking.finArrived;
    });
    this.#state = 'closed';
  }

  *#craft(items: readonly Craft[], which: string): Generator<Wait, void, void> {
    this.#mark();
    this.#crafting = true;
    this.#outputs.push({ kind: 'craft', items });
    while (this.#crafting) yield { what: which, until: null };
  }

  #seen(): string {
    const since = this.#arrivals.slice(this.#since);
    const last = since.slice(-4).map(tellArrival).join('; ');
    return since.length === 0 ? 'nothing came' : `seen ${since.length}, the last: ${last}`;
  }

  // --- sending --------------------------------------------------------------------------------------------------------------

  /** What arrived before is not about what is sent now. */
  #mark(): void {
    this.#since = this.#arrivals.length;
  }

  #sendData(step: SendStep): void {
    const body = step.body === undefined ? EMPTY : generateBody(step.body);
    const bytes = Buffer.concat([Buffer.from(step.text ?? '', 'latin1'), body]);
    const room = this.#tracking.mss - (this.#tracking.timestamps ? 12 : 0);
    const pieces: SentPiece[] = [];
    for (let at = 0; at < bytes.length || pieces.length === 0; at += room) {
      const piece = bytes.subarray(at, at + room);
      const last = at + room >= bytes.length;
      pieces.push({ place: this.#tracking.next + at, bytes: piece, fin: last && (step.fin ?? false) });
    }
    this.#sendPieces(pieces);
  }

  #sendPieces(pieces: readonly SentPiece[]): void {
    this.#mark();
    for (const piece of pieces) {
      this.#tracking.sent(piece);
      this.#sendPiece(piece);
    }
    this.#setRetransmit();
  }

  #sendPiece({ place, bytes, fin }: SentPiece): void {
    const flags = TcpFlag.ACK | (bytes.length > 0 ? TcpFlag.PSH : 0) | (fin ? TcpFlag.FIN : 0);
    this.#emit(place, flags, bytes);
  }

  #probe(length: 0 | 1): void {
    const { next, last } = this.#tracking;
    // The byte before the next one; where FIN took that place, no byte fits it.
    const old = last === undefined || last.fin ? EMPTY : last.bytes.subarray(last.bytes.length - length);
    this.#emit(next - 1, TcpFlag.ACK, length === 0 ? EMPTY : old);
  }

  #acknowledge(): void {
    this.#emit(this.#tracking.next, TcpFlag.ACK, EMPTY, true);
  }

  /** With the number that the server expects (RFC 5961 §3.2). */
  #reset(): void {
    this.#emit(this.#tracking.acknowledged, TcpFlag.RST | TcpFlag.ACK, EMPTY);
    this.#state = 'reset';
    this.#closedBy ??= 'client';
    this.#setRetransmit();
  }

  #refuse(segment: TcpView): void {
    const { seq, ack, flags, options, payload } = resetFor(segment);
    this.#transmit({ seq, ack, flags, options, payload });
  }

  #setRetransmit(): void {
    const wanted = this.#autoRetransmit && this.#state === 'open' && this.#tracking.owed.length > 0;
    if (!wanted) this.#retransmitAt = null;
    else this.#retransmitAt ??= this.#now + RETRANSMIT_MS * 1000;
  }

  #retransmitOwed(): void {
    const [first] = this.#tracking.owed;
    this.#retransmitAt = null;
    if (first !== undefined) this.#sendPiece(first);
    this.#setRetransmit();
  }

  #timestampValue(): number {
    return (Math.floor(this.#now / 1000) + this.#options.timestampOffset) >>> 0;
  }

  #emitSyn(): void {
    this.#transmit({ seq: this.#tracking.iss, ack: 0, flags: TcpFlag.SYN, options: this.#offered, payload: EMPTY });
  }

  /** A segment at a place; it acknowledges what was last acknowledged, or `all` that has arrived where that is done by itself. */
  #emit(place: number, flags: number, payload: Uint8Array, all = this.#autoAck): void {
    const tracking = this.#tracking;
    if (all) tracking.told = Math.max(tracking.told, tracking.receivedAll);
    const options: TcpOption[] = tracking.timestamps
      ? [{ kind: 'nop' }, { kind: 'nop' }, { kind: 'timestamps', value: this.#timestampValue(), echo: tracking.recent }]
      : [];
    this.#transmit({ seq: tracking.seqOf(place), ack: tracking.ackOf(tracking.told), flags, options, payload });
  }

  #transmit(tcp: {
    seq: number;
    ack: number;
    flags: number;
    options: readonly TcpOption[];
    payload: Uint8Array;
  }): void {
    const { logical, port } = this.#options;
    const id = this.#nextId();
    this.#outputs.push({
      kind: 'frame',
      bytes: buildTcpFrame({
        ethernet: { dst: this.#fabricMac, src: this.#clientMac },
        ipv4: { src: this.#clientIp, dst: this.#logicalIp, id },
        tcp: { ...tcp, srcPort: port, dstPort: logical.port, window: this.#window },
      }),
    });
  }

  /** Every frame has an IP identification of its own, by which captures tell it from others. */
  #nextId(): number {
    const id = this.#ipId;
    this.#ipId = (this.#ipId % 0xffff) + 1;
    this.#sentIds.push(id);
    return id;
  }

  #forge(frame: Forgery): Craft {
    const { client, logical, port } = this.#options;
    const tracking = this.#tracking;
    const present: Present = {
      client: { ...client, port },
      logical,
      seq: tracking.seqOf(tracking.next),
      ack: tracking.ackOf(tracking.told),
      window: this.#window,
      timestamps: tracking.timestamps ? { value: this.#timestampValue(), echo: tracking.recent } : null,
      ipId: this.#nextId(),
    };
    return describeForgery(frame, present);
  }

  /** Ports below those that connections use. */
  #flood(count: number): Craft[] {
    return Array.from({ length: count }, (_, index) => ({
      ...this.#forge({ flags: ['SYN'], from: { port: 1024 + index }, seq: 0x1000 * index, ack: 0, tsval: null }),
    }));
  }

  // --- receiving ------------------------------------------------------------------------------------------------------------

  #take(bytes: Uint8Array): void {
    const parsed = parseFrame(bytes);
    if (!parsed.ok) return;
    const { ethernet, arp, ipv4, tcp } = parsed.value;
    if (arp !== undefined && arp.operation === ArpOperation.REQUEST && arp.targetIp === this.#clientIp) {
      const reply = {
        senderMac: this.#clientMac,
        senderIp: this.#clientIp,
        targetMac: arp.senderMac,
        targetIp: arp.senderIp,
      };
      this.#outputs.push({
        kind: 'frame',
        bytes: buildArpFrame({
          ethernet: { dst: arp.senderMac, src: this.#clientMac },
          arp: { operation: ArpOperation.REPLY, ...reply },
        }),
      });
      return;
    }
    if (ethernet.dst !== this.#clientMac && ethernet.dst !== BROADCAST_MAC) return;
    if (ipv4 === undefined || tcp === undefined || ipv4.dst !== this.#clientIp || ipv4.src !== this.#logicalIp) return;
    if (tcp.srcPort !== this.#options.logical.port || tcp.dstPort !== this.#options.port) return;
    if (!ipv4.checksumValid() || !tcp.checksumValid(ipv4)) return;
    this.#segment(tcp, ipv4.id);
  }

  #segment(tcp: TcpView, ipId: number): void {
    const tracking = this.#tracking;
    if (tcp.syn && tcp.hasAck && this.#state === 'syn-sent' && tcp.ack === tracking.seqOf(0)) {
      tracking.open(tcp, this.#offered);
      this.#state = 'open';
    }
    const arrival = tracking.locate(tcp, this.#now, ipId);
    this.#arrivals.push(arrival);
    if (tcp.rst) {
      this.#resetArrived(tcp, arrival);
      return;
    }
    // RFC 9293 §3.10.7.3, §3.10.7.1: what belongs to no connection that is here is refused.
    const stale = this.#state === 'syn-sent' && tcp.hasAck && tcp.ack !== tracking.seqOf(0);
    if (stale || (this.#state === 'reset' && this.#closedBy === 'client')) {
      this.#refuse(tcp);
      return;
    }
    if (this.#state !== 'open' && !(this.#state === 'closed' && tracking.finSent)) return;
    const before = tracking.acknowledged;
    tracking.take(tcp, arrival);
    if (tracking.finArrived && !tracking.finSent) this.#closedBy ??= 'server-fin';
    if (tracking.acknowledged > before) {
      // RFC 6298 §5.3: what is newly acknowledged starts the time anew.
      this.#retransmitAt = null;
      this.#setRetransmit();
    }
    // What takes a place is acknowledged, and what lies before what arrived asks to be told so (RFC 9293 §3.10.7.4).
    if (this.#autoAck && (tcp.segmentLength > 0 || arrival.from < tracking.arrived)) this.#acknowledge();
  }

  #resetArrived(tcp: TcpView, arrival: Arrival): void {
    if (
      this.#state === 'syn-sent' ? tcp.ack === this.#tracking.seqOf(0) : arrival.from === this.#tracking.receivedAll
    ) {
      this.#state = 'reset';
      this.#resetBy = arrival;
      this.#closedBy ??= 'server-rst';
      this.#setRetransmit();
    } else if (this.#state === 'open' && arrival.from > this.#tracking.receivedAll && arrival.from < this.#window) {
      // RFC 5961 §3.2: a challenge.
      this.#acknowledge();
    }
  }
}

function seenArrival(arrival: Arrival): SeenArrival {
  return { ipId: arrival.ipId, t: `${arrival.at}000`, what: tellArrival(arrival) };
}

function synOptions(step: ConnectStep, timestamp: number): readonly TcpOption[] {
  const options: TcpOption[] = [];
  if (step.mss !== null) options.push({ kind: 'mss', value: step.mss ?? 1460 });
  if (step.sack) options.push({ kind: 'sack-permitted' });
  if (step.timestamps) options.push({ kind: 'timestamps', value: timestamp, echo: 0 });
  if (step.windowScale !== undefined) options.push({ kind: 'nop' }, { kind: 'window-scale', shift: step.windowScale });
  return options;
}
