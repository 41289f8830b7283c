/** Seeds spread over worker threads. What comes out depends on the seeds alone, not on how many threads there are. */
import { Worker } from 'node:worker_threads';
import { WorldError } from '../world.js';
import { addFigures, type Figures, noFigures } from './figures.js';
import type { Choice } from './plan.js';
import { addDigests, EMPTY_DIGEST, type SeedRange } from './seeds.js';
import type { Failing } from './shrink.js';
import type { WorkerAnswer } from './worker-main.js';

export interface PoolOptions {
  readonly seeds: SeedRange;
  readonly choice: Choice;
  /** 1 or more. */
  readonly workers: number;
  /** No seed is begun later than so many ms from now; null: no limit. */
  readonly timeLimitMs: number | null;
  readonly signal: AbortSignal;
  /** Called now and then. */
  readonly progress: (figures: Figures) => void;
}

export interface PoolResult {
  readonly figures: Figures;
  readonly digest: string;
  /** The lowest seed that failed. */
  readonly failing: Failing | null;
  /** The time was over before all seeds were run. */
  readonly cut: boolean;
}

/** Seeds that a worker takes at a time: some seconds of work at most, so that an end is never far. */
const PORTION = 10;
/** A portion that takes longer than this, in ms, is taken for a core that does not return. */
const HANG_MS = 120_000;
/** What was begun before the time limit may take so much longer, in ms. */
const GRACE_MS = 10_000;

/**
 * Runs all seeds, or up to the lowest that fails. No worker is left when it answers or throws.
 * @throws WorldError when the simulation itself is broken; the signal's reason when it was aborted.
 */
export async function simulateSeeds(options: PoolOptions): Promise<PoolResult> {
  const { seeds, choice, signal, progress, timeLimitMs } = options;
  const figures = noFigures();
  const begun = performance.now();
  const workers: Worker[] = [];
  const watches = new Map<Worker, NodeJS.Timeout>();
  let digest = EMPTY_DIGEST;
  let failing: Failing | null = null;
  let next = seeds.from;
  let cut = false;

  /** The next portion; undefined when there is nothing more to do. */
  const portion = (): SeedRange | undefined => {
    if (next > seeds.to || (failing !== null && next > failing.plan.seed)) return undefined;
    if (timeLimitMs !== null && performance.now() - begun >= timeLimitMs) {
      cut = true;
      return undefined;
    }
    const from = next;
    next = Math.min(seeds.to, from + PORTION - 1) + 1;
    return { from, to: next - 1 };
  };

  const work = (worker: Worker): Promise<void> =>
    new Promise((resolve, reject) => {
      const give = (): void => {
        const range = portion();
        if (range === undefined) {
          resolve();
          return;
        }
        const left = timeLimitMs === null ? HANG_MS : timeLimitMs - (performance.now() - begun) + GRACE_MS;
        const watch = setTimeout(
          () =>
            reject(
              new WorldError(
                `seeds ${range.from}..${range.to}: a core does not return; run them one by one with --seed`,
              ),
            ),
          Math.min(HANG_MS, left),
        );
        watches.set(worker, watch);
        worker.postMessage(range);
      };
      worker.on('message', (answer: WorkerAnswer) => {
        clearTimeout(watches.get(worker));
        if (!answer.ok) {
          reject(new WorldError(answer.message));
          return;
        }
        const { result } = answer;
        addFigures(figures, result.figures);
        digest = addDigests(digest, result.digest);
        if (result.failing !== null && (failing === null || result.failing.plan.seed < failing.plan.seed))
          failing = result.failing;
        progress(figures);
        give();
      });
      worker.on('error', (cause) => reject(new WorldError(`a worker ended: ${cause.message}`, { cause })));
      worker.on('exit', (code) => reject(new WorldError(`a worker ended with exit code ${code}`)));
      give();
    });

  signal.throwIfAborted();
  let stop: (() => void) | undefined;
  const aborted = new Promise<never>((_, reject) => {
    stop = () => reject(signal.reason);
    signal.addEventListener('abort', stop, { once: true });
  });
  // Whoever waits below hears of it; an abort behind the end is nobody's.
  aborted.catch(() => undefined);
  try {
    const portions = Math.ceil((seeds.to - seeds.from + 1) / PORTION);
    for (let i = 0; i < Math.min(options.workers, portions); i++) workers.push(startWorker(choice));
    await Promise.race([Promise.all(workers.map(work)), aborted]);
  } finally {
    if (stop !== undefined) signal.removeEventListener('abort', stop);
    for (const watch of watches.values()) clearTimeout(watch);
    for (const worker of workers) worker.removeAllListeners();
    await Promise.all(workers.map((worker) => worker.terminate()));
  }
  return { figures, digest, failing, cut };
}

/** From source the worker has to load TypeScript first. */
function startWorker(choice: Choice): Worker {
  const options = { workerData: choice, execArgv: [] };
  if (!import.meta.url.endsWith('.ts')) return new Worker(new URL('./worker-main.js', import.meta.url), options);
  const urls = [import.meta.resolve('tsx/esm/api'), new URL('./worker-main.ts', import.meta.url).href];
  const [tsx, main] = urls.map((url) => JSON.stringify(url));
  const code = `import(${tsx}).then(({ register }) => { register(); return import(${main}); });`;
  return new Worker(code, { ...options, eval: true });
}
