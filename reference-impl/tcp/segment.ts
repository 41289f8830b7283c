/** A TCP segment as the endpoint sees it: plain fields, no addresses, no checksum. */
import { type Seq, seqAdd } from '../wire/seq.js';
import { TcpFlag, type TcpOption } from '../wire/tcp.js';

/** `wire`'s TcpView satisfies it too. `window` is the 16-bit field, unscaled. */
export interface Segment {
  readonly seq: Seq;
  readonly ack: Seq;
  readonly flags: number;
  readonly window: number;
  readonly options: readonly TcpOption[];
  readonly payload: Uint8Array;
}

export function hasFlag(segment: Segment, flag: keyof typeof TcpFlag): boolean {
  return (segment.flags & TcpFlag[flag]) !== 0;
}

/** How much sequence space it takes: payload, SYN and FIN (RFC 9293 §3.4). */
export function segmentLength(segment: Segment): number {
  return segment.payload.length + (hasFlag(segment, 'SYN') ? 1 : 0) + (hasFlag(segment, 'FIN') ? 1 : 0);
}

/** The RST that answers a segment of no connection, as every stock kernel sends it (RFC 9293 §3.10.7.1). */
export function resetFor(segment: Segment): Segment {
  const fields = hasFlag(segment, 'ACK')
    ? { seq: segment.ack, ack: 0, flags: TcpFlag.RST }
    : { seq: 0, ack: seqAdd(segment.seq, segmentLength(segment)), flags: TcpFlag.RST | TcpFlag.ACK };
  return { ...fields, window: 0, options: [], payload: new Uint8Array(0) };
}
