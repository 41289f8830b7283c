/** Faults at the switch's rim: which frames are lost, doubled or held up on their way in and out, decided by the world's seed alone. */
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

/** A frame that a host sends: where it will go is the switch's to decide. */
export type EnteringFrame = Omit<LeavingFrame, 'to'>;

export interface Impairment {
  admit(frame: LeavingFrame): Admission;
  /** The same ahead of the switch. */
  enter(frame: EnteringFrame): Admission;
  /** Whether its sender spoils it; asked for each frame once, before it leaves. */
  spoils(frame: EnteringFrame): boolean;
  /** Whether anything is done ahead of the switch. */
  readonly ahead: boolean;
  /** How many frames each fault was done to, in the order of the faults. */
  readonly applied: readonly number[];
}

const UNIMPAIRED: Admission = { copies: [{ delayMs: 0 }] };
const NOWHERE = '';

/**
 * Every fault sees every frame on its side of the switch, whatever the others do to it, so that `nth` counts the same with and without them. One
 * fault that loses the frame is enough; delays add up; each duplication adds a copy, delayed like the first and by its own time.
 */
export function createImpairment(faults: readonly Fault[], seed: number): Impairment {
  const applied = faults.map(() => 0);
  const judges = faults.map((fault, index) => ({ fault, index, decide: judge(fault, seed, index) }));
  const isAhead = (fault: Fault): boolean => 'ahead' in fault && fault.ahead === true;
  const spoiling = judges.filter(({ fault }) => fault.kind === 'spoil');
  const entering = judges.filter(({ fault }) => isAhead(fault) && fault.kind !== 'spoil');
  const leaving = judges.filter(({ fault }) => !isAhead(fault));
  const decide = (ones: typeof judges, frame: LeavingFrame): Admission => {
    if (ones.length === 0) return UNIMPAIRED;
    const parsed = parseFrame(frame.bytes);
    const tcp = parsed.ok ? parsed.value.tcp : undefined;
    const copies = [0];
    let delayMs = 0;
    let lost = false;
    for (const { index, decide: effectOn } of ones) {
      const effect = effectOn(frame, tcp);
      if (effect === undefined) continue;
      applied[index] = (applied[index] ?? 0) + 1;
      lost ||= effect.lost;
      if (effect.copyAfterMs !== undefined) copies.push(effect.copyAfterMs);
      delayMs += effect.delayMs;
    }
    return lost ? { copies: [] } : { copies: copies.map((after) => ({ delayMs: delayMs + after })) };
  };
  return {
    applied,
    ahead: entering.length > 0,
    admit: (frame) => decide(leaving, frame),
    enter: (frame) => decide(entering, { ...frame, to: NOWHERE }),
    spoils: (frame) => decide(spoiling, { ...frame, to: NOWHERE }).copies.length === 0,
  };
}

interface Effect {
  readonly lost: boolean;
  /** A copy, and how much later than the first, in ms. */
  readonly copyAfterMs: number | undefined;
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
    lost: fault.kind === 'drop' || fault.kind === 'lose' || fault.kind === 'spoil',
    copyAfterMs: fault.kind === 'duplicate' ? (fault.ms ?? 0) : undefined,
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
