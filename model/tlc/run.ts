/** One run of TLC in a JVM of its own, to a typed outcome. */
import { appendFileSync } from 'node:fs';
import { isAbsolute, join } from 'node:path';
import { propertiesIn } from './configuration.js';
import { runGuarded } from './guarded-process.js';
import type { TlcMessage } from './messages.js';
import type { TlcOutcome } from './outcome.js';
import { TlcOutput } from './output.js';
import { Recorder } from './recorder.js';
import type { TlcRequest, TlcRunOptions } from './request.js';
import { createWorkFolder, type WorkFolder } from './work-folder.js';

/** What a timer can hold. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** Where a kept folder has what TLC printed. */
const OUTPUT_FILE = 'tlc-output.txt';

/**
 * Runs TLC to its end, however it ends: the outcome says which. No process and no folder is left (but `keepFolder`), also when this process is
 * killed meanwhile. Throws a TypeError or RangeError for a request that is none, the system's error when the work folder cannot be made, and
 * what `onProgress` throws.
 */
export async function runTlc(request: TlcRequest, options: TlcRunOptions = {}): Promise<TlcOutcome> {
  checkRequest(request);
  const work = createWorkFolder(request);
  try {
    const command: [string, ...string[]] = [
      request.java,
      ...work.jvm,
      '-cp',
      request.jar,
      'tlc2.TLC',
      ...tlcArguments(request, work),
    ];
    const output = new TlcOutput(request.root);
    const recorder = new Recorder(propertiesIn(request.cfg), request.simulate === undefined);
    const take = (messages: readonly TlcMessage[]): void => {
      for (const message of messages) {
        recorder.add(message);
        if (message.kind === 'progress') options.onProgress?.(message.progress);
      }
    };
    const started = performance.now();
    const { end, complaint } = await runGuarded({
      command,
      folder: work.path,
      environment: process.env,
      scratch: work.path,
      timeoutMs: request.timeoutMs,
      signal: options.signal,
      onOutput: (text) => {
        if (request.keepFolder !== undefined) appendFileSync(join(work.path, OUTPUT_FILE), text);
        take(output.push(text));
      },
    });
    take(output.end());
    const durationMs = Math.round(performance.now() - started);
    return recorder.outcome({ end, complaint, durationMs, timeoutMs: request.timeoutMs });
  } finally {
    work.finish();
  }
}

/** Throws a TypeError or RangeError. */
export function checkRequest(request: Omit<TlcRequest, 'coverage'>): void {
  const { jar, java, dump, workers, heapMegabytes, timeoutMs, simulate } = request;
  for (const path of [jar, java, ...(dump ? [dump.dot] : [])])
    if (!isAbsolute(path)) throw new TypeError(`${path} is not an absolute path`);
  const numbers = {
    workers,
    heapMegabytes,
    timeoutMs,
    ...(simulate ? { traces: simulate.traces, depth: simulate.depth } : {}),
  };
  for (const [name, value] of Object.entries(numbers))
    if (!Number.isSafeInteger(value) || value < 1) throw new RangeError(`${name}: ${value} is not a positive integer`);
  if (timeoutMs > LONGEST_TIMER_MS) throw new RangeError(`timeoutMs: ${timeoutMs} is more than 24 days`);
}

/** Only what both 2.18 and later know: `-noGenerateSpecTE` is an error to 2.18, which generates no trace module unless asked. */
function tlcArguments(request: TlcRequest, work: WorkFolder): string[] {
  const { root, workers, deadlock, coverage, dump, simulate } = request;
  return [
    '-tool',
    ...['-metadir', work.states, '-config', `${root}.cfg`, '-workers', String(workers)],
    // TLC picks its fingerprint function by chance, and with it the lasso that it finds: always the same, so that a run can be repeated.
    ...['-fp', '0'],
    // The option switches the check off.
    ...(deadlock ? [] : ['-deadlock']),
    ...(coverage ? ['-coverage', '1'] : []),
    ...(dump ? ['-dump', 'dot,actionlabels', dump.dot] : []),
    ...(simulate
      ? ['-simulate', `num=${simulate.traces}`, '-depth', String(simulate.depth), '-seed', String(simulate.seed)]
      : []),
    `${root}.tla`,
  ];
}
