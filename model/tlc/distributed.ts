/** The same run by TLC's own distributed mode: one server and several workers, here all on this machine. */
import { mkdtempSync, readdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { propertiesIn } from './configuration.js';
import { explainFinding } from './distributed-finding.js';
import { type GuardedCommand, type GuardedEnd, runGuarded } from './guarded-process.js';
import type { TlcMessage } from './messages.js';
import { factsOf, type TlcOutcome } from './outcome.js';
import { TlcOutput } from './output.js';
import { Recorder } from './recorder.js';
import type { TlcRequest, TlcRunOptions } from './request.js';
import { checkRequest } from './run.js';
import { createWorkFolder, type WorkFolder } from './work-folder.js';

/** `workers` processes of one thread each. */
export type DistributedRequest = Omit<TlcRequest, 'coverage' | 'dump' | 'simulate'>;

const SERVER = 'tlc2.tool.distributed.TLCServer';
const WORKER = 'tlc2.tool.distributed.TLCWorker';

/**
 * Checks invariants and deadlock with a server and `workers` worker processes over RMI; `heapMegabytes` is the limit of each of the
 * processes. What differs from `runTlc`, in TLC 2.18:
 * - Temporal and action properties are silently not checked or not told apart, so a configuration with PROPERTY throws a TypeError.
 * - An error is found, but neither named nor traced: the server prints the last two states at most. A second, tiny run of `runTlc` from
 *   the first of them names it, so its trace begins there (index 1), not in an initial state.
 * - `generated` leaves the initial states out; `prints` and `coverage` are empty; TLCSet and TLCGet are not supported.
 * - A worker that comes when a small model is already done makes the server fail; the run is then repeated with one worker.
 *
 * Several machines do it so: on the first, `java -Djava.rmi.server.hostname=ITS_ADDRESS -cp JAR tlc2.tool.distributed.TLCServer -config
 * M.cfg M.tla`; on each other, `java -Djava.rmi.server.hostname=ITS_ADDRESS -cp JAR tlc2.tool.distributed.TLCWorker SERVER_ADDRESS`, which
 * fetches the modules from the server and uses all its cores (`-Dtlc2.tool.distributed.TLCWorker.threadCount=N`). Workers may come and go
 * while it runs. The set of fingerprints can be spread too: `-Dtlc2.tool.distributed.TLCServer.expectedFPSetCount=N` at the server, which
 * then waits for N of `tlc2.tool.distributed.fp.TLCWorkerAndFPSet SERVER_ADDRESS` (a worker and a share of the set in one). The server's port is
 * 10997 (`-Dtlc2.tool.distributed.TLCServer.port=N`, the same at the workers), the other ports are random. RMI listens on every address and
 * takes objects from whoever connects: only in a network that is trusted.
 *
 * Nothing is left behind, as with `runTlc`. Throws as that does.
 */
export async function runDistributedTlc(request: DistributedRequest, options: TlcRunOptions = {}): Promise<TlcOutcome> {
  checkRequest(request);
  if (propertiesIn(request.cfg).length > 0)
    throw new TypeError("PROPERTY in the configuration: TLC's distributed mode checks invariants only");
  const started = performance.now();
  const first = await runOnce(request, options);
  if (!first.workerCameLate || request.workers === 1) return first.outcome;
  const timeoutMs = Math.round(request.timeoutMs - (performance.now() - started));
  if (timeoutMs < 1) return first.outcome;
  return (await runOnce({ ...request, timeoutMs, workers: 1 }, options)).outcome;
}

async function runOnce(
  request: DistributedRequest,
  options: TlcRunOptions,
): Promise<{ outcome: TlcOutcome; workerCameLate: boolean }> {
  const work = createWorkFolder(request);
  try {
    const started = performance.now();
    const { recorder, server } = await serve(request, work, await freePort(), options);
    const run = { ...server, durationMs: Math.round(performance.now() - started), timeoutMs: request.timeoutMs };
    const outcome = recorder.outcome(run);
    const found = recorder.stateTexts;
    if (
      (outcome.kind === 'internal' || outcome.kind === 'evaluation-error') &&
      found.length > 0 &&
      server.end.kind === 'exited'
    ) {
      const files = readdirSync(work.path).filter((name) => name.endsWith('.tla'));
      const texts = Object.fromEntries(files.map((name) => [name, readFileSync(join(work.path, name), 'utf8')]));
      const finding = await explainFinding({ ...request, modules: { texts } }, found, options);
      return { outcome: { ...factsOf(outcome), ...finding }, workerCameLate: false };
    }
    const workerCameLate =
      outcome.kind === 'internal' && /"this\.states" is null|NullPointerException/.test(outcome.message);
    return { outcome, workerCameLate };
  } finally {
    work.finish();
  }
}

async function serve(
  request: DistributedRequest,
  work: WorkFolder,
  port: number,
  options: TlcRunOptions,
): Promise<{ recorder: Recorder; server: GuardedEnd }> {
  const { java, jar, root, workers, deadlock, timeoutMs } = request;
  const recorder = new Recorder([], true);
  const finished = new AbortController();
  const deserted = new AbortController();
  // The server would wait for others for ever, so it is ended unless it ends by itself.
  const desert = (): void => void setTimeout(() => deserted.abort(), FAREWELL_MS).unref();
  const jvm = [...work.jvm, '-Djava.rmi.server.hostname=127.0.0.1', `-D${SERVER}.port=${port}`];
  const common = { folder: work.path, environment: process.env, timeoutMs };
  let attendance: Promise<WorkerEnd[]> = Promise.resolve([]);
  const startWorker = (index: number): Promise<WorkerEnd> => {
    // Workers name their copies of the modules by the millisecond.
    const temporary = mkdtempSync(join(work.path, `worker-${index}-`));
    const own = [`-Djava.io.tmpdir=${temporary}`, `-D${WORKER}.threadCount=1`];
    const command: [string, ...string[]] = [java, ...jvm, ...own, '-cp', jar, WORKER, '127.0.0.1'];
    return runWorker({ ...common, command, scratch: undefined, signal: finished.signal });
  };
  const startWorkers = (): void => {
    attendance = Promise.all(Array.from({ length: workers }, (_, index) => startWorker(index)));
    void attendance.then(desert);
  };
  let present = 0;
  const take = (messages: readonly TlcMessage[]): void => {
    for (const message of messages) {
      recorder.add(message);
      if (message.kind === 'progress') options.onProgress?.(message.progress);
      if (message.kind === 'server-ready') startWorkers();
      if (message.kind !== 'worker') continue;
      present += message.came ? 1 : -1;
      // Their processes may well live on, though what they answered could not be read.
      if (present === 0) desert();
    }
  };
  const output = new TlcOutput(root);
  const server = await runGuarded({
    ...common,
    command: [
      java,
      ...jvm,
      ...['-cp', jar, SERVER, '-tool', '-metadir', work.states, '-config', `${root}.cfg`],
      ...(deadlock ? [] : ['-deadlock']),
      `${root}.tla`,
    ],
    scratch: work.path,
    signal: AbortSignal.any([deserted.signal, ...(options.signal ? [options.signal] : [])]),
    onOutput: (text) => take(output.push(text)),
  });
  take(output.end());
  finished.abort();
  const ends = await attendance;
  if (server.end.kind !== 'interrupted' || options.signal?.aborted) return { recorder, server };
  const said = ends.map(({ output: last, complaint }) => `${last}\n${complaint}`.trim());
  const complaint = [...said, 'the server lost all its workers'].join('\n');
  return { recorder, server: { end: { kind: 'exited', code: 1 }, complaint } };
}

type WorkerEnd = GuardedEnd & { readonly output: string };

/** `output`: the last 4 KiB of it. */
async function runWorker(worker: Omit<GuardedCommand, 'onOutput'>): Promise<WorkerEnd> {
  let output = '';
  const onOutput = (text: string): void => {
    output = (output + text).slice(-4096);
  };
  const end = await runGuarded({ ...worker, onOutput });
  return { ...end, output };
}

/** How long the server may take to end after its last worker, milliseconds. */
const FAREWELL_MS = 3000;

/** A port of the loopback that is free now. */
function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const listener = createServer().once('error', reject);
    listener.listen(0, '127.0.0.1', () => {
      const address = listener.address();
      listener.close(() => resolve(typeof address === 'object' && address ? address.port : 0));
    });
  });
}
