/** The words that the stories are told in: requests, client jobs and expectations, one line each. */
import { generateBody } from '../../harness/objects.js';
import {
  type BodySpec,
  type ClientJob,
  type ClientProgram,
  type HttpRequestSpec,
  type HttpResponse,
  type JobResult,
  type ScriptStep,
  WorldError,
} from '../../harness/world.js';
import type { CaseContext } from './case.js';
import { bodyDigest } from './context.js';

export const get = (path: string): HttpRequestSpec => ({ method: 'GET', path });
export const head = (path: string): HttpRequestSpec => ({ method: 'HEAD', path });
export const put = (path: string, body: BodySpec, expectContinue?: boolean): HttpRequestSpec =>
  expectContinue === undefined ? { method: 'PUT', path, body } : { method: 'PUT', path, body, expectContinue };

/** These requests over one keep-alive connection of that program. */
export const client = (program: ClientProgram, ...requests: HttpRequestSpec[]): ClientJob => ({
  kind: 'http',
  program,
  requests,
  timeoutMs: 30_000,
});

/** These steps on one connection. */
export const script = (...steps: readonly ScriptStep[]): ClientJob => ({ kind: 'script', steps, timeoutMs: 30_000 });

export const send = (text: string): ScriptStep => ({ do: 'send', text });
export const sendBody = (body: BodySpec): ScriptStep => ({ do: 'send', body });
export const response = (method?: HttpRequestSpec['method']): ScriptStep =>
  method === undefined ? { do: 'response' } : { do: 'response', method };
export const pause = (ms: number): ScriptStep => ({ do: 'pause', ms });
export const shutdown: ScriptStep = { do: 'shutdown' };
export const waitClose: ScriptStep = { do: 'wait-close' };
export const close: ScriptStep = { do: 'close' };
export const abort: ScriptStep = { do: 'abort' };

/**
 * Long enough, in ms, for an idle network to finish what it is doing (a hand-off, the window's reopening), so that the next write is a
 * segment of its own. A slower network makes the story less sharp, never wrong.
 */
export const QUIET_MS = 40;

/** The bytes of a request header as Latin-1 text; `fields` are header lines without their line ends. */
export function header(method: string, path: string, ...fields: readonly string[]): string {
  return [`${method} ${path} HTTP/1.1`, 'Host: p', ...fields, '', ''].join('\r\n');
}

/** A small body as Latin-1 text, for a write that mixes it with other bytes. */
export function bodyText(body: BodySpec): string {
  return Buffer.from(generateBody(body)).toString('latin1');
}

/** Header and whole payload of a write as one piece of text. */
export function putText(path: string, body: BodySpec, ...fields: readonly string[]): string {
  return header('PUT', path, `Content-Length: ${body.size}`, ...fields) + bodyText(body);
}

/** Header of a write of that many bytes. */
export function writeHeader({ size }: BodySpec, path = '/a/written'): string {
  return header('PUT', path, `Content-Length: ${size}`);
}

/** One GET after the other, each answered before the next is sent. */
export function gets(...paths: readonly string[]): ScriptStep[] {
  return paths.flatMap((path) => [send(header('GET', path)), response()]);
}

/** Runs the jobs side by side; a world that loses a result has failed, which is no verdict on anybody. */
export async function runAll(context: CaseContext, jobs: readonly ClientJob[]): Promise<readonly JobResult[]> {
  const results = await context.world.runClients(jobs);
  if (results.length !== jobs.length)
    throw new WorldError(`the world ran ${jobs.length} clients and returned ${results.length} results`);
  context.results.push(...results);
  return results;
}

/** Runs one job. */
export async function runOne(context: CaseContext, job: ClientJob): Promise<JobResult> {
  const [result] = await runAll(context, [job]);
  if (!result) throw new WorldError('the world returned no result');
  return result;
}

/** The client finished and its responses are exactly these objects, in order, each with status 200. */
export function expectObjects(context: CaseContext, result: JobResult, paths: readonly string[]): void {
  context.expectOk([result]);
  const got = result.responses.length;
  context.expect(got === paths.length, `expected ${paths.length} responses, got ${got}`, 'service');
  for (const [i, path] of paths.entries()) context.expectBody(result.responses[i], 200, path);
}

/** The request was not served: an answer of the 5xx class or a reset, whoever gave it. */
export function expectNotServed(context: CaseContext, result: JobResult): void {
  const status = result.responses[0]?.status;
  const refused = status !== undefined && status >= 500;
  const seen = status === undefined ? (result.closedBy ?? result.error ?? 'silence') : `status ${status}`;
  const reset = status === undefined && result.closedBy === 'server-rst';
  context.expect(refused || reset, `expected an answer of 500 or above or a reset, got ${seen}`);
}

/** The client heard a RST, and before it exactly so many whole responses. */
export function expectReset(context: CaseContext, result: JobResult, responses = 0): void {
  const seen = result.closedBy ?? result.error ?? 'nothing';
  context.expect(result.closedBy === 'server-rst', `expected the client to be reset, saw ${seen}`);
  const got = result.responses.length;
  context.expect(got === responses, `expected ${responses} whole responses before the reset, got ${got}`);
}

/** A write was answered 200 or 201 by somebody who stored exactly that body. */
export function expectStored(context: CaseContext, answer: HttpResponse | undefined, body: BodySpec): void {
  const status = answer?.status;
  context.expect(
    status === 200 || status === 201,
    `expected status 200 or 201 for the write, got ${status ?? 'no response'}`,
    'service',
  );
  const sha256 = bodyDigest(body);
  const stored = answer?.etag ?? '(no ETag)';
  const message = `expected the SHA-256 of the ${body.size} bytes written, ${sha256}, got ${stored}`;
  context.expect(stored === sha256, message, 'service');
}

/** A read gave back what was written. */
export function expectReadBack(context: CaseContext, answer: HttpResponse | undefined, body: BodySpec): void {
  const sha256 = bodyDigest(body);
  const got = answer ? `status ${answer.status}, ${answer.bodySize} bytes, SHA-256 ${answer.sha256}` : 'no response';
  context.expect(
    answer?.status === 200 && answer.bodySize === body.size && answer.sha256 === sha256,
    `expected to read back the ${body.size} bytes written, SHA-256 ${sha256}, got ${got}`,
    'service',
  );
}

/** On one connection these steps write that body, and a GET behind the answer reads it back. */
export async function expectWriteAndRead(
  context: CaseContext,
  write: readonly ScriptStep[],
  body: BodySpec,
  path = '/a/written',
): Promise<void> {
  const result = await runOne(context, script(...write, response('PUT'), send(header('GET', path)), response()));
  context.expectOk([result]);
  expectStored(context, result.responses[0], body);
  expectReadBack(context, result.responses[1], body);
}

/** The server ended the connection in an orderly way. */
export function expectServerClosed(context: CaseContext, result: JobResult): void {
  const seen = result.closedBy ?? 'nothing';
  context.expect(seen === 'server-fin', `expected the server to close with a FIN, saw ${seen}`, 'service');
}
