/** netcat as a client: requests typed into it, responses read from it. */
import type { HttpRequestSpec, JobResult } from '../world.js';
import { type ClientSurroundings, hostHeader } from './client-surroundings.js';
import { readResponses } from './received.js';
import { lastLine, startProgram } from './run-program.js';
import { typedRequest } from './typed-request.js';

/** `pipelined`: all requests in one write. Closes its side when it has every response (`-N`), and is done when the server closes too. */
export async function netcat(
  requests: readonly HttpRequestSpec[],
  pipelined: boolean,
  at: ClientSurroundings,
  timeoutMs: number,
): Promise<JobResult> {
  const command = at.enter(['nc', '-N', '-n', at.host, String(at.port)]);
  const { child, ended } = startProgram(command, { home: at.folder, timeoutMs, signal: at.signal });
  const methods = requests.map((request) => request.method);
  const typed = requests.map((request) => typedRequest(request, hostHeader(at)));
  const pieces: Buffer[] = [];
  let next = 0;
  const type = (): void => {
    if (next >= typed.length) child.stdin.end();
    else if (pipelined) {
      child.stdin.write(Buffer.concat(typed));
      next = typed.length;
    } else child.stdin.write(typed[next++] ?? '');
  };
  let answered = 0;
  child.stdout.on('data', (piece: Buffer) => {
    pieces.push(piece);
    // Reading all of it anew is cheap beside what a piece costs the network, but for large bodies: those come in pieces of 16 KiB.
    const received = readResponses(Buffer.concat(pieces), methods, false);
    const whole = received.malformed === undefined ? received.responses.length : requests.length;
    if (whole > answered && (!pipelined || whole === requests.length)) type();
    answered = whole;
  });
  type();
  const ran = await ended;
  const { responses, malformed } = readResponses(Buffer.concat(pieces), methods, true);
  const failed = (error: string): JobResult => ({ ok: false, error, responses });
  if (malformed !== undefined) return failed(malformed);
  if (ran.timedOut) return failed(`nc was not done after ${timeoutMs} ms`);
  if (responses.length < requests.length)
    return failed(`nc exited with ${ran.code} after ${responses.length} responses: ${lastLine(ran.stderr)}`);
  return { ok: true, responses, closedBy: 'client' };
}
