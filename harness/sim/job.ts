/** A client job in virtual time: a program, written as a generator, plays over one simulated connection. */
import { createHash } from 'node:crypto';
import { readResponse } from '../clients/http-message.js';
import type { ClientStart, HttpRequestSpec, HttpResponse, JobResult } from '../world.js';
import { type ClientProfile, type Connection, LINUX_CLIENT, type Remote, type SimClient } from './client.js';
import { MILLISECOND, type Nanos } from './clock.js';

/** A program waits by yielding; it is resumed whenever the connection changed, and at `until` if that is not null. */
export interface Wait {
  /** What it waits for, in words, for the report of a time-out. */
  readonly what: string;
  readonly until: Nanos | null;
}

export type Program = (session: Session) => Generator<Wait, void, void>;

/** What a program throws when the other side does not do its part; the job ends with the message. */
export class JobFailure extends Error {
  override name = 'JobFailure';
}

/** What a program has: its connection, and what it has made of the bytes so far. */
export class Session {
  readonly responses: HttpResponse[] = [];
  /** Bytes received so far. */
  get received(): number {
    return this.#length;
  }
  closedBy: JobResult['closedBy'];
  #received = new Uint8Array(4096);
  #length = 0;
  #consumed = 0;

  constructor(
    readonly connection: Connection,
    readonly now: () => Nanos,
  ) {}

  /** Takes what arrived, so that no byte counts as unread, and notes how the other side ended. */
  pump(): void {
    for (const bytes of this.connection.takeArrived()) {
      if (this.#length + bytes.length > this.#received.length) {
        const grown = new Uint8Array(2 * (this.#length + bytes.length));
        grown.set(this.#received.subarray(0, this.#length));
        this.#received = grown;
      }
      this.#received.set(bytes, this.#length);
      this.#length += bytes.length;
    }
    const { ended } = this.connection;
    if (ended === 'fin' || ended === 'rst') this.closedBy ??= ended === 'fin' ? 'server-fin' : 'server-rst';
  }

  /** What arrived behind the last whole response. */
  get unread(): Uint8Array {
    return this.#received.subarray(this.#consumed, this.#length);
  }

  /** Reads one whole response, interim ones skipped, and keeps it. */
  *response(method: HttpRequestSpec['method'], which: string): Generator<Wait, ReadHeaders, void> {
    for (;;) {
      this.pump();
      const { ended } = this.connection;
      const bytes = this.#received.subarray(0, this.#length);
      const read = readResponse(bytes, this.#consumed, method === 'HEAD', ended !== null);
      if (read.kind === 'malformed') throw new JobFailure(`${which}: ${read.reason}`);
      if (read.kind === 'whole') {
        const { status, headers, body, end } = read.message;
        const etag = headers.get('etag')?.replace(/^"|"$/g, '');
        const sha256 = createHash('sha256').update(body).digest('hex');
        this.responses.push({ status, bodySize: body.length, sha256, ...(etag !== undefined && { etag }) });
        this.#consumed = end;
        return { status, headers };
      }
      if (ended !== null) throw new JobFailure(`the connection ended (${ENDINGS[ended]}) within ${which}`);
      yield { what: which, until: null };
    }
  }

  *pause(ms: number): Generator<Wait, void, void> {
    const until = this.now() + Math.round(ms * MILLISECOND);
    while (this.now() < until) yield { what: 'a pause', until };
  }

  /** Closes both directions, unless the other side has gone already. */
  close(): void {
    this.pump();
    this.closedBy ??= 'client';
    this.connection.close();
  }

  abort(): void {
    this.pump();
    this.closedBy ??= 'client';
    this.connection.abort();
  }
}

export interface ReadHeaders {
  readonly status: number;
  /** By lower-case name. */
  readonly headers: ReadonlyMap<string, string>;
}

const ENDINGS = { fin: "the server's FIN", rst: "the server's RST", timeout: 'no answer' };

/**
 * Connects now and plays `program` until it ends, fails, or `timeoutMs` of virtual time have passed; then `done` gets the result,
 * once. The connection is closed at the end, as it is when a process exits; after a time-out it is reset.
 */
export function startJob(
  client: SimClient,
  remote: Remote,
  program: Program,
  {
    timeoutMs,
    start,
    profile,
  }: { readonly timeoutMs: number; readonly start?: ClientStart; readonly profile?: ClientProfile },
  done: (result: JobResult) => void,
): void {
  const { clock } = client;
  let waiting: Wait = { what: 'the connection', until: null };
  let running = true;
  const finish = (error: string | undefined): void => {
    running = false;
    timeout.set(null);
    wake.set(null);
    const { responses, closedBy } = session;
    done({
      ok: error === undefined,
      ...(error !== undefined && { error }),
      responses,
      ...(closedBy !== undefined && { closedBy }),
    });
  };
  const resume = (): void => {
    if (!running) return;
    try {
      const next = generator.next();
      if (!next.done) {
        waiting = next.value;
        wake.set(waiting.until);
        return;
      }
    } catch (error) {
      if (!(error instanceof JobFailure)) throw error;
      session.pump();
      if (session.connection.connected) session.connection.close();
      finish(error.message);
      return;
    }
    session.close();
    finish(undefined);
  };
  const wake = clock.timer(resume);
  const timeout = clock.timer(() => {
    session.connection.abort();
    finish(`timed out after ${timeoutMs} ms, waiting for ${waiting.what}`);
  });
  const session = new Session(client.open(remote, resume, profile ?? LINUX_CLIENT, start), () => clock.now);
  const generator = playConnected(session, program);
  timeout.set(clock.now + timeoutMs * MILLISECOND);
}

function* playConnected(session: Session, program: Program): Generator<Wait, void, void> {
  while (!session.connection.connected) {
    session.pump();
    const { ended } = session.connection;
    if (ended !== null) throw new JobFailure(ended === 'rst' ? 'connection refused' : 'connection timed out');
    yield { what: 'the connection', until: null };
  }
  yield* program(session);
}
