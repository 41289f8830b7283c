/** Brings capture files of different machines to one clock, by the packets that they have in common. */
import type { Frame, Segment } from './decode.js';
import { changesOf, pairOthers, pairSegments } from './packets.js';

/**
 * Shifts the times of files whose clocks contradict the order of cause and effect; changes `t` in place and returns what it did.
 * As NTP does (RFC 5905 §8): with the shortest flights of both directions, half their difference is the clocks'.
 */
export function alignClocks(segments: readonly Segment[], others: readonly Frame[]): string[] {
  /** Flights from one file to another, by their clocks. */
  const seen = new Map<string, number[]>();
  const files = new Map<number, { capture: string; frames: Frame[] }>();
  for (const frame of [...segments, ...others]) {
    const file = files.get(frame.file);
    if (file) file.frames.push(frame);
    else files.set(frame.file, { capture: frame.capture, frames: [frame] });
  }
  for (const { sent, arrivals, twins } of [...pairSegments(segments), ...pairOthers(others)]) {
    // What was sent alike several times, or arrived changed, may be two packets: no clock is set by a guess.
    if (sent === undefined || twins || arrivals.length !== 1) continue;
    for (const arrived of arrivals) {
      if (arrived.file === sent.file) continue;
      if (isSegment(sent) && isSegment(arrived) && changesOf(sent, arrived).length > 0) continue;
      const key = `${sent.file}>${arrived.file}`;
      const list = seen.get(key);
      if (list) list.push(arrived.t - sent.t);
      else seen.set(key, [arrived.t - sent.t]);
    }
  }
  const flights = new Map([...seen].map(([key, list]) => [key, shortest(list)]));
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

const isSegment = (frame: Frame): frame is Segment => 'towards' in frame;

/** The shortest flight; of very many the shortest but one in a hundred, since among so many some are paired by chance. */
function shortest(list: number[]): number {
  list.sort((a, b) => a - b);
  return list[Math.floor(list.length / 100)] ?? 0;
}

/** How far the far clock is ahead; 0 while no flight contradicts it. */
function shiftOf(out: number | undefined, back: number | undefined): number {
  if (out !== undefined && back !== undefined) return out >= 0 && back >= 0 ? 0 : Math.round((out - back) / 2);
  if (out !== undefined) return Math.min(0, out);
  return back !== undefined ? Math.max(0, -back) : 0;
}
