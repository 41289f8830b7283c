/**
 * One handed-off connection: a kernel's socket that continues it, an `http` server that answers the one request, and the way back
 * (SoCC'17 §2.4).
 */
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { type Payload, startPayload, takePayload } from '../../reference-impl/backend/payload.js';
import type { ConnectionSnapshot, Failed, Handoff } from '../../reference-impl/control/messages.js';
import { seqAdd, seqLt } from '../../reference-impl/wire/seq.js';
import { leastToCome } from './framing.js';
import type { Flow, Guard } from './guard.js';
import {
  type Address,
  closeSilently,
  exportConnection,
  importConnection,
  promptSegment,
  unacknowledged,
} from './repair.js';

export type Outcome =
  | { readonly kind: 'complete'; readonly snapshot: ConnectionSnapshot; readonly keepAlive: boolean }
  | { readonly kind: 'failed'; readonly snapshot: ConnectionSnapshot; readonly reason: Failed['reason'] };

export interface TakeOver {
  readonly handoff: Handoff;
  readonly local: Address;
  readonly client: Address;
  readonly guard: Guard;
  readonly server: HandedServer;
  /** VAR-4: the window is closed here. */
  readonly zeroWindow: boolean;
  /** Called once, unless it was given up before. */
  readonly ended: (outcome: Outcome) => void;
}

const LONG_AGO = 1n;
/** Of a socket's buffers, in bytes. */
const BUFFER = 512 * 1024;
/** How often it is asked whether all is acknowledged: soon at first, and not for ever so often. In ms. */
const SOON = 1;
const SELDOM = 10;
const SOON_TIMES = 100;

const BAD_REQUEST =
  'HTTP/1.1 400 Bad Request\r\nContent-Type: application/octet-stream\r\nContent-Length: 0\r\nConnection: close\r\n\r\n';

/** The request's bytes and no others, as the `http` server reads them, and what it answers; ending it ends nothing. */
class RequestStream extends Duplex {
  readonly #connection: HandedConnection;

  constructor(connection: HandedConnection) {
    super({ allowHalfOpen: true });
    this.#connection = connection;
  }

  get connection(): HandedConnection {
    return this.#connection;
  }

  override _read(): void {
    this.#connection.socket.resume();
  }

  override _write(chunk: Uint8Array, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    this.#connection.socket.write(chunk, done);
  }

  override _writev(chunks: readonly { readonly chunk: Uint8Array }[], done: (error?: Error | null) => void): void {
    const { socket } = this.#connection;
    socket.cork();
    chunks.forEach(({ chunk }, index) => {
      if (index === chunks.length - 1) socket.write(chunk, done);
      else socket.write(chunk);
    });
    socket.uncork();
  }

  override _final(done: () => void): void {
    done();
  }
}

/** An `http` server that is given its connections by hand-off. */
export class HandedServer {
  readonly #server: Server;

  /** `server` has its handlers, and listens nowhere. */
  constructor(server: Server) {
    this.#server = server;
    // A hand-off has a lease instead.
    server.requestTimeout = 0;
    server.headersTimeout = 0;
    server.keepAliveTimeout = 0;
    server.prependListener('request', (request: IncomingMessage, response: ServerResponse) => {
      if (request.socket instanceof RequestStream) request.socket.connection.answering(response);
    });
    server.on('clientError', (_error: Error, stream: Duplex) => {
      if (stream instanceof RequestStream) stream.connection.malformed();
    });
  }

  serve(stream: Duplex): void {
    this.#server.emit('connection', stream);
  }
}

export class HandedConnection {
  readonly socket: Socket;
  readonly #plan: TakeOver;
  readonly #fd: number;
  readonly #stream: RequestStream;
  readonly #until: bigint | null;
  #payload: Payload;
  /** Of the payload, in bytes. */
  #taken = 0;
  #flow: Flow;
  #response: 'none' | 'begun' | 'finished' = 'none';
  #answer: ServerResponse | undefined;
  #keepAlive: boolean;
  #poll: NodeJS.Timeout | undefined;
  #polls = 0;
  #over = false;

  /** Makes ready to take the connection over; nothing comes in or goes out yet. Throws a RepairRefused or a BpfMapError, with nothing left, when it cannot. */
  constructor(plan: TakeOver) {
    this.#plan = plan;
    const { handoff, local, client, guard } = plan;
    const { snapshot, request } = handoff;
    this.#payload = startPayload(request.payload);
    this.#keepAlive = request.keepAlive;
    this.#until = handoff.leaseMs === undefined ? null : process.hrtime.bigint() + BigInt(handoff.leaseMs) * 1_000_000n;
    this.#flow = {
      limit: seqAdd(snapshot.ack, leastToCome(this.#payload)),
      acknowledged: snapshot.seq,
      receiving: request.payload.kind === 'chunked',
      zeroWindow: plan.zeroWindow && (request.method === 'GET' || request.method === 'HEAD'),
      until: this.#until,
    };
    this.#fd = importConnection({ local, client, snapshot, buffer: BUFFER });
    try {
      // Closed, its lease being over; but there is room for it.
      guard.open(
        client,
        { ...this.#flow, until: LONG_AGO },
        { taken: snapshot.ack, echoed: snapshot.timestamps?.recent ?? 0 },
      );
      this.socket = new Socket({ fd: this.#fd, readable: true, writable: true, allowHalfOpen: true });
    } catch (error) {
      guard.forget(client);
      closeSilently(this.#fd);
      throw error;
    }
    this.socket.setNoDelay(true);
    this.socket.on('error', (error: NodeJS.ErrnoException) => this.#lost(error));
    // Read on behind the request too, so that a reset is seen; the client is never told of what comes there.
    this.socket.on('data', (bytes: Uint8Array) => this.#receive(bytes));
    this.#stream = new RequestStream(this);
    this.#stream.on('error', () => {});
    this.#stream.push(Buffer.from(request.header, 'base64'));
  }

  /** Owns the connection from now on, and serves it. */
  begin(): void {
    if (this.#over) return;
    this.#plan.guard.open(this.#plan.client, this.#flow);
    this.#plan.server.serve(this.#stream);
  }

  /** Gives the connection up before its end; returns where it stands. */
  giveUp(): ConnectionSnapshot {
    return this.#release();
  }

  // --- the request ----------------------------------------------------------------------------------------------------------

  #receive(bytes: Uint8Array): void {
    if (this.#over || this.#payload.status !== 'incomplete') return;
    const { payload, taken } = takePayload(this.#payload, bytes);
    this.#payload = { ...payload, content: null };
    this.#taken += taken;
    if (this.#flow.receiving) this.#moveLimit();
    if (payload.status === 'malformed') {
      this.malformed();
      return;
    }
    if (!this.#stream.push(bytes.subarray(0, taken)) && payload.status === 'incomplete') this.socket.pause();
    this.#settle();
  }

  /** A chunked payload shows where it ends only as it comes. */
  #moveLimit(): void {
    const { guard, client, handoff } = this.#plan;
    const before = this.#flow.limit;
    const limit = seqAdd(handoff.snapshot.ack, this.#taken + leastToCome(this.#payload));
    const acknowledged = seqAdd(handoff.snapshot.seq, this.socket.bytesWritten - unacknowledged(this.#fd));
    const flow = { ...this.#flow, limit, acknowledged };
    guard.open(client, flow);
    // The socket has acknowledged more than the client was told, and would say nothing more by itself.
    const told = guard.spoken(client)?.taken ?? before;
    if (seqLt(before, told) && seqLt(before, limit)) promptSegment(this.#fd);
    this.#flow = { ...flow, receiving: this.#payload.status === 'incomplete' };
    if (!this.#flow.receiving) guard.open(client, this.#flow);
  }

  // --- the response ---------------------------------------------------------------------------------------------------------

  /** The server begins to answer. */
  answering(response: ServerResponse): void {
    this.#response = 'begun';
    this.#answer = response;
    response.shouldKeepAlive = this.#keepAlive;
    response.once('finish', () => {
      if (this.#over || this.#response !== 'begun') return;
      this.#keepAlive &&= response.shouldKeepAlive && response.getHeader('connection') !== 'close';
      this.#responded();
    });
    response.once('close', () => {
      if (this.#response === 'begun' && !response.writableFinished) this.#end('cannot-serve');
    });
  }

  /** The request cannot be read: an answer of our own, and the connection's end, if no other has begun. */
  malformed(): void {
    if (this.#over) return;
    this.#keepAlive = false;
    if (this.#response === 'finished') return;
    const begun = this.#answer?.headersSent === true;
    this.#response = 'finished';
    this.#stream.destroy();
    if (begun) this.#end('cannot-serve');
    else this.socket.write(BAD_REQUEST, () => this.#responded());
  }

  #responded(): void {
    this.#response = 'finished';
    this.#settle();
  }

  /** Gives the connection back once the request is whole, and its response acknowledged. */
  #settle(): void {
    if (this.#over || this.#response !== 'finished' || this.socket.destroyed) return;
    if (this.#payload.status === 'incomplete' && this.#keepAlive) return;
    clearTimeout(this.#poll);
    if (this.socket.writableLength === 0 && unacknowledged(this.#fd) === 0) {
      const keepAlive = this.#keepAlive;
      this.#plan.ended({ kind: 'complete', snapshot: this.#release(), keepAlive });
      return;
    }
    this.#poll = setTimeout(() => this.#settle(), this.#polls++ < SOON_TIMES ? SOON : SELDOM);
  }

  // --- the end --------------------------------------------------------------------------------------------------------------

  #lost(error: NodeJS.ErrnoException): void {
    this.#end(error.code === 'ETIMEDOUT' ? 'client-timeout' : 'client-reset');
  }

  #end(reason: Failed['reason']): void {
    if (this.#over) return;
    this.#plan.ended({ kind: 'failed', snapshot: this.#release(), reason });
  }

  /** Block, look, close: in this order, so that nothing that is looked at changes and nothing is said (BKD-9). */
  #release(): ConnectionSnapshot {
    this.#over = true;
    clearTimeout(this.#poll);
    const { guard, client, handoff } = this.#plan;
    guard.block(client);
    const spoken = guard.spoken(client) ?? { taken: handoff.snapshot.ack, echoed: 0 };
    const { limit } = this.#flow;
    const stands = { ack: seqLt(limit, spoken.taken) ? limit : spoken.taken, recent: spoken.echoed };
    try {
      // A socket that the client has reset is gone.
      if (this.socket.destroyed) return this.#asWritten(stands);
      return exportConnection(this.#fd, handoff.snapshot, stands);
    } finally {
      this.socket.destroy();
      this.#stream.destroy();
      guard.forget(client);
    }
  }

  #asWritten({ ack, recent }: { readonly ack: number; readonly recent: number }): ConnectionSnapshot {
    const { snapshot } = this.#plan.handoff;
    return {
      ...snapshot,
      ack,
      seq: seqAdd(snapshot.seq, this.socket.bytesWritten),
      timestamps: snapshot.timestamps === null ? null : { ...snapshot.timestamps, recent },
    };
  }
}
