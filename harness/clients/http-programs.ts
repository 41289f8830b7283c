/** Real HTTP programs (curl, wget, Python's http.client, Node's http) and others as clients: all requests of a job over one keep-alive connection. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { nodeCommand } from '../linux/processes.js';
import { generateBody } from '../objects.js';
import { packageRoot } from '../package-root.js';
import { type ClientProgram, type HttpRequestSpec, type HttpResponse, type JobResult, WorldError } from '../world.js';
import type { ClientSurroundings } from './client-surroundings.js';
import { readResponse } from './http-message.js';
import { netcat } from './netcat.js';
import { ownStack } from './own-stacks.js';
import { httpResponse } from './received.js';
import { lastLine, type Ran, runProgram } from './run-program.js';

export interface ProgramRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly bodyFile?: string;
  readonly expectContinue?: boolean;
}

/** What the Python and Node clients read. */
export interface ProgramJob {
  readonly host: string;
  readonly port: number;
  readonly timeoutMs: number;
  readonly requests: readonly ProgramRequest[];
}

function failed(error: string, responses: readonly HttpResponse[]): JobResult {
  return { ok: false, error, responses };
}

/** The last line a program complained with, or how it ended. */
function complaint(program: string, ran: Ran, timeoutMs: number): string {
  if (ran.timedOut) return `${program} was not done after ${timeoutMs} ms`;
  return `${program} exited with ${ran.code}: ${lastLine(ran.stderr)}`;
}

function writeBodies(requests: readonly HttpRequestSpec[], folder: string): ProgramRequest[] {
  return requests.map((request, i) => {
    const { method, path, headers = {}, expectContinue, body } = request;
    // A PUT or POST without a body still sends one, of length 0.
    const sent = body ?? (method === 'PUT' || method === 'POST' ? { size: 0, seed: 0 } : undefined);
    const bodyFile = sent && join(folder, `request${i}`);
    if (sent && bodyFile) writeFileSync(bodyFile, generateBody(sent));
    return {
      method,
      path,
      headers,
      ...(bodyFile ? { bodyFile } : {}),
      ...(expectContinue === undefined ? {} : { expectContinue }),
    };
  });
}

/** Headers that curl saved with -D: those of the final response. */
function savedEtag(file: string): string | undefined {
  if (!existsSync(file)) return undefined;
  const blocks = readFileSync(file, 'latin1')
    .trimEnd()
    .split(/\r?\n\r?\n/);
  return /^etag:\s*(\S+)/im.exec(blocks.at(-1) ?? '')?.[1];
}

/** curl's exit codes of a curl that is unfit: it failed to initialise, lacks a feature, has no memory, or does not know an option. */
const CURL_UNUSABLE: readonly number[] = [2, 4, 27, 48];
/** wget's exit code for a command line it does not know. */
const WGET_UNUSABLE: readonly number[] = [2];

/** An end that tells nothing about the server is the environment's failure. */
function mustHaveStarted(program: string, ran: Ran, unusable: readonly number[]): void {
  if (ran.code !== null && unusable.includes(ran.code))
    throw new WorldError(`${program} cannot be used here (exit code ${ran.code}): ${lastLine(ran.stderr)}`);
}

async function curl(
  requests: readonly ProgramRequest[],
  at: ClientSurroundings,
  timeoutMs: number,
): Promise<JobResult> {
  const seconds = String(timeoutMs / 1000);
  const command = ['curl'];
  for (const [i, request] of requests.entries()) {
    if (i > 0) command.push('--next');
    command.push('--http1.1', '--silent', '--show-error', '--max-time', seconds);
    command.push('--output', join(at.folder, `body${i}`), '--dump-header', join(at.folder, `header${i}`));
    command.push('--write-out', '%{http_code} %{num_connects} %{exitcode}\n');
    if (request.method === 'HEAD') command.push('--head');
    else if (request.method === 'PUT') command.push('--upload-file', request.bodyFile ?? '');
    else if (request.method === 'POST')
      command.push('--data-binary', `@${request.bodyFile}`, '--header', 'Content-Type: application/octet-stream');
    // Long enough that a 100 Continue that never comes shows as a time-out, not as a body sent anyway.
    if (request.expectContinue === true)
      command.push('--header', 'Expect: 100-continue', '--expect100-timeout', seconds);
    if (request.expectContinue === false) command.push('--header', 'Expect:');
    for (const [name, value] of Object.entries(request.headers)) command.push('--header', `${name}: ${value}`);
    command.push(`http://${at.host}:${at.port}${request.path}`);
  }
  const ran = await runProgram(at.enter(command), { home: at.folder, timeoutMs, signal: at.signal });
  mustHaveStarted('curl', ran, CURL_UNUSABLE);
  const responses: HttpResponse[] = [];
  for (const [i, line] of ran.stdout.trim().split('\n').entries()) {
    const [status, connects, exitCode] = line.split(' ').map(Number);
    if (!status || exitCode !== 0) break;
    if (i > 0 && connects !== 0) return failed(`request ${i + 1} needed a new connection`, responses);
    const body = join(at.folder, `body${i}`);
    const content = requests[i]?.method === 'HEAD' || !existsSync(body) ? new Uint8Array(0) : readFileSync(body);
    responses.push(httpResponse(status, content, savedEtag(join(at.folder, `header${i}`))));
  }
  if (ran.code !== 0 || responses.length < requests.length) return failed(complaint('curl', ran, timeoutMs), responses);
  return { ok: true, responses, closedBy: 'client' };
}

async function wget(
  requests: readonly ProgramRequest[],
  at: ClientSurroundings,
  timeoutMs: number,
): Promise<JobResult> {
  const [first] = requests;
  if (!first) return { ok: true, responses: [] };
  const form = (r: ProgramRequest) =>
    JSON.stringify([r.method, r.headers, r.expectContinue, r.bodyFile && readFileSync(r.bodyFile, 'latin1')]);
  if (requests.some((r) => form(r) !== form(first)))
    return failed('one run of wget has one method, body and set of headers', []);
  const saved = join(at.folder, 'saved');
  const command = [
    'wget',
    '--no-config',
    '--no-proxy',
    '--tries=1',
    `--timeout=${timeoutMs / 1000}`,
    '--progress=dot:giga',
  ];
  command.push('--server-response', '--content-on-error');
  if (first.method === 'HEAD') command.push('--spider');
  else {
    command.push('--save-headers', `--output-document=${saved}`);
    if (first.bodyFile) command.push(`--method=${first.method}`, `--body-file=${first.bodyFile}`);
  }
  if (first.expectContinue === true) command.push('--header=Expect: 100-continue');
  for (const [name, value] of Object.entries(first.headers)) command.push(`--header=${name}: ${value}`);
  const ran = await runProgram(
    at.enter([...command, ...requests.map((r) => `http://${at.host}:${at.port}${r.path}`)]),
    { home: at.folder, timeoutMs, signal: at.signal },
  );
  mustHaveStarted('wget', ran, WGET_UNUSABLE);
  const responses: HttpResponse[] = [];
  if (first.method === 'HEAD') {
    // Nothing is saved; --server-response prints each header, indented by two.
    for (const block of ran.stderr.split(/^ {2}HTTP\/1\.[01] /m).slice(1))
      responses.push(
        httpResponse(Number(block.slice(0, 3)), new Uint8Array(0), /^ {2}etag:\s*(\S+)/im.exec(block)?.[1]),
      );
  } else if (existsSync(saved)) {
    const bytes = readFileSync(saved);
    for (let at = 0; at < bytes.length; ) {
      const read = readResponse(bytes, at, false, true);
      if (read.kind !== 'whole') break;
      responses.push(httpResponse(read.message.status, read.message.body, read.message.headers.get('etag')));
      at = read.message.end;
    }
  }
  const connections = ran.stderr.match(/^Connecting to /gm)?.length ?? 0;
  if (connections > 1) return failed(`wget made ${connections} connections`, responses);
  // 8: the server answered with an error status, which is a whole response all the same.
  if ((ran.code !== 0 && ran.code !== 8) || responses.length < requests.length)
    return failed(complaint('wget', ran, timeoutMs), responses);
  return { ok: true, responses, closedBy: 'client' };
}

/** What our own client scripts print once they have loaded what they need: from then on a failure is the server's doing. */
const READY = 'ready\n';

async function jobReader(
  program: string,
  command: readonly string[],
  requests: readonly ProgramRequest[],
  at: ClientSurroundings,
  timeoutMs: number,
): Promise<JobResult> {
  const job: ProgramJob = { host: at.host, port: at.port, timeoutMs, requests };
  const ran = await runProgram(
    at.enter(command),
    { home: at.folder, timeoutMs, signal: at.signal },
    JSON.stringify(job),
  );
  if (!ran.stdout.startsWith(READY)) throw new WorldError(`${program} did not start: ${lastLine(ran.stderr)}`);
  const result = ran.stdout.slice(READY.length);
  if (ran.timedOut) return failed(complaint(program, ran, timeoutMs), []);
  if (result === '') throw new WorldError(complaint(program, ran, timeoutMs));
  return JSON.parse(result) as JobResult;
}

export interface HttpJob {
  readonly program: ClientProgram;
  readonly requests: readonly HttpRequestSpec[];
  readonly pipelined?: boolean;
}

/** Runs the program to its end, or kills it after `timeoutMs`. Rejects (WorldError) only when the program cannot be run. */
export async function runHttpProgram(job: HttpJob, at: ClientSurroundings, timeoutMs: number): Promise<JobResult> {
  const { program, requests, pipelined = false } = job;
  if (pipelined && program !== 'nc')
    return failed(`${program} sends no request before the response to the last one`, []);
  switch (program) {
    case 'curl':
      return curl(writeBodies(requests, at.folder), at, timeoutMs);
    case 'wget':
      return wget(writeBodies(requests, at.folder), at, timeoutMs);
    case 'python': {
      const script = join(packageRoot(), 'harness/clients/http_client.py');
      return jobReader('python3', ['python3', script], writeBodies(requests, at.folder), at, timeoutMs);
    }
    case 'node': {
      const command = nodeCommand('./node-http-main', import.meta.url);
      return jobReader('node', command, writeBodies(requests, at.folder), at, timeoutMs);
    }
    case 'nc':
      return netcat(requests, pipelined, at, timeoutMs);
    case 'scapy':
    case 'lwip':
      return ownStack(program, requests, at, timeoutMs);
  }
}
