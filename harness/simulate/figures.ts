/** What a simulation counts. */
import { type FaultCounts, noFaults } from './faults.js';
import { FAULT_KINDS } from './plan.js';

/** Of one run, or the sum over many. */
export interface Figures {
  runs: number;
  connections: number;
  handoffs: number;
  /** Whole responses that clients got. */
  responses: number;
  /** Connections that ended otherwise than by the client's or the response's own wish. */
  refused: number;
  reset: number;
  aborted: number;
  /** Clients that wait for ever, because every reset that told them of a lost backend was lost too. */
  untold: number;
  frames: number;
  controlMessages: number;
  /** Steps of role cores, each followed by the invariants. */
  steps: number;
  /** Of virtual time, in ms. */
  simulatedMs: number;
  faults: FaultCounts;
}

export function noFigures(): Figures {
  return {
    runs: 0,
    connections: 0,
    handoffs: 0,
    responses: 0,
    refused: 0,
    reset: 0,
    aborted: 0,
    untold: 0,
    frames: 0,
    controlMessages: 0,
    steps: 0,
    simulatedMs: 0,
    faults: noFaults(),
  };
}

const COUNTS = [
  'runs',
  'connections',
  'handoffs',
  'responses',
  'refused',
  'reset',
  'aborted',
  'untold',
  'frames',
  'controlMessages',
  'steps',
  'simulatedMs',
] as const;

/** Adds `more` to `sum`. */
export function addFigures(sum: Figures, more: Figures): void {
  for (const name of COUNTS) sum[name] += more[name];
  for (const kind of FAULT_KINDS) sum.faults[kind] += more.faults[kind];
}
