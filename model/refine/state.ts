/** A state of the explored world: numbers of what its parts are, and what the parts behind the numbers look like. */
import type { ControlMessage } from '../../reference-impl/control/messages.js';
import type { Seq } from '../../reference-impl/wire/seq.js';
import type { BackendName } from './scenario.js';

/** Who sends and receives segments, as the specification names them. */
export type Host = 'client' | 'logical' | BackendName;
export const HOSTS: readonly Host[] = ['b1', 'b2', 'client', 'logical'];

export type FrameId = number;
export type MessageId = number;

/** A frame in flight. `by`, `owned` and `via` are not in its bytes (Handoff.tla, "Segments and the network"). */
export interface FlyingFrame {
  readonly bytes: Uint8Array;
  /** `fabric`: on its way to the switch; `host`: beyond it. */
  readonly at: 'fabric' | 'host';
  /** Whose link it is on. */
  readonly link: Host;
  readonly by: Host;
  /** Whether its sender owned the connection. */
  readonly owned: boolean;
  /** The hand-off whose rule it crossed the switch by; 0: none. */
  readonly via: number;
}

export interface Net {
  readonly up: Readonly<Record<Host, readonly FrameId[]>>;
  readonly down: Readonly<Record<Host, readonly FrameId[]>>;
  readonly late: readonly FrameId[];
  /** Frames that the controller keeps until the rules are gone: to the specification they have not arrived. */
  readonly held: readonly { readonly frame: FrameId; readonly late: boolean }[];
}

/** A control message in flight. `type`: as the specification names it; `answer`: what it leaves out, the confirmation of a hand-off or a report, and a hand-off said again. */
export interface FlyingMessage {
  readonly type: 'add' | 'remove' | 'added' | 'refused' | 'removed' | 'handoff' | 'complete' | 'failed' | 'answer';
  readonly message: ControlMessage;
  /** The backend at the other end from the controller; null of the switch. */
  readonly peer: BackendName | null;
  readonly handoff: number;
  /** The sender's oldest un-acknowledged number when it said so. */
  readonly una: Seq | null;
  /** An early repetition. */
  readonly copy: boolean;
}

/** Between the controller and one peer the messages keep their order: the control protocol runs over TCP. */
export type ControlLink = 'toSwitch' | 'fromSwitch' | `to ${BackendName}` | `from ${BackendName}`;
export const CONTROL_LINKS: readonly ControlLink[] = ['toSwitch', 'fromSwitch', 'to b1', 'from b1', 'to b2', 'from b2'];
export type Control = Readonly<Record<ControlLink, readonly MessageId[]>>;

/** What has happened, as far as the specification remembers it and the cores need not. */
export interface History {
  /** The request that is next or being served, from 1. */
  readonly req: number;
  /** There has been a connection. */
  readonly accepted: boolean;
  readonly served: readonly number[];
  readonly decided: boolean;
  readonly report: Readonly<Record<BackendName, 'none' | 'complete' | 'failed'>>;
  /** The last hand-off of each backend that ended, for one that has crashed. */
  readonly last: Readonly<Record<BackendName, number>>;
  /** The last hand-off that the switch refused or removed. */
  readonly done: number;
  /** The hand-off that the rule in force belongs to, or 0. */
  readonly rule: number;
  readonly answered: number;
  readonly serverFin: Seq | null;
}

export const CRASHED = -1;

/** Where the parts stand in the packed state. */
export const PART = {
  client: 0,
  controller: 1,
  switch: 2,
  b1: 3,
  b2: 4,
  history: 5,
  net: 6,
  control: 7,
  events: 8,
} as const;
export const WIDTH = 9;

/** Packed: one number for each part. */
export type Packed = Int32Array;

/** Equal plain values under one number. */
export class Pool<Value> {
  readonly #values: Value[] = [];
  readonly #ids = new Map<string, number>();
  readonly #text: (value: Value) => string;

  /** `text`: different for values that differ. */
  constructor(text: (value: Value) => string) {
    this.#text = text;
  }

  get count(): number {
    return this.#values.length;
  }

  id(value: Value): number {
    const text = this.#text(value);
    let id = this.#ids.get(text);
    if (id === undefined) {
      id = this.#values.push(value) - 1;
      this.#ids.set(text, id);
    }
    return id;
  }

  value(id: number): Value {
    const value = this.#values[id];
    if (value === undefined) throw new RangeError(`nothing has the number ${id}`);
    return value;
  }
}

/** Packed states, each once, in the order in which they were met; a hash table over one array of numbers. */
export class StateTable {
  #data = new Int32Array(WIDTH * 1024);
  #slots = new Int32Array(2048).fill(-1);
  #count = 0;

  get count(): number {
    return this.#count;
  }

  /** Memory of the table itself, in bytes. */
  get bytes(): number {
    return this.#data.byteLength + this.#slots.byteLength;
  }

  get(index: number): Packed {
    return this.#data.subarray(index * WIDTH, (index + 1) * WIDTH);
  }

  /** The state's index, and whether it was new. */
  add(state: Packed): { readonly index: number; readonly isNew: boolean } {
    const mask = this.#slots.length - 1;
    let slot = hash(state) & mask;
    for (;;) {
      const index = this.#slots[slot] ?? -1;
      if (index === -1) break;
      if (this.#same(index, state)) return { index, isNew: false };
      slot = (slot + 1) & mask;
    }
    const index = this.#count++;
    if (index * WIDTH >= this.#data.length) {
      const data = new Int32Array(this.#data.length * 2);
      data.set(this.#data);
      this.#data = data;
    }
    this.#data.set(state, index * WIDTH);
    this.#slots[slot] = index;
    if (this.#count * 2 > this.#slots.length) this.#grow();
    return { index, isNew: true };
  }

  #same(index: number, state: Packed): boolean {
    const at = index * WIDTH;
    for (let i = 0; i < WIDTH; i++) if (this.#data[at + i] !== state[i]) return false;
    return true;
  }

  #grow(): void {
    const slots = new Int32Array(this.#slots.length * 2).fill(-1);
    const mask = slots.length - 1;
    for (let index = 0; index < this.#count; index++) {
      let slot = hash(this.get(index)) & mask;
      while (slots[slot] !== -1) slot = (slot + 1) & mask;
      slots[slot] = index;
    }
    this.#slots = slots;
  }
}

function hash(state: Packed): number {
  let h = 0x811c9dc5;
  for (let i = 0; i < WIDTH; i++) {
    h = Math.imul(h ^ (state[i] ?? 0), 0x01000193);
    h ^= h >>> 15;
  }
  return (Math.imul(h ^ (h >>> 13), 0x5bd1e995) ^ (h >>> 16)) >>> 0;
}
