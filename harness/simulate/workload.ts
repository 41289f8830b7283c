/** What the clients of a run do: a story for each connection, drawn from the seed and from nothing that happens. */
import { createRandom, type Random } from '../random.js';
import { type ClientProfile, LINUX_CLIENT } from '../sim/client.js';
import { MILLISECOND, type Nanos, SECOND } from '../sim/clock.js';
import type { Policy } from '../topology.js';
import { OBJECT_NAMES, SMALL_OBJECTS, textAt } from './objects.js';
import type { Plan } from './plan.js';

export type Method = 'GET' | 'HEAD' | 'PUT' | 'POST';

/** One request, and where it lies in the client's byte stream (offsets from its first byte). */
export interface StoryRequest {
  readonly method: Method;
  readonly path: string;
  readonly isRead: boolean;
  /** The payload's content, without its transfer coding. */
  readonly body: Uint8Array;
  /** The response ends the connection. */
  readonly close: boolean;
  readonly start: number;
  readonly headerEnd: number;
  readonly end: number;
}

export type StoryStep =
  /** Bytes of the stream, as one write. */
  | { readonly do: 'write'; readonly from: number; readonly to: number }
  | { readonly do: 'pause'; readonly time: Nanos }
  /** Until that many responses are whole. */
  | { readonly do: 'responses'; readonly count: number }
  /** Until the server says `100 Continue` or answers, or the time is over. */
  | { readonly do: 'continue'; readonly limit: Nanos }
  | { readonly do: 'shutdown' }
  /** Until the server closes. */
  | { readonly do: 'server-close' }
  /** Until somebody says what comes in its place. */
  | { readonly do: 'told' }
  /** Closes the connection, whatever is still to come. */
  | { readonly do: 'leave' };

export interface Story {
  readonly index: number;
  readonly begins: Nanos;
  readonly profile: ClientProfile;
  readonly requests: readonly StoryRequest[];
  /** All that the client writes. */
  readonly stream: Uint8Array;
  readonly steps: readonly StoryStep[];
  /** When the client resets the connection, whatever it is doing; null: never. */
  readonly abortAt: Nanos | null;
}

export function storiesOf(plan: Plan): Story[] {
  return Array.from({ length: plan.connections }, (_, index) => index)
    .filter((index) => !plan.skip.includes(index))
    .map((index) => storyOf(plan, index));
}

export function policyOf(seed: number): Policy {
  const drawn = createRandom(seed, 'policy').below(4);
  if (drawn === 0) return { kind: 'path-hash' };
  if (drawn === 1) return { kind: 'round-robin' };
  const map = ['/a/', '/b/'].map((prefix, i) => ({ prefix, backend: `backend${i}` }));
  return { kind: 'path-map', map, default: 'backend0' };
}

/** Waits of the backends before the first byte of a response, in ms. */
export function serviceDelayOf(seed: number): number {
  const random = createRandom(seed, 'service');
  return random.fraction() < 0.6 ? 0 : 1 + random.below(60);
}

function storyOf(plan: Plan, index: number): Story {
  const random = createRandom(plan.seed, `connection ${index}`);
  const begins = random.fraction() < 0.5 ? random.below(5 * MILLISECOND) : random.below(2 * SECOND);
  const profile = profileOf(random);
  const drawn = random.fraction() < 0.5 ? 1 + random.below(3) : 1 + random.below(10);
  const ending = (['close', 'header', 'half-close'] as const)[random.below(3)] ?? 'close';
  const count = Math.min(drawn, plan.requests ?? drawn);
  const writer = new StoryWriter(random, index);
  for (let n = 0; n < count; n++) writer.request(n + 1 === count, ending);
  const aborts = createRandom(plan.seed, `abort ${index}`);
  const within = aborts.fraction() < 0.5 ? 20 * MILLISECOND : SECOND;
  const abortAt =
    plan.faults.includes('abort') && aborts.fraction() < 0.4 ? begins + Math.round(aborts.fraction() * within) : null;
  return { index, begins, profile, requests: writer.requests, stream: writer.stream(), steps: writer.steps, abortAt };
}

/** Half of the clients are as Linux is; the others lack an option or have little room. */
function profileOf(random: Random): ClientProfile {
  const { mss, windowScale, sack, timestamps, receiveBuffer } = LINUX_CLIENT;
  const otherwise = random.fraction() < 0.5;
  const pick = <T>(chance: number, usual: T, other: T): T => (random.fraction() < chance && otherwise ? other : usual);
  const room = pick(0.3, receiveBuffer, 8000 + random.below(50_000));
  // A unit of the window is a small part of it.
  const shift = random.below(1 + Math.floor(Math.log2(room / 1500)));
  return {
    mss: pick(0.5, mss, 536 + random.below(900)),
    windowScale: pick(0.6, windowScale, random.fraction() < 0.5 ? null : shift),
    sack: pick(0.4, sack, false),
    timestamps: pick(0.4, timestamps, false),
    receiveBuffer: room,
  };
}

class StoryWriter {
  readonly requests: StoryRequest[] = [];
  readonly steps: StoryStep[] = [];
  readonly #parts: Uint8Array[] = [];
  #length = 0;
  /** Of the stream that no step has written yet. */
  #unwritten = 0;

  constructor(
    readonly random: Random,
    readonly index: number,
  ) {}

  stream(): Uint8Array {
    return Buffer.concat(this.#parts);
  }

  request(last: boolean, ending: 'close' | 'header' | 'half-close'): void {
    const { random } = this;
    const number = this.requests.length;
    const { method, path } = this.#what();
    const isRead = method === 'GET' || method === 'HEAD';
    const body = isRead ? textAt(0, 0) : textAt(random.u32(), this.#payloadSize());
    const chunked = !isRead && random.fraction() < 0.25;
    const expects = !isRead && body.length > 0 && random.fraction() < 0.2;
    const close = last && ending === 'header';
    const fields = [
      'Host: prism',
      // Tells requests apart that are alike otherwise.
      `X-Request: ${this.index}.${number}`,
      ...(chunked ? ['Transfer-Encoding: chunked'] : isRead ? [] : [`Content-Length: ${body.length}`]),
      ...(expects ? ['Expect: 100-continue'] : []),
      ...(close ? ['Connection: close'] : []),
      ...(random.fraction() < 0.05 ? [`X-Padding: ${'x'.repeat(random.below(6000))}`] : []),
    ];
    const start = this.#length;
    this.#put(Buffer.from(`${method} ${path} HTTP/1.1\r\n${fields.join('\r\n')}\r\n\r\n`, 'latin1'));
    const headerEnd = this.#length;
    this.#put(chunked ? this.#chunks(body) : body);
    this.requests.push({ method, path, isRead, body, close, start, headerEnd, end: this.#length });
    this.#writes(headerEnd, expects);
    if (last) {
      // What has been held back goes out now, whole pipelines at once.
      this.#writeUpTo(this.#length);
      if (ending === 'half-close') {
        if (random.fraction() < 0.5) this.#pause(20);
        this.steps.push({ do: 'shutdown' });
      }
      this.steps.push({ do: 'responses', count: number + 1 });
      if (ending !== 'close') this.steps.push({ do: 'server-close' });
      else if (random.fraction() < 0.3) this.#pause(300);
      return;
    }
    // The next request goes out behind this one, or when this one is answered.
    if (random.fraction() < 0.25) return;
    this.#writeUpTo(this.#length);
    if (random.fraction() < 0.15) return;
    this.steps.push({ do: 'responses', count: number + 1 });
    if (random.fraction() < 0.2) this.#pause(random.fraction() < 0.2 ? 800 : 20);
  }

  #what(): { method: Method; path: string } {
    const { random } = this;
    const prefix = random.fraction() < 0.5 ? '/a/' : '/b/';
    const drawn = random.fraction();
    const own = `${prefix}own-${this.index}`;
    const few = random.fraction() < 0.85 ? SMALL_OBJECTS : OBJECT_NAMES.length;
    const object = `${prefix}${OBJECT_NAMES[random.below(few)]}`;
    if (drawn < 0.6) return { method: 'GET', path: object };
    if (drawn < 0.65) return { method: 'GET', path: own };
    if (drawn < 0.7) return { method: 'GET', path: `${prefix}none` };
    if (drawn < 0.77) return { method: 'HEAD', path: object };
    return { method: drawn < 0.9 ? 'PUT' : 'POST', path: own };
  }

  #payloadSize(): number {
    const drawn = this.random.fraction();
    if (drawn < 0.1) return 0;
    if (drawn < 0.8) return this.random.below(4000);
    return this.random.below(drawn < 0.95 ? 30_000 : 200_000);
  }

  #chunks(body: Uint8Array): Uint8Array {
    const parts: Uint8Array[] = [];
    for (let at = 0; at < body.length; ) {
      const size = Math.min(body.length - at, 1 + this.random.below(8000));
      parts.push(Buffer.from(`${size.toString(16)}\r\n`), body.subarray(at, at + size), Buffer.from('\r\n'));
      at += size;
    }
    parts.push(Buffer.from('0\r\n\r\n'));
    return Buffer.concat(parts);
  }

  #writes(headerEnd: number, expects: boolean): void {
    const { random } = this;
    if (random.fraction() < 0.2) {
      // The header in pieces.
      for (let pieces = 1 + random.below(4); pieces > 0; pieces--) {
        const from = this.#unwritten;
        this.#writeUpTo(from + random.below(headerEnd - from));
        if (random.fraction() < 0.5) this.#pause(5);
      }
    }
    if (expects) {
      this.#writeUpTo(headerEnd);
      this.steps.push({ do: 'continue', limit: SECOND });
    }
    if (this.#length > headerEnd && random.fraction() < 0.4) {
      this.#writeUpTo(headerEnd + random.below(this.#length - headerEnd));
      if (random.fraction() < 0.5) this.#pause(10);
    }
  }

  #writeUpTo(to: number): void {
    if (to <= this.#unwritten) return;
    this.steps.push({ do: 'write', from: this.#unwritten, to });
    this.#unwritten = to;
  }

  /** In ms. */
  #pause(most: number): void {
    this.steps.push({ do: 'pause', time: 1 + this.random.below(most * MILLISECOND) });
  }

  #put(bytes: Uint8Array): void {
    this.#parts.push(bytes);
    this.#length += bytes.length;
  }
}
