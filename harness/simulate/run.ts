/** Runs one plan, and tells how it ended. */
import type { Nanos } from '../sim/clock.js';
import type { Figures } from './figures.js';
import { type InvariantName, Violation } from './invariants.js';
import type { Plan } from './plan.js';
import type { Recorder } from './recorder.js';
import type { SimulatedRoles } from './roles.js';
import { SimulatedRun } from './world.js';

export interface Failure {
  readonly invariant: InvariantName;
  /** The client's `address:port`; null where it is about no connection. */
  readonly conn: string | null;
  readonly role: string;
  readonly message: string;
  /** Of the simulation. */
  readonly at: Nanos;
}

export interface RunResult {
  readonly figures: Figures;
  /** 16 hex digits over all that happened. */
  readonly digest: string;
  readonly failure: Failure | null;
}

/** @throws WorldError when the simulation itself is broken. */
export function runPlan(plan: Plan, roles: SimulatedRoles, recorder: Recorder | null = null): RunResult {
  const run = new SimulatedRun(plan, roles, recorder);
  let failure: Failure | null = null;
  try {
    run.run();
  } catch (error) {
    if (!(error instanceof Violation)) throw error;
    const { invariant, conn, role, message } = error;
    failure = { invariant, conn, role, message, at: run.now };
  }
  return { figures: run.figures, digest: run.digest.toString(), failure };
}
