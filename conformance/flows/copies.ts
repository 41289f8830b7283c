/** Frames that a capture shows twice although they were sent once: a port mirrored twice, or both sides of one. */
import type { Frame } from './decode.js';

/** A mirror's detour is no longer; a sender that repeats itself waits longer (RFC 6298 §2: an RTO of 200 ms at the least) or counts its IP id on. */
const LATEST_COPY_NS = 50e6;

/** Fewer copies, or a smaller part of what was sent, are the senders' own. */
const FEWEST = 3;
const MIRRORED = 0.1;
/** Of half of what a link shows being sent there is one copy each, where all of it is doubled. */
const WHOLE = 0.4;

/**
 * The frames without those that the same vantage has already shown being sent, byte for byte, a moment before, and how many those are. What
 * arrives twice stays: the network may have doubled it. Any order; O(n).
 */
export function withoutCopies<F extends Frame>(
  frames: readonly F[],
): { readonly frames: readonly F[]; readonly copies: number } {
  const known = new Map<number, F[]>();
  const doubled = new Set<F>();
  for (const frame of frames) {
    if (frame.direction !== 'sent') continue;
    const key = keyOf(frame);
    const alike = known.get(key);
    if (alike === undefined) known.set(key, [frame]);
    else {
      const original = alike.findIndex((one) => isCopy(one, frame));
      if (original < 0) alike.push(frame);
      else {
        const one = alike[original];
        // Files need not be in order of time: the earlier one is the original.
        const later = one !== undefined && one.t > frame.t ? one : frame;
        doubled.add(later);
        if (later !== frame) alike[original] = frame;
      }
    }
  }
  const sent = new Map<string, number>();
  const copied = new Map<string, number>();
  for (const { direction, vantage } of frames)
    if (direction === 'sent') sent.set(vantage, (sent.get(vantage) ?? 0) + 1);
  for (const { vantage } of doubled) copied.set(vantage, (copied.get(vantage) ?? 0) + 1);
  const all = [...sent.values()].reduce((sum, count) => sum + count, 0);
  // A mirror doubles what passes it; a host that says one thing twice is an offender, or nobody's business.
  const everywhere = copied.size > 1 && doubled.size > MIRRORED * all;
  const whole = [...copied].some(([vantage, count]) => count > WHOLE * (sent.get(vantage) ?? 0));
  const mirrored = doubled.size >= FEWEST && (everywhere || whole);
  if (!mirrored) return { frames, copies: 0 };
  return { frames: frames.filter((frame) => !doubled.has(frame)), copies: doubled.size };
}

function keyOf({ ipv4, view }: Frame): number {
  const { tcp } = view;
  return Math.imul((tcp?.seq ?? 0) ^ Math.imul(tcp?.ack ?? 0, 0x9e3779b1), 0x85ebca6b) * 65536 + ipv4.id;
}

function isCopy(a: Frame, b: Frame): boolean {
  return (
    a.vantage === b.vantage &&
    Math.abs(a.t - b.t) < LATEST_COPY_NS &&
    a.srcMac === b.srcMac &&
    a.ipv4.totalLength === b.ipv4.totalLength &&
    Buffer.compare(ipOf(a), ipOf(b)) === 0
  );
}

function ipOf({ ipv4 }: Frame): Uint8Array {
  return ipv4.bytes.subarray(ipv4.offset, Math.max(ipv4.payloadEnd, ipv4.offset));
}
