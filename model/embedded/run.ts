/** One run of the embedded checker (tla-checker, which needs no Java) in a thread of its own, to a typed outcome. */
import { Worker } from 'node:worker_threads';
import { endOf } from './answer.js';
import type { CheckerLaunch, CheckerReport } from './checker-main.js';
import { readConfiguration } from './configuration.js';
import { joinModules } from './join.js';
import { checkLimits } from './limits.js';
import type { EmbeddedEnd, EmbeddedOutcome } from './outcome.js';
import { RefusedError } from './refusal.js';
import { type CheckerInput, checkerInput } from './source.js';

export interface EmbeddedRequest {
  /** Texts of the modules by file name (`Handoff.tla`); those that the root does not extend are not looked at. */
  readonly modules: Readonly<Record<string, string>>;
  /** Name of the root module, without `.tla`. */
  readonly root: string;
  /** Text of the configuration file. */
  readonly cfg: string;
  /** It keeps all of them in memory. */
  readonly maxStates: number;
  /** Milliseconds, below 2^31. */
  readonly timeoutMs: number;
}

export interface EmbeddedRunOptions {
  readonly signal?: AbortSignal;
}

/** Deep recursion of the checker, in megabytes; Node's own 4 end at some hundred levels of a recursive operator. */
const STACK_MEGABYTES = 64;

/** Runs the checker to its end, however it ends: the outcome says which. Throws a RangeError for a limit that is none. */
export async function runEmbedded(
  request: EmbeddedRequest,
  options: EmbeddedRunOptions = {},
): Promise<EmbeddedOutcome> {
  const { maxStates, timeoutMs } = request;
  for (const [name, value] of Object.entries({ maxStates, timeoutMs }))
    if (!Number.isInteger(value) || value < 1 || value >= 2 ** 31)
      throw new RangeError(`${name}: ${value} is not between 1 and 2^31 - 1`);
  const started = performance.now();
  const end = await run(request, options.signal);
  return { durationMs: Math.round(performance.now() - started), ...end };
}

async function run(request: EmbeddedRequest, signal: AbortSignal | undefined): Promise<EmbeddedEnd> {
  let input: CheckerInput;
  try {
    const configuration = readConfiguration(request.cfg, request.root);
    const modules = joinModules(request.modules, request.root);
    checkLimits(modules, configuration);
    input = checkerInput(modules, configuration);
  } catch (error) {
    if (error instanceof RefusedError) return error.refusal;
    throw error;
  }
  if (signal?.aborted) return { kind: 'interrupted' };
  return supervise(input, request, signal);
}

/** The checker is synchronous: only the end of its thread stops it. */
async function supervise(
  input: CheckerInput,
  { maxStates, timeoutMs }: EmbeddedRequest,
  signal: AbortSignal | undefined,
): Promise<EmbeddedEnd> {
  const { source, cfg, properties } = input;
  const worker = startWorker({ source, cfg, properties, maxStates });
  let timer: NodeJS.Timeout | undefined;
  let abort: (() => void) | undefined;
  try {
    return await new Promise<EmbeddedEnd>((resolve) => {
      let late: EmbeddedEnd = { kind: 'time-out', timeoutMs };
      worker.on('message', ({ answer, property, final }: CheckerReport) => {
        const end = endOf(answer, input, maxStates, property);
        if (final) resolve(end);
        else late = end;
      });
      worker.on('error', (error) => resolve({ kind: 'internal', message: String(error) }));
      worker.on('exit', (code) =>
        resolve({ kind: 'internal', message: `the checker's thread ended with code ${code}` }),
      );
      timer = setTimeout(() => resolve(late), timeoutMs);
      abort = () => resolve({ kind: 'interrupted' });
      signal?.addEventListener('abort', abort);
    });
  } finally {
    clearTimeout(timer);
    if (abort) signal?.removeEventListener('abort', abort);
    await worker.terminate();
  }
}

/** Our own module, from `dist/` as from the TypeScript sources, for which the thread has to load tsx itself: it inherits no loader. */
function startWorker(launch: CheckerLaunch): Worker {
  const options = { workerData: launch, execArgv: [], resourceLimits: { stackSizeMb: STACK_MEGABYTES } };
  if (!import.meta.url.endsWith('.ts')) return new Worker(new URL('./checker-main.js', import.meta.url), options);
  const urls = [import.meta.resolve('tsx/esm/api'), new URL('./checker-main.ts', import.meta.url).href];
  const [tsx, main] = urls.map((url) => JSON.stringify(url));
  const code = `import(${tsx}).then(({ register }) => { register(); return import(${main}); })`;
  return new Worker(code, { ...options, eval: true });
}
