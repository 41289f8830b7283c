/** Who speaks at present: the frames of every client's port until it has been silent for good, and everything that is no client's. */
import type { Ipv4Address } from '../../reference-impl/wire/addresses.js';
import { TcpFlag } from '../../reference-impl/wire/tcp.js';
import type { Frame } from '../flows/decode.js';
import { FlowFrames, FrameStore } from './frames.js';

/** A client's port. */
export interface Flow {
  readonly key: number;
  readonly ip: Ipv4Address;
  readonly port: number;
  readonly frames: FlowFrames;
  /** Of the last frame. */
  last: number;
  /** Bit 0: a FIN of the client was seen, bit 1: one of a server; 4: a reset. */
  closing: number;
  /** Initial number of the latest SYN, -1 before one. */
  syn: number;
  /** Its place in the queue of those that have ended, 0 for none. */
  queued: boolean;
}

/** So long after its last frame an ended connection is not expected to be spoken about again but by what should not be: that is told as of a port without a start. */
const LINGER_NS = 5e9;
/** A port that is used again so soon after its last connection is judged with it. */
const REUSE_NS = 1e9;

export interface TableLimits {
  /** Bytes of frames held in all; above it, connections that have ended do not linger. */
  readonly heldBytes: number;
  /** Bytes of frames held of connections that are open; above it, the most silent are judged by what there is. */
  readonly openBytes: number;
  /** Bytes of frames held for one connection; one that is longer is judged in pieces. */
  readonly flowBytes: number;
}

export type FlowSink = (flow: Flow, why: 'ended' | 'cut' | 'last') => void;

export class FlowTable {
  readonly #flows = new Map<number, Flow>();
  readonly #store = new FrameStore();
  #ended: Flow[] = [];
  #firstEnded = 0;
  /** Bytes held by all flows. */
  held = 0;
  /** The earliest and the latest time stamp. */
  first = Number.POSITIVE_INFINITY;
  now = Number.NEGATIVE_INFINITY;
  /** Up to here every file has been read: what is older is whole. */
  known = Number.POSITIVE_INFINITY;
  /** More than one file: a port's frames come in no order of time. */
  several = false;
  #latest: Flow | undefined;
  readonly others: Frame[] = [];

  constructor(
    private readonly limits: TableLimits,
    private readonly sink: FlowSink,
  ) {}

  get open(): number {
    return this.#flows.size;
  }

  /** A segment of a client's port; `place` and the rest as `FlowFrames.add` takes them. `odd`: no plain, whole segment. */
  add(
    client: Ipv4Address,
    port: number,
    t: number,
    number: number,
    file: number,
    place: number,
    source: Uint8Array,
    start: number,
    end: number,
    ip: number,
    flags: number,
    seq: number,
    toServer: boolean,
    odd: boolean,
  ): void {
    const key = client * 65536 + port;
    if (t > this.now) this.now = t;
    if (t < this.first) this.first = t;
    let flow = this.#latest;
    if (flow?.key !== key) flow = this.#flows.get(key);
    const opens = toServer && (flags & (TcpFlag.SYN | TcpFlag.ACK)) === TcpFlag.SYN;
    if (flow !== undefined && opens && flow.queued && flow.syn !== seq && !this.several && t - flow.last > REUSE_NS) {
      this.#close(flow, 'ended');
      flow = undefined;
    }
    if (flow === undefined) {
      flow = {
        key,
        ip: client,
        port,
        frames: new FlowFrames(this.#store),
        last: t,
        closing: 0,
        syn: -1,
        queued: false,
      };
      this.#flows.set(key, flow);
      this.held += flow.frames.held;
    }
    this.#latest = flow;
    const { frames } = flow;
    const before = frames.held;
    frames.add(t, number, file, place, source, start, end, ip);
    this.held += frames.held - before;
    if (odd) frames.odd = true;
    if (t > flow.last) flow.last = t;
    if (opens) flow.syn = seq;
    if (flags & (TcpFlag.FIN | TcpFlag.RST)) {
      flow.closing |= flags & TcpFlag.RST ? 4 : toServer ? 1 : 2;
      if (!flow.queued && flow.closing >= 3) {
        flow.queued = true;
        this.#ended.push(flow);
      }
    }
    if (frames.held > this.limits.flowBytes) this.#close(flow, 'cut');
  }

  #close(flow: Flow, why: 'ended' | 'cut' | 'last'): void {
    this.#flows.delete(flow.key);
    if (this.#latest === flow) this.#latest = undefined;
    flow.queued = false;
    this.held -= flow.frames.held;
    this.sink(flow, why);
  }

  /** Judges what has ended and, where memory asks for it, what has not; to be called now and then. */
  sweep(): void {
    while (this.#firstEnded < this.#ended.length) {
      const flow = this.#ended[this.#firstEnded];
      if (flow === undefined) break;
      if (flow.queued) {
        const now = Math.min(this.now, this.known);
        if (now <= flow.last || (now - flow.last < LINGER_NS && this.held <= this.limits.heldBytes)) break;
        this.#close(flow, 'ended');
      }
      this.#firstEnded++;
    }
    if (this.#firstEnded > 1024) {
      this.#ended = this.#ended.slice(this.#firstEnded);
      this.#firstEnded = 0;
    }
    if (this.held <= this.limits.openBytes) return;
    // Open connections alone fill the memory: those that have been silent longest are judged by what there is.
    const silent = [...this.#flows.values()].sort((a, b) => a.last - b.last);
    for (const flow of silent) {
      if (this.held <= this.limits.openBytes / 2) break;
      this.#close(flow, 'cut');
    }
  }

  /** Nothing more comes. */
  end(): void {
    for (const flow of [...this.#flows.values()]) this.#close(flow, flow.queued ? 'ended' : 'last');
  }
}
