/**
 * Clients that bring a TCP of their own (lwIP; scapy by hand) and speak for an address that the client's kernel does not have. Both take the
 * same words and print the same: `ready` once they have loaded, then one line of JSON, and write what they received into a file.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { packageRoot } from '../package-root.js';
import { findPythonWithScapy, ScapyMissing } from '../scapy/bridge.js';
import { type HttpRequestSpec, type JobResult, WorldError } from '../world.js';
import { type ClientSurroundings, hostHeader } from './client-surroundings.js';
import { lwipClient } from './lwip/build.js';
import { readResponses } from './received.js';
import { lastLine, runProgram } from './run-program.js';
import { typedRequest } from './typed-request.js';

export type OwnStack = 'scapy' | 'lwip';

/** The client's interface in its namespace. */
const INTERFACE = 'link';

const Outcome = z.strictObject({
  ok: z.boolean(),
  error: z.string().optional(),
  closedBy: z.enum(['server-fin', 'server-rst', 'client']).optional(),
});

async function commandOf(stack: OwnStack): Promise<string[]> {
  if (stack === 'lwip') return [await lwipClient()];
  try {
    return [findPythonWithScapy(), join(packageRoot(), 'harness/clients/scapy_client.py')];
  } catch (error) {
    if (error instanceof ScapyMissing) throw new WorldError(error.message);
    throw error;
  }
}

/** All requests over one connection, each when the response to the one before is whole. Rejects (WorldError) when it cannot be run. */
export async function ownStack(
  stack: OwnStack,
  requests: readonly HttpRequestSpec[],
  at: ClientSurroundings,
  timeoutMs: number,
): Promise<JobResult> {
  const received = join(at.folder, 'received');
  const words = requests.map((request, i) => {
    const file = join(at.folder, `request${i}`);
    writeFileSync(file, typedRequest(request, hostHeader(at)));
    return `${request.method === 'HEAD' ? 'head' : 'body'}:${file}`;
  });
  const own = at.ownAddress();
  const command = [
    ...(await commandOf(stack)),
    ...[INTERFACE, own.ip, own.mac, own.gateway, at.host, String(at.port), received],
    ...words,
  ];
  const ran = await runProgram(at.enter(command), { home: at.folder, timeoutMs, signal: at.signal });
  const [ready, line = ''] = ran.stdout.split('\n');
  if (ready !== 'ready') throw new WorldError(`${stack} did not start: ${lastLine(ran.stderr) || 'it said nothing'}`);
  const bytes = existsSync(received) ? readFileSync(received) : new Uint8Array(0);
  const methods = requests.map((request) => request.method);
  const { responses, malformed } = readResponses(bytes, methods, !ran.timedOut);
  const failed = (error: string): JobResult => ({ ok: false, error, responses });
  if (ran.timedOut) return failed(`${stack} was not done after ${timeoutMs} ms`);
  if (line === '') throw new WorldError(`${stack} ended without a result: ${lastLine(ran.stderr)}`);
  const outcome = Outcome.parse(JSON.parse(line));
  if (!outcome.ok) return failed(outcome.error ?? 'no reason given');
  if (malformed !== undefined) return failed(malformed);
  if (responses.length < requests.length) return failed(`${responses.length} of ${requests.length} responses`);
  return { ok: true, responses, ...(outcome.closedBy === undefined ? {} : { closedBy: outcome.closedBy }) };
}
