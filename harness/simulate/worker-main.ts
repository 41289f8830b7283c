/** The worker thread of a simulation: takes ranges of seeds, answers what came of each. */
import { parentPort, workerData } from 'node:worker_threads';
import type { Choice } from './plan.js';
import { referenceCores } from './roles.js';
import { runSeeds, type SeedRange, type SeedsResult } from './seeds.js';

export type WorkerAnswer =
  | { readonly ok: true; readonly range: SeedRange; readonly result: SeedsResult }
  /** The simulation itself is broken. */
  | { readonly ok: false; readonly message: string };

const choice: Choice = workerData;

parentPort?.on('message', (range: SeedRange) => {
  let answer: WorkerAnswer;
  try {
    answer = { ok: true, range, result: runSeeds(range, choice, referenceCores) };
  } catch (error) {
    answer = { ok: false, message: error instanceof Error ? error.message : String(error) };
  }
  parentPort?.postMessage(answer);
});
