/** Load generators (wrk, ab): run to their end, and what they counted. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { type ClientJob, type JobResult, type LoadResult, WorldError } from '../world.js';
import type { ClientSurroundings } from './client-surroundings.js';
import { lastLine, type Ran, runProgram } from './run-program.js';

export type LoadJob = Extract<ClientJob, { kind: 'load' }>;

const MARK = 'prism-load ';
/** wrk calls it with its own counts at its end; its text for people rounds them. */
const WRK_REPORT = `done = function(summary)
  local e = summary.errors
  io.write(string.format('\\n${MARK}{"done":%d,"errors":%d,"non2xx":%d,"bytes":%d}\\n',
    summary.requests, e.connect + e.read + e.write + e.timeout, e.status, summary.bytes))
end
`;
const Counts = z.strictObject({ done: z.int(), errors: z.int(), non2xx: z.int(), bytes: z.int() });

/** What wrk's script wrote; undefined when it is not there. */
export function readWrk(stdout: string): LoadResult | undefined {
  const line = stdout.split('\n').find((text) => text.startsWith(MARK));
  return line === undefined ? undefined : Counts.parse(JSON.parse(line.slice(MARK.length)));
}

/** ab's report; undefined when it has none. */
export function readAb(stdout: string): LoadResult | undefined {
  const count = (name: string): number | undefined => {
    const digits = new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(stdout)?.[1];
    return digits === undefined ? undefined : Number(digits);
  };
  const done = count('Complete requests');
  const errors = count('Failed requests');
  const bytes = count('Total transferred');
  if (done === undefined || errors === undefined || bytes === undefined) return undefined;
  return { done, errors, non2xx: count('Non-2xx responses') ?? 0, bytes };
}

function commandOf(job: LoadJob, at: ClientSurroundings, timeoutMs: number): string[] {
  const url = `http://${at.host}:${at.port}${job.path}`;
  const connections = String(job.connections);
  const seconds = Math.max(1, Math.ceil(timeoutMs / 1000));
  if (job.program === 'ab') {
    // -k: keep-alive; -r: count what fails and go on; -q: no progress.
    return ['ab', '-q', '-k', '-r', '-s', String(seconds), '-c', connections, '-n', String(job.requests), url];
  }
  const script = join(at.folder, 'report.lua');
  writeFileSync(script, WRK_REPORT);
  const duration = `${Math.max(1, Math.round(job.durationMs / 1000))}s`;
  return ['wrk', '-t', '1', '-c', connections, '-d', duration, '--timeout', `${seconds}s`, '-s', script, url];
}

function failure(job: LoadJob, ran: Ran, load: LoadResult | undefined, timeoutMs: number): string | undefined {
  if (ran.timedOut) return `${job.program} was not done after ${timeoutMs} ms`;
  if (ran.code !== 0 || load === undefined) return `${job.program} exited with ${ran.code}: ${lastLine(ran.stderr)}`;
  if (load.errors > 0) return `${job.program} counted ${load.errors} errors beside ${load.done} whole responses`;
  if (load.done === 0) return `${job.program} got no response`;
  if (job.program === 'ab' && load.done < job.requests)
    return `${load.done} of ${job.requests} requests of ab were answered`;
  return undefined;
}

/** Runs the program to its end, or kills it after `timeoutMs`. Rejects (WorldError) only when the program cannot be run. */
export async function runLoadProgram(job: LoadJob, at: ClientSurroundings, timeoutMs: number): Promise<JobResult> {
  const ran = await runProgram(at.enter(commandOf(job, at, timeoutMs)), {
    home: at.folder,
    timeoutMs,
    signal: at.signal,
  });
  const load = job.program === 'ab' ? readAb(ran.stdout) : readWrk(ran.stdout);
  // Both end with 1 for bad usage, before they connect; that they say it on what they connect to is for them to word.
  if (!ran.timedOut && load === undefined && /usage:|invalid|cannot open|not understood/i.test(ran.stderr + ran.stdout))
    throw new WorldError(`${job.program} cannot be run: ${lastLine(ran.stderr || ran.stdout)}`);
  const error = failure(job, ran, load, timeoutMs);
  const counted = load === undefined ? {} : { load };
  return error === undefined
    ? { ok: true, responses: [], ...counted, closedBy: 'client' }
    : { ok: false, error, responses: [], ...counted };
}
