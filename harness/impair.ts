/** Faults at the switch's rim: which frames are lost, doubled or held up on their way out, decided by the world's seed alone. */
import { parseFrame } from '../reference-impl/wire/frame.js';
import { TcpFlag, type TcpView } from '../reference-impl/wire/tcp.js';
import { createRandom } from './random.js';
import type { Fault, FrameMatch } from './world.js';

/** A frame that the switch sends: `from` and `to` are vantages. */
export interface LeavingFrame {
  readonly from: string;
  readonly to: string;
  readonly bytes: Uint8Array;
}

export interface Admission {
  /** One for each copy that goes on, in ms from now; none when the frame is lost. */
  readonly copies: readonly { readonly delayMs: number }[];
}

export interface Impairment {
  admit(frame: LeavingFrame): Admission;
  /** How many frames each fault was done to, in the order of the faults. */
  readonly applied: readonly number[];
}

const UNIMPAIRED: Admission = { copies: [{ delayMs: 0 }] };

/**
 * Every fault sees every frame, whatever the others do to it, so that `nth` counts the same with and without them. One fault that
 * loses the frame is enough; delays add up; each duplication adds a copy, delayed like the first.
 */
export function createImpairment(faults: readonly Fault[], seed: number): Impairment {
  if (faults.length === 0) return { admit: () => UNIMPAIRED, applied: [] };
  const judges = faults.map((fault, index) => judge(fault, seed, index));
  const applied = faults.map(() => 0);
  return {
    applied,
    admit(frame) {
      const parsed = parseFrame(frame.bytes);
      const tcp = parsed.ok ? parsed.value.tcp : undefined;
      let copies = 1;
      let delayMs = 0;
      let lost = false;
      for (const [index, decide] of judges.entries()) {
        const effect = decide(frame, tcp);
        if (effect === undefined) continue;
        applied[index] = (applied[index] ?? 0) + 1;
        lost ||= effect.lost;
        copies += effect.duplicates;
        delayMs += effect.delayMs;
      }
      return lost ? { copies: [] } : { copies: Array.from({ length: copies }, () => ({ delayMs })) };
    },
  };
}

interface Effect {
  readonly lost: boolean;
  readonly duplicates: number;
  readonly delayMs: number;
}

type Judge = (frame: LeavingFrame, tcp: TcpView | undefined) => Effect | undefined;

function judge(fault: Fault, seed: number, index: number): Judge {
  const random = createRandom(seed, `fault ${index}`);
  let matched = 0;
  const chosen = (): boolean => {
    matched++;
    if (fault.kind === 'lose' || fault.kind === 'reorder') return random.fraction() < fault.rate;
    return fault.nth === undefined || fault.nth.includes(matched);
  };
  const effect: Effect = {
    lost: fault.kind === 'drop' || fault.kind === 'lose',
    duplicates: fault.kind === 'duplicate' ? 1 : 0,
    delayMs: fault.kind === 'delay' || fault.kind === 'reorder' ? fault.ms : 0,
  };
  return (frame, tcp) => (matches(fault.match, frame, tcp) && chosen() ? effect : undefined);
}

/** Whether a frame is one that `match` is about. */
export function matchesFrame(match: FrameMatch, frame: LeavingFrame): boolean {
  const parsed = parseFrame(frame.bytes);
  return matches(match, frame, parsed.ok ? parsed.value.tcp : undefined);
}

/** A frame without TCP matches only where nothing is asked of TCP. */
function matches(match: FrameMatch, frame: LeavingFrame, tcp: TcpView | undefined): boolean {
  if (match.from !== undefined && match.from !== frame.from) return false;
  if (match.to !== undefined && match.to !== frame.to) return false;
  if (match.payload === undefined && match.flags === undefined && match.zeroWindow === undefined) return true;
  if (tcp === undefined) return false;
  if (match.payload !== undefined && match.payload !== tcp.payloadLength > 0) return false;
  if (match.flags?.some((flag) => (tcp.flags & TcpFlag[flag]) === 0)) return false;
  return match.zeroWindow === undefined || match.zeroWindow === (tcp.window === 0);
}
