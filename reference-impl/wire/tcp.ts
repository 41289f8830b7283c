/** TCP segments and their options (RFC 9293 §3.1, §3.2; RFC 7323 for window scale and timestamps; RFC 2018 for SACK). */
import { pseudoHeaderSum, sum16 } from './checksum.js';
import { type Parsed, wireError } from './errors.js';
import { IpProtocol, type Ipv4View } from './ipv4.js';
import { readU8, readU16, readU32 } from './octets.js';
import type { Seq } from './seq.js';

export const TcpFlag = { FIN: 1, SYN: 2, RST: 4, PSH: 8, ACK: 16, URG: 32, ECE: 64, CWR: 128 } as const;

export const TcpOptionCode = {
  END: 0,
  NOP: 1,
  MSS: 2,
  WINDOW_SCALE: 3,
  SACK_PERMITTED: 4,
  SACK: 5,
  TIMESTAMPS: 8,
} as const;

export const TCP_HEADER_LENGTH = 20;

export type TcpOption =
  | { readonly kind: 'mss'; readonly value: number }
  | { readonly kind: 'window-scale'; readonly shift: number }
  | { readonly kind: 'sack-permitted' }
  | { readonly kind: 'sack'; readonly blocks: readonly { readonly left: Seq; readonly right: Seq }[] }
  | { readonly kind: 'timestamps'; readonly value: number; readonly echo: number }
  | { readonly kind: 'nop' }
  /** What lies behind it is padding. */
  | { readonly kind: 'end' }
  | { readonly kind: 'unknown'; readonly code: number; readonly data: Uint8Array }
  /**
   * A known option of the wrong length (`bytes` is all of that option), or a length that cannot be (`bytes` is all that is left).
   */
  | { readonly kind: 'malformed'; readonly bytes: Uint8Array };

export class TcpView {
  #options: readonly TcpOption[] | undefined;

  constructor(
    readonly bytes: Uint8Array,
    readonly offset: number,
    /** Bytes of header and payload by the IP length, whether captured or not. */
    readonly length: number,
  ) {}

  get srcPort(): number {
    return readU16(this.bytes, this.offset);
  }

  get dstPort(): number {
    return readU16(this.bytes, this.offset + 2);
  }

  get seq(): Seq {
    return readU32(this.bytes, this.offset + 4);
  }

  get ack(): Seq {
    return readU32(this.bytes, this.offset + 8);
  }

  /** In bytes, 20 to 60. */
  get headerLength(): number {
    return (readU8(this.bytes, this.offset + 12) >>> 4) * 4;
  }

  /** The eight flags of `TcpFlag`. */
  get flags(): number {
    return readU8(this.bytes, this.offset + 13);
  }

  get fin(): boolean {
    return (this.flags & TcpFlag.FIN) !== 0;
  }

  get syn(): boolean {
    return (this.flags & TcpFlag.SYN) !== 0;
  }

  get rst(): boolean {
    return (this.flags & TcpFlag.RST) !== 0;
  }

  get psh(): boolean {
    return (this.flags & TcpFlag.PSH) !== 0;
  }

  get hasAck(): boolean {
    return (this.flags & TcpFlag.ACK) !== 0;
  }

  get urg(): boolean {
    return (this.flags & TcpFlag.URG) !== 0;
  }

  /** The 16-bit field, not scaled. */
  get window(): number {
    return readU16(this.bytes, this.offset + 14);
  }

  get checksum(): number {
    return readU16(this.bytes, this.offset + 16);
  }

  get urgentPointer(): number {
    return readU16(this.bytes, this.offset + 18);
  }

  get optionBytes(): Uint8Array {
    return this.bytes.subarray(this.offset + TCP_HEADER_LENGTH, this.offset + this.headerLength);
  }

  /** Decoded once, when first asked for. */
  get options(): readonly TcpOption[] {
    this.#options ??= parseTcpOptions(this.optionBytes);
    return this.#options;
  }

  /** The captured part of the payload. */
  get payload(): Uint8Array {
    const start = this.offset + this.headerLength;
    return this.bytes.subarray(start, Math.max(start, this.offset + this.length));
  }

  /** By the IP length, even where fewer bytes were captured. */
  get payloadLength(): number {
    return this.length - this.headerLength;
  }

  /** The sequence numbers it takes: payload, SYN and FIN (SEG.LEN, RFC 9293 §3.3.1). */
  get segmentLength(): number {
    return this.payloadLength + (this.syn ? 1 : 0) + (this.fin ? 1 : 0);
  }

  /** Whether every byte was captured, so that the checksum can be judged. */
  get complete(): boolean {
    return this.offset + this.length <= this.bytes.length;
  }

  /** False also for what cannot be judged: an incomplete capture (`complete`) or a fragment. */
  checksumValid(ip: Ipv4View): boolean {
    if (!this.complete || ip.isFragment) return false;
    const pseudoHeader = pseudoHeaderSum(ip.src, ip.dst, IpProtocol.TCP, this.length);
    return sum16(this.bytes, this.offset, this.offset + this.length, pseudoHeader) === 0xffff;
  }
}

/** `length`: header and payload in bytes, as the IP header has it. */
export function parseTcp(bytes: Uint8Array, offset: number, length: number): Parsed<TcpView> {
  if (length < TCP_HEADER_LENGTH) return wireError('tcp', 'length', `${length} bytes are less than a TCP header`);
  const captured = bytes.length - offset;
  if (captured < TCP_HEADER_LENGTH)
    return wireError('tcp', 'truncated', `${captured} bytes are less than a TCP header`);
  const view = new TcpView(bytes, offset, length);
  const { headerLength } = view;
  if (headerLength < TCP_HEADER_LENGTH || headerLength > length) {
    return wireError('tcp', 'header-length', `a header of ${headerLength} bytes in a segment of ${length}`);
  }
  if (captured < headerLength) return wireError('tcp', 'truncated', `${captured} bytes of a header of ${headerLength}`);
  return { ok: true, value: view };
}

/** Total: what cannot be decoded is `malformed` (RFC 9293 §3.1, MUST-6 and MUST-7). */
export function parseTcpOptions(bytes: Uint8Array): readonly TcpOption[] {
  const options: TcpOption[] = [];
  let at = 0;
  while (at < bytes.length) {
    const code = readU8(bytes, at);
    if (code === TcpOptionCode.END) {
      options.push({ kind: 'end' });
      break;
    }
    if (code === TcpOptionCode.NOP) {
      options.push({ kind: 'nop' });
      at++;
      continue;
    }
    const length = readU8(bytes, at + 1);
    if (length < 2 || at + length > bytes.length) {
      options.push({ kind: 'malformed', bytes: bytes.subarray(at) });
      break;
    }
    options.push(parseTcpOption(bytes.subarray(at, at + length)));
    at += length;
  }
  return options;
}

function parseTcpOption(option: Uint8Array): TcpOption {
  const code = readU8(option, 0);
  switch (code) {
    case TcpOptionCode.MSS:
      if (option.length === 4) return { kind: 'mss', value: readU16(option, 2) };
      break;
    case TcpOptionCode.WINDOW_SCALE:
      if (option.length === 3) return { kind: 'window-scale', shift: readU8(option, 2) };
      break;
    case TcpOptionCode.SACK_PERMITTED:
      if (option.length === 2) return { kind: 'sack-permitted' };
      break;
    case TcpOptionCode.SACK:
      if (option.length > 2 && option.length % 8 === 2) {
        const blocks = [];
        for (let at = 2; at < option.length; at += 8) {
          blocks.push({ left: readU32(option, at), right: readU32(option, at + 4) });
        }
        return { kind: 'sack', blocks };
      }
      break;
    case TcpOptionCode.TIMESTAMPS:
      if (option.length === 10) return { kind: 'timestamps', value: readU32(option, 2), echo: readU32(option, 6) };
      break;
    default:
      return { kind: 'unknown', code, data: option.subarray(2) };
  }
  return { kind: 'malformed', bytes: option };
}

/** The first option of that kind. */
export function findTcpOption<K extends TcpOption['kind']>(
  options: readonly TcpOption[],
  kind: K,
): Extract<TcpOption, { kind: K }> | undefined {
  return options.find((option): option is Extract<TcpOption, { kind: K }> => option.kind === kind);
}
