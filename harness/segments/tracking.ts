/** Both streams of a packet-level client's connection: what was sent and is owed, what arrived and was acknowledged. No I/O, no clock. */
import { type Seq, seqAdd, seqDiff } from '../../reference-impl/wire/seq.js';
import type { TcpOption, TcpView } from '../../reference-impl/wire/tcp.js';
import { findTcpOption } from '../../reference-impl/wire/tcp.js';

/** A piece of the client's stream that was sent. */
export interface SentPiece {
  readonly place: number;
  readonly bytes: Uint8Array;
  readonly fin: boolean;
}

/** What a segment from the server says, in places of the two streams. */
export interface Arrival {
  /** Microseconds since the epoch. */
  readonly at: number;
  readonly flags: number;
  readonly window: number;
  readonly length: number;
  /** Where its payload begins in the server's stream. */
  readonly from: number;
  /** All of its payload, if it has any, arrived before. */
  readonly repeated: boolean;
  /** The place in the client's stream up to which it acknowledges; -1 before the SYN. */
  readonly acks: number;
  /** IP identification, by which a capture knows the frame. */
  readonly ipId: number;
}

/** RFC 9293 §3.7.1: what holds without the option. */
const DEFAULT_MSS = 536;

export class Tracking {
  /** Sent and not acknowledged, in order. */
  readonly owed: SentPiece[] = [];
  /** The last piece that was sent. */
  last: SentPiece | undefined;
  /** Next place of the client's stream. */
  next = 0;
  finSent = false;
  /** Up to here the server has acknowledged. */
  acknowledged = 0;
  /** The server's initial sequence number, once its SYN-ACK has come. */
  irs: Seq | undefined;
  /** In order so far, the server's FIN not counted. */
  arrived = 0;
  /** What the client last told the server to have, FIN counted. */
  told = 0;
  finArrived = false;
  mss = DEFAULT_MSS;
  timestamps = false;
  /** The TSval to echo (RFC 7323 §4.3). */
  recent = 0;
  #bytes = new Uint8Array(4096);
  #early: { place: number; bytes: Uint8Array }[] = [];
  #finPlace: number | undefined;

  constructor(
    /** The client's initial sequence number. */
    readonly iss: Seq,
  ) {}

  /** The sequence number of a place in the client's stream. */
  seqOf(place: number): Seq {
    return seqAdd(this.iss, place + 1);
  }

  /** The acknowledgement number for a place in the server's stream. */
  ackOf(place: number): Seq {
    return this.irs === undefined ? 0 : seqAdd(this.irs, place + 1);
  }

  /** Everything that has arrived, FIN counted. */
  get receivedAll(): number {
    return this.arrived + (this.finArrived ? 1 : 0);
  }

  /** The server's stream so far. */
  get stream(): Uint8Array {
    return this.#bytes.subarray(0, this.arrived);
  }

  /** Notes new data of the client's. */
  sent(piece: SentPiece): void {
    this.owed.push(piece);
    this.last = piece;
    this.next = piece.place + piece.bytes.length + (piece.fin ? 1 : 0);
    this.finSent ||= piece.fin;
  }

  /** Reads a SYN-ACK; `offered`: the options that the client's SYN had. */
  open(segment: TcpView, offered: readonly TcpOption[]): void {
    this.irs = segment.seq;
    this.mss = findTcpOption(segment.options, 'mss')?.value ?? DEFAULT_MSS;
    const timestamps = findTcpOption(segment.options, 'timestamps');
    this.timestamps = timestamps !== undefined && findTcpOption(offered, 'timestamps') !== undefined;
    this.recent = timestamps?.value ?? 0;
  }

  /** What a segment says in places. */
  locate(segment: TcpView, at: number, ipId: number): Arrival {
    const from = this.irs === undefined ? 0 : seqDiff(segment.seq, seqAdd(this.irs, 1));
    return {
      at,
      flags: segment.flags,
      window: segment.window,
      length: segment.payloadLength,
      from,
      repeated: segment.payloadLength > 0 && from + segment.payloadLength <= this.arrived,
      acks: seqDiff(segment.ack, seqAdd(this.iss, 1)),
      ipId,
    };
  }

  /** Takes in what a segment of the open connection acknowledges and carries. */
  take(segment: TcpView, arrival: Arrival): void {
    if (segment.hasAck && arrival.acks > this.acknowledged && arrival.acks <= this.next) {
      this.acknowledged = arrival.acks;
      while (this.owed[0] !== undefined && end(this.owed[0]) <= arrival.acks) this.owed.shift();
    }
    const timestamps = findTcpOption(segment.options, 'timestamps');
    if (timestamps !== undefined && arrival.from <= this.receivedAll) this.recent = timestamps.value;
    if (segment.payloadLength > 0) {
      this.#early.push({ place: arrival.from, bytes: segment.payload.slice() });
      this.#join();
    }
    if (segment.fin) this.#finPlace = arrival.from + segment.payloadLength;
    if (this.#finPlace === this.arrived) this.finArrived = true;
  }

  #join(): void {
    for (let grown = true; grown; ) {
      grown = false;
      for (const { place, bytes } of this.#early) {
        if (place > this.arrived || place + bytes.length <= this.arrived) continue;
        this.#append(bytes.subarray(this.arrived - place));
        grown = true;
      }
    }
    this.#early = this.#early.filter(({ place, bytes }) => place + bytes.length > this.arrived);
  }

  #append(bytes: Uint8Array): void {
    const needed = this.arrived + bytes.length;
    if (needed > this.#bytes.length) {
      const larger = new Uint8Array(Math.max(needed, 2 * this.#bytes.length));
      larger.set(this.#bytes.subarray(0, this.arrived));
      this.#bytes = larger;
    }
    this.#bytes.set(bytes, this.arrived);
    this.arrived = needed;
  }
}

function end({ place, bytes, fin }: SentPiece): number {
  return place + bytes.length + (fin ? 1 : 0);
}
