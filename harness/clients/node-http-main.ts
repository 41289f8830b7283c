/** Fetches over one keep-alive connection with node:http: a job (JSON) on standard input, a JobResult (JSON) on standard output. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { Agent, type IncomingMessage, request } from 'node:http';
import type { Socket } from 'node:net';
import { buffer, text } from 'node:stream/consumers';
import type { HttpResponse, JobResult } from '../world.js';
import type { ProgramJob, ProgramRequest } from './http-programs.js';

const job = JSON.parse(await text(process.stdin)) as ProgramJob;
process.stdout.write('ready\n');
const agent = new Agent({ keepAlive: true, maxSockets: 1 });

let connection: Socket | undefined;

async function fetchOne(wanted: ProgramRequest): Promise<HttpResponse> {
  const body = wanted.bodyFile === undefined ? undefined : readFileSync(wanted.bodyFile);
  const headers: Record<string, string | number> = { ...wanted.headers };
  if (body) headers['Content-Length'] = body.length;
  if (wanted.expectContinue === true) headers.Expect = '100-continue';
  const outgoing = request({
    host: job.host,
    port: job.port,
    agent,
    method: wanted.method,
    path: wanted.path,
    headers,
  });
  outgoing.once('socket', (socket) => {
    connection ??= socket;
    if (connection !== socket) outgoing.destroy(new Error('the connection was not kept: a second one was made'));
  });
  const answered = new Promise<IncomingMessage>((resolve, reject) => {
    outgoing.once('response', resolve);
    outgoing.once('error', reject);
  });
  if (wanted.expectContinue === true) {
    outgoing.flushHeaders();
    outgoing.once('continue', () => outgoing.end(body));
  } else outgoing.end(body);
  const incoming = await answered;
  const content = await buffer(incoming);
  const etag = incoming.headers.etag?.replace(/^"|"$/g, '');
  return {
    status: incoming.statusCode ?? 0,
    bodySize: content.length,
    sha256: createHash('sha256').update(content).digest('hex'),
    ...(etag === undefined ? {} : { etag }),
  };
}

const responses: HttpResponse[] = [];
let result: JobResult;
try {
  for (const wanted of job.requests) responses.push(await fetchOne(wanted));
  result = { ok: true, responses, closedBy: 'client' };
} catch (error) {
  result = { ok: false, error: error instanceof Error ? error.message : String(error), responses };
}
agent.destroy();
process.stdout.write(JSON.stringify(result));
