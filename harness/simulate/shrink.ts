/** From a run that fails to a smaller one that fails alike: fewer connections, fewer kinds of fault, fewer requests, faults for a shorter time. */
import { MILLISECOND } from '../sim/clock.js';
import type { Plan } from './plan.js';
import type { SimulatedRoles } from './roles.js';
import { type Failure, runPlan } from './run.js';
import { storiesOf } from './workload.js';

export interface Failing {
  readonly plan: Plan;
  readonly failure: Failure;
}

export interface ShrinkLimits {
  /** In ms of real time. */
  readonly timeMs: number;
  readonly signal?: AbortSignal;
}

/** The smallest run found that violates the same invariant; the given one where none is smaller. */
export async function shrink(failing: Failing, roles: SimulatedRoles, limits: ShrinkLimits): Promise<Failing> {
  const until = performance.now() + limits.timeMs;
  let best = failing;
  for (let improved = true; improved; ) {
    improved = false;
    for (const plan of smaller(best)) {
      if (performance.now() >= until || limits.signal?.aborted === true) return best;
      // An interrupt has to be heard between two runs.
      await new Promise((resolve) => setImmediate(resolve));
      const { failure } = runPlan(plan, roles);
      if (failure?.invariant !== failing.failure.invariant) continue;
      best = { plan, failure };
      improved = true;
      break;
    }
  }
  return best;
}

/** Each simpler in one respect, the boldest first. */
function* smaller({ plan, failure }: Failing): Generator<Plan, void, void> {
  const present = storiesOf(plan).map(({ index }) => index);
  for (const only of present.length > 2 ? present : [])
    yield { ...plan, skip: indices(plan).filter((index) => index !== only) };
  if (plan.faults.length > 0) yield { ...plan, faults: [] };
  for (const index of present.length > 1 ? present : [])
    yield { ...plan, skip: [...plan.skip, index].sort((a, b) => a - b) };
  for (const kind of plan.faults) yield { ...plan, faults: plan.faults.filter((other) => other !== kind) };
  const longest = Math.max(...storiesOf(plan).map(({ requests }) => requests.length), 1);
  const most = Math.min(longest, plan.requests ?? longest);
  for (const requests of [1, Math.floor(most / 2), most - 1])
    if (requests >= 1 && requests < most) yield { ...plan, requests };
  const failedMs = Math.ceil(failure.at / MILLISECOND);
  for (const faultMs of [Math.floor(failedMs / 2), failedMs])
    if (plan.faults.length > 0 && (plan.faultMs === null || faultMs < plan.faultMs)) yield { ...plan, faultMs };
}

function indices(plan: Plan): number[] {
  return Array.from({ length: plan.connections }, (_, index) => index);
}
