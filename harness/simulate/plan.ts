/** What fully determines a simulated run, and nothing else does: the seed, the kinds of fault that occur, and how much of the workload is played. */
import type { RemedyName } from '../../reference-impl/core/remedies.js';
import { createRandom } from '../random.js';

export const FAULT_KINDS = [
  'loss',
  'duplication',
  'reordering',
  'delay',
  'corruption',
  'mtu',
  'abort',
  'crash',
  'control-loss',
  'control-delay',
  'control-break',
  'rule-full',
  'skew',
] as const;
export type FaultKind = (typeof FAULT_KINDS)[number];

/** What each kind of fault is, for people. */
export const FAULT_SUMMARIES: Readonly<Record<FaultKind, string>> = {
  loss: 'frames vanish on a link',
  duplication: 'frames arrive twice',
  reordering: 'frames are overtaken by later ones (held up by up to 5 ms)',
  delay: 'frames are held up by up to 300 ms',
  corruption: 'one 16-bit word of a frame, behind the Ethernet header, arrives changed',
  mtu: 'a link carries no frame above a size for a while, and says so to nobody',
  abort: 'a client resets its connection at any moment',
  crash: 'a backend loses its state and its control connections, and comes back later',
  'control-loss': 'single control messages vanish',
  'control-delay': 'control messages are late, by up to 2 s, in order',
  'control-break': 'a control connection breaks with what is on its way, and is made again later',
  'rule-full': 'the switch holds fewer rules than there are connections',
  skew: "the roles' clocks run up to 3 % fast or slow",
};

export function isFaultKind(text: string): text is FaultKind {
  return FAULT_KINDS.some((kind) => kind === text);
}

export interface Plan {
  /** 0 to 2^32 - 1. */
  readonly seed: number;
  /** Those that occur in this run, in the order of `FAULT_KINDS`. */
  readonly faults: readonly FaultKind[];
  /** Connections of the workload, 1 to 64. */
  readonly connections: number;
  /** Those that are left out, by index; each connection's story is its own, whatever the others are. */
  readonly skip: readonly number[];
  /** Remedies of the reference that are switched off. */
  readonly without: readonly RemedyName[];
  /** Most requests of one connection, 1 or more; null for as many as the seed says. */
  readonly requests: number | null;
  /** No fault begins later than this, in ms from the start; null for as long as the seed says. */
  readonly faultMs: number | null;
}

export const MOST_CONNECTIONS = 64;

/** Of every eleven runs about one is without faults. */
const FAULT_FREE = 0.09;
const SHARE = 0.35;

/** What is chosen for all seeds alike. */
export interface Choice {
  /** The kinds of fault that may occur. */
  readonly allowed: readonly FaultKind[];
  /** Null: 1 to 6, as the seed says. */
  readonly connections: number | null;
  readonly without: readonly RemedyName[];
}

export const EVERYTHING: Choice = { allowed: FAULT_KINDS, connections: null, without: [] };

/** The run of a seed: which of the kinds that may occur do occur, and how many connections there are. */
export function planOf(seed: number, { allowed, connections, without }: Choice): Plan {
  const random = createRandom(seed, 'plan');
  const faultFree = random.fraction() < FAULT_FREE;
  const byItself = 1 + random.below(6);
  // Whoever asks for one kind wants to see it.
  const share = Math.max(SHARE, 1 / Math.max(1, allowed.length));
  const faults = FAULT_KINDS.filter((kind) => {
    const drawn = createRandom(seed, `plan ${kind}`).fraction() < share;
    return allowed.includes(kind) && drawn && !faultFree;
  });
  return { seed, faults, connections: connections ?? byItself, skip: [], without, requests: null, faultMs: null };
}
