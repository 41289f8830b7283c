/** When which fault strikes, and how hard: all that a plan leaves open, drawn from its seed before the run begins. */
import { createRandom, type Random } from '../random.js';
import { MILLISECOND, type Nanos, SECOND } from '../sim/clock.js';
import { FAULT_KINDS, type FaultKind, type Plan } from './plan.js';

/** How often each kind struck. */
export type FaultCounts = Record<FaultKind, number>;

export function noFaults(): FaultCounts {
  return Object.fromEntries(FAULT_KINDS.map((kind) => [kind, 0])) as FaultCounts;
}

interface Interval {
  readonly from: Nanos;
  /** Not before the next one begins. */
  readonly to: Nanos;
}

/** `vantage` carries no IP packet above `mtu` bytes. */
export interface Narrowing extends Interval {
  readonly vantage: string;
  readonly mtu: number;
}

/** The control connection to `peer` breaks; each side is told after its own lag, before it is made again. */
export interface Break extends Interval {
  readonly peer: string;
  readonly crash: boolean;
  readonly controllerLag: Nanos;
  readonly peerLag: Nanos;
}

export interface FaultSchedule {
  /** Nothing strikes any more from here on. */
  readonly until: Nanos;
  /** Shares of frames, each link crossed counting. */
  readonly loss: number;
  readonly duplication: number;
  readonly reordering: number;
  readonly delay: number;
  readonly corruption: number;
  readonly narrowings: readonly Narrowing[];
  /** Crashes and breaks, in order of time. */
  readonly breaks: readonly Break[];
  /** Share of control messages. */
  readonly controlLoss: number;
  readonly controlDelay: { readonly rate: number; readonly most: Nanos };
  readonly ruleCapacity: number;
  /** How much faster than time each role's clock runs. */
  readonly drift: ReadonlyMap<string, number>;
}

const MOST_DRIFT = 0.03;
/** More rules than any run has connections. */
const AMPLE_RULES = 1024;

export function faultSchedule(plan: Plan, backends: readonly string[]): FaultSchedule {
  const own = (kind: FaultKind): Random => createRandom(plan.seed, `fault ${kind}`);
  const on = (kind: FaultKind): boolean => plan.faults.includes(kind);
  const window = createRandom(plan.seed, 'fault window').fraction();
  const drawn = Math.round((0.1 + 5 * window ** 2) * SECOND);
  const until = plan.faultMs === null ? drawn : Math.min(drawn, plan.faultMs * MILLISECOND);
  /** Small ones more often than large ones. */
  const rate = (kind: FaultKind, most: number): number =>
    on(kind) ? Math.max(0.002, own(kind).fraction() ** 2 * most) : 0;
  const late = own('control-delay');
  return {
    until,
    loss: rate('loss', 0.2),
    duplication: rate('duplication', 0.2),
    reordering: rate('reordering', 0.3),
    delay: rate('delay', 0.1),
    corruption: rate('corruption', 0.1),
    narrowings: on('mtu') ? narrowings(own('mtu'), until, ['client', ...backends]) : [],
    breaks: breaksOf(plan, until, backends),
    controlLoss: rate('control-loss', 0.3),
    controlDelay: on('control-delay')
      ? { rate: 0.05 + 0.5 * late.fraction(), most: Math.round(2 * SECOND * late.fraction() ** 2) }
      : { rate: 0, most: 0 },
    ruleCapacity: on('rule-full') ? own('rule-full').below(3) : AMPLE_RULES,
    drift: drifts(plan, backends),
  };
}

function narrowings(random: Random, until: Nanos, vantages: readonly string[]): Narrowing[] {
  return Array.from({ length: 1 + random.below(2) }, () => {
    const from = random.below(until);
    return {
      vantage: vantages[random.below(vantages.length)] ?? 'client',
      mtu: 300 + random.below(1200),
      from,
      to: Math.min(until, from + random.below(2 * SECOND)),
    };
  });
}

function breaksOf(plan: Plan, until: Nanos, backends: readonly string[]): Break[] {
  const breaks: Break[] = [];
  const add = (kind: 'crash' | 'control-break', peers: readonly string[]): void => {
    if (!plan.faults.includes(kind)) return;
    const random = createRandom(plan.seed, `fault ${kind}`);
    for (let left = 1 + random.below(3); left > 0; left--) {
      const from = random.below(until);
      const lag = (): Nanos => 1 + random.below(200 * MILLISECOND);
      const [controllerLag, peerLag] = [lag(), lag()];
      breaks.push({
        peer: peers[random.below(peers.length)] ?? 'switch',
        crash: kind === 'crash',
        from,
        to:
          from +
          Math.max(controllerLag, peerLag) +
          MILLISECOND +
          random.below(random.fraction() < 0.2 ? 8 * SECOND : SECOND),
        controllerLag,
        peerLag,
      });
    }
  };
  add('crash', backends);
  add('control-break', [...backends, 'switch']);
  return breaks.sort((a, b) => a.from - b.from);
}

function drifts(plan: Plan, backends: readonly string[]): Map<string, number> {
  const random = createRandom(plan.seed, 'fault skew');
  const skewed = plan.faults.includes('skew');
  return new Map(
    ['switch', 'controller', ...backends].map((role) => {
      const drift = MOST_DRIFT * (2 * random.fraction() - 1);
      return [role, skewed ? drift : 0];
    }),
  );
}
