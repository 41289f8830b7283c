/** A world that does not wait long for what a broken implementation will never do. */
import type { World, WorldFactory } from '../../harness/world.js';

/** Longest that a client on Linux waits, in ms of real time; virtual time costs nothing. */
const LINUX_JOB_MS = 8_000;
/** Longest that connections and rules may take to be gone, in ms of real time. */
const LINUX_SETTLE_MS = 1_500;

/** A run of the cases that mutants name takes some thousands. */
const SIM_EVENTS = 15_000;

/** The same world, with its patience cut short. */
export function impatient(create: WorldFactory): WorldFactory {
  return async (folder, options) => {
    const world = await create(folder, { ...options, eventLimit: SIM_EVENTS });
    return world.kind === 'linux' ? hurried(world) : world;
  };
}

function hurried(world: World): World {
  return {
    kind: world.kind,
    topology: world.topology,
    runClients: (jobs) =>
      world.runClients(
        jobs.map((job) => ({ ...job, timeoutMs: Math.min(job.timeoutMs ?? LINUX_JOB_MS, LINUX_JOB_MS) })),
      ),
    settle: (limitMs) => world.settle(Math.min(limitMs, LINUX_SETTLE_MS)),
    finish: () => world.finish(),
    destroy: () => world.destroy(),
  };
}
