/** Brings capture files of different machines to one clock, by the packets that they have in common. */
import type { Frame, Segment } from './decode.js';
import { pairOthers, pairSegments } from './packets.js';

/**
 * Shifts the times of files whose clocks contradict the order of cause and effect; changes `t` in place and returns what it did.
 * As NTP does (RFC 5905 §8): with the shortest flights of both directions, half their difference is the clocks'.
 */
export function alignClocks(segments: readonly Segment[], others: readonly Frame[]): string[] {
  /** Shortest flight from one file to another, by their clocks. */
  const flights = new Map<string, number>();
  const files = new Map<number, { capture: string; frames: Frame[] }>();
  for (const frame of [...segments, ...others]) {
    const file = files.get(frame.file);
    if (file) file.frames.push(frame);
    else files.set(frame.file, { capture: frame.capture, frames: [frame] });
  }
  for (const { sent, arrivals, twins } of [...pairSegments(segments), ...pairOthers(others)]) {
    if (sent === undefined || twins) continue;
    for (const arrived of arrivals) {
      if (arrived.file === sent.file) continue;
      const key = `${sent.file}>${arrived.file}`;
      const flight = arrived.t - sent.t;
      if (flight < (flights.get(key) ?? Number.POSITIVE_INFINITY)) flights.set(key, flight);
    }
  }
  const notes: string[] = [];
  const [base] = files.keys();
  const aligned = new Set(base === undefined ? [] : [base]);
  for (const from of aligned) {
    for (const [to, { capture, frames }] of files) {
      if (aligned.has(to)) continue;
      const out = flights.get(`${from}>${to}`);
      const back = flights.get(`${to}>${from}`);
      if (out === undefined && back === undefined) continue;
      aligned.add(to);
      const shift = shiftOf(out, back);
      if (shift === 0) continue;
      for (const frame of frames) frame.t -= shift;
      for (const [key, flight] of flights) {
        if (key.endsWith(`>${to}`)) flights.set(key, flight - shift);
        else if (key.startsWith(`${to}>`)) flights.set(key, flight + shift);
      }
      notes.push(`${capture}: its clock was taken to be ${(shift / 1e6).toFixed(3)} ms ahead`);
    }
  }
  return notes;
}

/** How far the far clock is ahead; 0 while no flight contradicts it. */
function shiftOf(out: number | undefined, back: number | undefined): number {
  if (out !== undefined && back !== undefined) return out >= 0 && back >= 0 ? 0 : Math.round((out - back) / 2);
  if (out !== undefined) return Math.min(0, out);
  return back !== undefined ? Math.max(0, -back) : 0;
}
