/** When a world that nothing new happens in is given up while its clients wait. Pure: time and news are handed in. */
import type { ClientJob, WorldOptions } from './world.js';

/** Silence after which nothing more is expected, in ms of real time, of a target that declares no other. */
export const SILENCE_MS = 8_000;
/** The same in a world that was given up once already: whoever was silent so long is not waited for again. */
const SILENCE_AGAIN_MS = 2_500;
/** What a loss costs at most: a lost segment that is lost again and again comes at twice the distance each time. */
const LOSS_MS = 8_000;
/** Beyond a bound that a role was told, for what follows its end. */
const SLACK_MS = 5_000;
/** Most that one look at the world counts for, in ms: a machine that stood still in between was not silent. */
const MOST_A_LOOK_MS = 1_000;

const BOUND_MS = 60_000;

function pauses(job: ClientJob): number {
  if (job.kind !== 'script') return 0;
  return job.steps.reduce((sum, step) => sum + (step.do === 'pause' ? step.ms : 0), 0);
}

function delays(options: WorldOptions): number {
  const frames = options.faults.map((fault) => ('ms' in fault ? fault.ms : 0));
  const messages = (options.controlFaults ?? []).map((fault) => ('ms' in fault ? fault.ms : 0));
  return Math.max(0, ...frames, ...messages);
}

/**
 * How long these clients may wait in silence, in ms: what the target declares, and more where the case itself makes somebody wait: pauses,
 * delays, losses, a bound that a role was told, a role that falls silent. `again`: this world was given up before.
 */
export function patienceOf(jobs: readonly ClientJob[], options: WorldOptions, again = false): number {
  const { bounds, roleFaults = [], faults, serviceDelayMs = 0, silenceMs = SILENCE_MS } = options;
  const handoffMs = bounds?.handoffMs ?? (roleFaults.length > 0 ? BOUND_MS : 0);
  const told = Math.max(handoffMs, bounds?.idleMs ?? 0);
  const lossy = faults.some(({ kind }) => kind === 'lose' || kind === 'drop');
  const base = again ? Math.min(SILENCE_AGAIN_MS, silenceMs) : silenceMs;
  const own = Math.max(0, ...jobs.map(pauses)) + delays(options) + serviceDelayMs + (lossy ? LOSS_MS : 0);
  return Math.max(base, told === 0 ? 0 : told + SLACK_MS) + own;
}

/** Counts silence from looks at a world: how much news there has been so far, and whether anybody waits whose time is not counted by itself. */
export class SilenceClock {
  #news: number | undefined;
  #heard = false;
  #silentMs = 0;

  /**
   * One look, `elapsedMs` behind the one before: `news` counts what was new so far (it never falls). Answers the silence in ms; none is
   * counted before the first news (a client that is being started), and none while somebody `keepsTime` himself.
   */
  look(elapsedMs: number, news: number, keepsTime = false): number {
    const before = this.#news ?? news;
    this.#news = news;
    if (news > before) this.#heard = true;
    if (news > before || !this.#heard || keepsTime) this.#silentMs = 0;
    else this.#silentMs += Math.min(elapsedMs, MOST_A_LOOK_MS);
    return this.#silentMs;
  }
}

/** The reason of a signal that ends clients whose world was given up; they end as at the end of their time. */
export class GivenUp extends Error {
  override name = 'GivenUp';

  constructor(patienceMs: number) {
    super(
      `given up after ${patienceMs / 1000} s of silence: nothing new on any link and no new control message while clients waited`,
    );
  }
}
