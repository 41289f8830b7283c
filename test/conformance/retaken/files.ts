/** Frames to capture files: classic pcap of either byte order and resolution, pcapng with or without names, in one or several sections. */
import type { Piece, Shot } from './frame.js';

export interface PcapForm {
  readonly big?: boolean;
  readonly nano?: boolean;
  readonly linkType?: number;
  readonly snap?: number;
}

/** A classic pcap of these frames. */
export function pcapOf(
  shots: readonly Shot[],
  { big = false, nano = false, linkType = 1, snap }: PcapForm = {},
): Uint8Array {
  const u32 = (buffer: Buffer, value: number, at: number): number =>
    big ? buffer.writeUInt32BE(value, at) : buffer.writeUInt32LE(value, at);
  const u16 = (buffer: Buffer, value: number, at: number): number =>
    big ? buffer.writeUInt16BE(value, at) : buffer.writeUInt16LE(value, at);
  const header = Buffer.alloc(24);
  u32(header, nano ? 0xa1b23c4d : 0xa1b2c3d4, 0);
  u16(header, 2, 4);
  u16(header, 4, 6);
  u32(header, snap ?? 262144, 16);
  u32(header, linkType, 20);
  const records = shots.map(({ at, bytes, length }) => {
    const record = Buffer.alloc(16);
    u32(record, Number(at / 1_000_000_000n), 0);
    u32(record, Number((at % 1_000_000_000n) / (nano ? 1n : 1000n)), 4);
    const kept = bytes.subarray(0, snap ?? bytes.length);
    u32(record, kept.length, 8);
    u32(record, length, 12);
    return Buffer.concat([record, kept]);
  });
  return Buffer.concat([header, ...records]);
}

export interface PcapngForm {
  readonly big?: boolean;
  /** Without names nobody says where a frame was seen. */
  readonly names?: boolean;
  /** Stamps in 10^-digits seconds. */
  readonly digits?: number;
}

/** One section with an interface a vantage. */
export function pcapngOf(
  shots: readonly Shot[],
  vantages: readonly string[],
  { big = false, names = true, digits = 9 }: PcapngForm = {},
): Uint8Array {
  const parts: Buffer[] = [];
  const u32 = (value: number): Buffer => {
    const buffer = Buffer.alloc(4);
    if (big) buffer.writeUInt32BE(value >>> 0);
    else buffer.writeUInt32LE(value >>> 0);
    return buffer;
  };
  const u16 = (value: number): Buffer => {
    const buffer = Buffer.alloc(2);
    if (big) buffer.writeUInt16BE(value);
    else buffer.writeUInt16LE(value);
    return buffer;
  };
  const padded = (bytes: Uint8Array): Buffer => Buffer.concat([bytes, Buffer.alloc(-bytes.length & 3)]);
  const block = (type: number, ...body: Uint8Array[]): void => {
    const whole = Buffer.concat(body);
    const length = u32(whole.length + 12);
    parts.push(u32(type), length, whole, length);
  };
  block(0x0a0d0d0a, u32(0x1a2b3c4d), u16(1), u16(0), u32(0xffffffff), u32(0xffffffff));
  for (const vantage of vantages) {
    const name = Buffer.from(vantage);
    const named = names ? [u16(2), u16(name.length), padded(name)] : [];
    block(1, u16(1), u16(0), u32(0), ...named, u16(9), u16(1), Buffer.from([digits, 0, 0, 0]), u16(0), u16(0));
  }
  const unit = 10n ** BigInt(9 - digits);
  for (const { vantage, at, bytes, length } of shots) {
    const stamp = at / unit;
    block(
      6,
      u32(vantages.indexOf(vantage)),
      u32(Number(stamp >> 32n)),
      u32(Number(stamp & 0xffffffffn)),
      u32(bytes.length),
      u32(length),
      padded(bytes),
    );
  }
  return Buffer.concat(parts);
}

export function vantagesOf(shots: readonly Shot[]): string[] {
  return [...new Set(shots.map(({ vantage }) => vantage))].sort();
}

/** One pcapng with named interfaces. */
export function together(shots: readonly Shot[], form: PcapngForm = {}): Piece[] {
  const ordered = [...shots].sort((a, b) => (a.at < b.at ? -1 : a.at > b.at ? 1 : 0));
  return [{ name: 'run.pcapng', bytes: pcapngOf(ordered, vantagesOf(shots), form) }];
}

/** A pcap for each vantage. */
export function apart(shots: readonly Shot[], form: PcapForm = { nano: true }): Piece[] {
  return vantagesOf(shots).map((vantage) => ({
    name: `${vantage}.pcap`,
    vantage,
    bytes: pcapOf(
      shots.filter((shot) => shot.vantage === vantage),
      form,
    ),
  }));
}
