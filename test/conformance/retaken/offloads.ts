/** What a host with offloads would have captured: segments joined before they are cut, or after they arrived, and checksums left to the card. */
import { ETHERNET, putU16, type Shot, sealIp, sealTcp, tcpAt, u16, u32 } from './frame.js';

const PSH_FIN = 0x09;
const LARGEST = 65_000;
/** A card hands on what it has joined after so long at most. */
const JOINED_NS = 1_000_000n;

interface Open {
  shot: Shot;
  bytes: Uint8Array;
  next: number;
}

/**
 * Joins runs of data segments of one stream at one vantage. `joins`: which of a vantage's directions; sent segments also get checksums that
 * their card would have filled in.
 */
export function offloaded(
  shots: readonly Shot[],
  joins: (vantage: string) => { readonly tso: boolean; readonly gro: boolean },
): Shot[] {
  const made: Shot[] = [];
  const open = new Map<string, Open>();
  const emit = (key: string): void => {
    const one = open.get(key);
    if (one === undefined) return;
    open.delete(key);
    made.push({ ...one.shot, bytes: one.bytes, length: one.bytes.length });
  };
  for (const shot of shots) {
    const { bytes, vantage } = shot;
    const tcp = tcpAt(bytes);
    if (tcp === undefined || shot.length !== bytes.length) {
      made.push(shot);
      continue;
    }
    const sent = u16(bytes, vantage === 'client' ? tcp + 2 : tcp) === 80;
    const { tso, gro } = joins(vantage);
    if (!(sent ? tso : gro)) {
      made.push(shot);
      continue;
    }
    const header = tcp + ((bytes[tcp + 12] ?? 0) >>> 4) * 4;
    const end = ETHERNET + u16(bytes, ETHERNET + 2);
    const key = `${vantage} ${u32(bytes, ETHERNET + 12)} ${u32(bytes, ETHERNET + 16)} ${u32(bytes, tcp)}`;
    const flags = bytes[tcp + 13] ?? 0;
    const seq = u32(bytes, tcp + 4);
    const right = isRight(bytes);
    const one = open.get(key);
    const plain = (flags & ~PSH_FIN) === 0x10 && header < end && right;
    if (
      one !== undefined &&
      plain &&
      joinable(one, bytes, header, tcp, seq) &&
      shot.at - one.shot.at < JOINED_NS &&
      one.bytes.length + end - header < LARGEST
    ) {
      const joined = new Uint8Array(one.bytes.length + end - header);
      joined.set(one.bytes);
      joined.set(bytes.subarray(header, end), one.bytes.length);
      joined[tcp + 13] = (joined[tcp + 13] ?? 0) | (flags & PSH_FIN);
      putU16(joined, ETHERNET + 2, joined.length - ETHERNET);
      sealIp(joined);
      sealTcp(joined, sent);
      one.bytes = joined;
      one.next = (seq + end - header) >>> 0;
      if (flags & PSH_FIN) emit(key);
      continue;
    }
    emit(key);
    const own = new Uint8Array(bytes);
    if (sent && right) sealTcp(own, true);
    if (plain && (flags & PSH_FIN) === 0)
      open.set(key, { shot, bytes: own.subarray(0, end), next: (seq + end - header) >>> 0 });
    else made.push({ ...shot, bytes: own });
  }
  for (const key of [...open.keys()]) emit(key);
  return made.sort((a, b) => (a.at < b.at ? -1 : a.at > b.at ? 1 : 0));
}

function isRight(bytes: Uint8Array): boolean {
  const again = new Uint8Array(bytes);
  sealTcp(again);
  sealIp(again);
  return Buffer.compare(again, bytes) === 0;
}

/** The next bytes, with the same acknowledgement and options of the same length. */
function joinable({ bytes: before, next }: Open, bytes: Uint8Array, header: number, tcp: number, seq: number): boolean {
  return (
    seq === next &&
    u32(before, tcp + 8) === u32(bytes, tcp + 8) &&
    u16(before, tcp + 14) === u16(bytes, tcp + 14) &&
    Buffer.compare(before.subarray(tcp + 20, header), bytes.subarray(tcp + 20, header)) === 0
  );
}
