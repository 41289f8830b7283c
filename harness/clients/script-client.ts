/** Plays a script over one plain TCP connection of this process, byte for byte as written. */
import { createHash } from 'node:crypto';
import { connect } from 'node:net';
import { generateBody } from '../objects.js';
import type { HttpResponse, JobResult, ScriptStep } from '../world.js';
import { readResponse } from './http-message.js';

/** Connects, plays the steps in order and tells how it went. Never rejects; the caller bounds the time. */
export async function playScript(
  address: string,
  port: number,
  steps: readonly ScriptStep[],
  localAddress?: string,
): Promise<JobResult> {
  const from = localAddress === undefined ? {} : { localAddress };
  const socket = connect({ host: address, port, ...from, allowHalfOpen: true, noDelay: true });
  const responses: HttpResponse[] = [];
  let received = new Uint8Array(0);
  const pieces: Buffer[] = [];
  let consumed = 0;
  let closedBy: 'server-fin' | 'server-rst' | 'client' | undefined;
  let problem: string | undefined;
  let changed = () => {};
  socket.on('data', (piece: Buffer) => {
    pieces.push(piece);
    changed();
  });
  socket.on('end', () => {
    closedBy ??= 'server-fin';
    changed();
  });
  socket.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'ECONNRESET' || error.code === 'EPIPE') closedBy ??= 'server-rst';
    else problem ??= error.message;
    changed();
  });
  const change = () => new Promise<void>((resolve) => (changed = resolve));
  const over = () => closedBy !== undefined || problem !== undefined;

  const respond = async (toHead: boolean): Promise<void> => {
    for (;;) {
      if (pieces.length > 0) received = Buffer.concat([received, ...pieces.splice(0)]);
      const read = readResponse(received, consumed, toHead, over());
      if (read.kind === 'malformed') throw new Error(read.reason);
      if (read.kind === 'whole') {
        const { status, headers, body, end } = read.message;
        consumed = end;
        const etag = headers.get('etag')?.replace(/^"|"$/g, '');
        responses.push({
          status,
          bodySize: body.length,
          sha256: createHash('sha256').update(body).digest('hex'),
          ...(etag === undefined ? {} : { etag }),
        });
        return;
      }
      if (over()) throw new Error(problem ?? `the connection ended (${closedBy}) within a response`);
      await change();
    }
  };

  const step = async (next: ScriptStep): Promise<void> => {
    switch (next.do) {
      case 'send': {
        const bytes = next.body ? generateBody(next.body) : Buffer.from(next.text ?? '', 'latin1');
        if (!over()) socket.write(bytes);
        return;
      }
      case 'response':
        return respond(next.method === 'HEAD');
      case 'pause':
        await new Promise((resolve) => setTimeout(resolve, next.ms));
        return;
      case 'shutdown':
        socket.end();
        return;
      case 'wait-close':
        while (!over()) await change();
        return;
      case 'close':
        closedBy ??= 'client';
        socket.end();
        return;
      case 'abort':
        closedBy ??= 'client';
        // Everything written before is sent first.
        while (socket.writableLength > 0 && !socket.destroyed) await new Promise((resolve) => setTimeout(resolve, 1));
        socket.resetAndDestroy();
        return;
    }
  };

  try {
    await new Promise<void>((resolve, reject) => {
      socket.once('connect', resolve);
      socket.once('error', reject);
    });
    for (const next of steps) await step(next);
    if (problem !== undefined) throw new Error(problem);
    if (!socket.destroyed && !socket.writableEnded) {
      closedBy ??= 'client';
      socket.end();
    }
    return { ok: true, responses, ...(closedBy ? { closedBy } : {}) };
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    return { ok: false, error: message, responses, ...(closedBy ? { closedBy } : {}) };
  } finally {
    // Lets a close that is under way finish with FIN; a reader that is gone would make the kernel answer RST.
    socket.resume();
    if (!socket.destroyed && !socket.writableEnded) socket.end();
    setTimeout(() => socket.destroy(), 1000).unref();
  }
}
