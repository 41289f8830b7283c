/** One client of a run: plays its story over a connection, and holds every byte of the responses against what it deserves. */
import { createHash } from 'node:crypto';
import { formatIpv4Address } from '../../reference-impl/wire/addresses.js';
import type { Connection, Remote, SimClient } from '../sim/client.js';
import type { Timer } from '../sim/clock.js';
import { Violation } from './invariants.js';
import type { Deserved } from './monitor.js';
import type { Story } from './workload.js';

/** How a story ended. `refused`: by a 503. */
export type StoryEnd = 'served' | 'refused' | 'aborted' | 'reset';

/** What a player asks of whoever knows what is deserved. */
export interface Judge {
  deserved(story: Story, index: number): Deserved;
  responded(story: Story, index: number): void;
  /** The connection was reset, or closed before its time. */
  cutShort(story: Story, how: string): void;
}

const HEAD_LIMIT = 4096;

export class Player {
  ended: StoryEnd | null = null;
  responses = 0;
  #connection: Connection | null = null;
  #step = 0;
  #head = '';
  #deserved: Deserved | null = null;
  #bodyLeft = 0;
  #bodyAt = 0;
  #continued = false;
  #closes = false;
  /** Its timer runs for the present step. */
  #waits = false;
  readonly #wake: Timer;
  readonly #abort: Timer;

  constructor(
    readonly client: SimClient,
    readonly remote: Remote,
    readonly story: Story,
    readonly judge: Judge,
  ) {
    this.#wake = client.clock.timer(() => this.#waited());
    this.#abort = client.clock.timer(() => this.giveUp());
  }

  get port(): number | null {
    return this.#connection?.port ?? null;
  }

  /** What it waits for, in words. */
  get waiting(): string {
    if (this.#connection?.connected !== true) return 'the connection';
    const step = this.story.steps[this.#step];
    switch (step?.do) {
      case 'responses':
        return `response ${this.responses + 1} of ${this.story.requests.length}`;
      case 'continue':
        return '100 Continue';
      case 'server-close':
        return "the server's FIN";
      case 'told':
        return 'what to do';
      default:
        return step?.do ?? 'nothing';
    }
  }

  /** At the story's moment. */
  start(): void {
    const { abortAt } = this.story;
    if (abortAt !== null) this.#abort.set(abortAt);
    this.#connection = this.client.open(this.remote, () => this.#changed(), this.story.profile);
  }

  /** Goes on where its story has been told further. */
  goOn(): void {
    const connection = this.#connection;
    if (connection === null || this.ended !== null) return;
    // A connection that is over for both sides is no longer connected, and its program goes on.
    if (connection.connected || connection.ended === 'fin') this.#play(connection);
  }

  /** Resets the connection. */
  giveUp(): void {
    if (this.ended !== null) return;
    this.#connection?.abort();
    this.#end('aborted');
  }

  #end(how: StoryEnd): void {
    this.ended = how;
    this.#wake.set(null);
    this.#abort.set(null);
  }

  #changed(): void {
    const connection = this.#connection;
    if (connection === null || this.ended !== null) return;
    for (const bytes of connection.takeArrived()) this.#take(bytes);
    if (connection.ended === 'rst' || connection.ended === 'timeout') {
      this.judge.cutShort(this.story, connection.ended === 'rst' ? 'reset' : 'not answered any more');
      this.#end('reset');
      return;
    }
    if (connection.connected) this.#play(connection);
  }

  #waited(): void {
    // The pause is over, or the 100 Continue waited for long enough.
    this.#waits = false;
    this.#step++;
    if (this.#connection !== null && this.ended === null) this.#play(this.#connection);
  }

  #play(connection: Connection): void {
    const { steps, stream } = this.story;
    while (this.ended === null) {
      const over = connection.ended === 'fin';
      const step = steps[this.#step];
      // A server that has closed answers nothing more.
      if (over && (step !== undefined || this.#head !== '') && !this.#allServed()) {
        if (!this.#closes) this.judge.cutShort(this.story, 'closed');
        this.#leave(connection, 'refused');
        return;
      }
      if (step === undefined) {
        this.#leave(connection, 'served');
        return;
      }
      switch (step.do) {
        case 'write':
          connection.write(stream.subarray(step.from, step.to));
          break;
        case 'pause':
          if (!this.#waits) this.#wait(step.time);
          return;
        case 'responses':
          if (this.responses < step.count) return;
          break;
        case 'continue':
          if (!this.#continued && this.responses === this.#sentRequests()) {
            if (!this.#waits) this.#wait(step.limit);
            return;
          }
          this.#continued = false;
          break;
        case 'shutdown':
          connection.shutdown();
          break;
        case 'server-close':
          if (!over) return;
          break;
        case 'told':
          return;
        case 'leave':
          this.#leave(connection, 'aborted');
          return;
      }
      this.#waits = false;
      this.#wake.set(null);
      this.#step++;
    }
  }

  #wait(time: number): void {
    this.#waits = true;
    this.#wake.set(this.client.clock.now + time);
  }

  #allServed(): boolean {
    return this.responses === this.story.requests.length;
  }

  /** Requests whose responses come before that of the one whose payload waits for a 100 Continue. */
  #sentRequests(): number {
    let to = 0;
    for (const step of this.story.steps.slice(0, this.#step)) if (step.do === 'write') to = step.to;
    return this.story.requests.filter(({ end }) => end <= to).length;
  }

  #leave(connection: Connection, how: StoryEnd): void {
    connection.close();
    this.#end(how);
  }

  // --- responses ------------------------------------------------------------------------------------------------------------

  #fail(message: string): never {
    throw new Violation('response-right', this.#key(), 'client', message);
  }

  #key(): string | null {
    const { port } = this;
    return port === null ? null : `${formatIpv4Address(this.client.addresses.ip)}:${port}`;
  }

  #take(bytes: Uint8Array): void {
    let at = 0;
    while (at < bytes.length) {
      if (this.#deserved === null) at = this.#takeHead(bytes, at);
      else at = this.#takeBody(this.#deserved, bytes, at);
    }
  }

  #takeHead(bytes: Uint8Array, at: number): number {
    const text = this.#head + Buffer.from(bytes.buffer, bytes.byteOffset + at, bytes.length - at).toString('latin1');
    const end = text.indexOf('\r\n\r\n');
    if (end === -1) {
      if (text.length > HEAD_LIMIT) this.#fail(`response ${this.responses + 1} has a header without end`);
      this.#head = text;
      return bytes.length;
    }
    const next = at + end + 4 - this.#head.length;
    this.#head = '';
    this.#startResponse(text.slice(0, end));
    return next;
  }

  #startResponse(head: string): void {
    const which = `response ${this.responses + 1}`;
    const status = Number(/^HTTP\/1\.1 (\d{3}) /.exec(head)?.[1]);
    if (Number.isNaN(status)) this.#fail(`${which} has no status line: ${JSON.stringify(head.slice(0, 40))}`);
    if (status === 100) {
      this.#continued = true;
      return;
    }
    const request = this.story.requests[this.responses];
    if (request === undefined) this.#fail(`a response more than there were requests: ${status}`);
    const deserved = this.judge.deserved(this.story, this.responses);
    if (status !== deserved.status)
      this.#fail(`${which} is ${status}, where ${deserved.status} is due (${request.method} ${request.path})`);
    const length = Number(/\r\nContent-Length: (\d+)/i.exec(head)?.[1]);
    if (Number.isNaN(length)) this.#fail(`${which} has no length`);
    if (deserved.body !== null && length !== deserved.body.length)
      this.#fail(
        `${which} has ${length} bytes, where ${deserved.body.length} are due (${request.method} ${request.path})`,
      );
    const tag = /\r\nETag: "([^"]*)"/i.exec(head)?.[1];
    if (deserved.tagged !== null && tag !== createHash('sha256').update(deserved.tagged).digest('hex'))
      this.#fail(`${which} to a ${request.method} tells of another payload than the client sent`);
    this.#closes = /\r\nConnection: close/i.test(head);
    if ((request.close || status === 503) !== this.#closes)
      this.#fail(`${which} ${this.#closes ? 'closes' : 'keeps'} the connection`);
    this.#deserved = deserved;
    this.#bodyAt = 0;
    this.#bodyLeft = request.method === 'HEAD' ? 0 : length;
    if (this.#bodyLeft === 0) this.#wholeResponse();
  }

  #takeBody({ body }: Deserved, bytes: Uint8Array, at: number): number {
    const count = Math.min(this.#bodyLeft, bytes.length - at);
    if (body !== null) {
      const due = body.subarray(this.#bodyAt, this.#bodyAt + count);
      if (Buffer.compare(due, bytes.subarray(at, at + count)) !== 0)
        this.#fail(
          `response ${this.responses + 1} has other bytes than are due, behind byte ${this.#bodyAt} of its body`,
        );
    }
    this.#bodyAt += count;
    this.#bodyLeft -= count;
    if (this.#bodyLeft === 0) this.#wholeResponse();
    return at + count;
  }

  #wholeResponse(): void {
    this.#deserved = null;
    this.judge.responded(this.story, this.responses);
    this.responses++;
  }
}
