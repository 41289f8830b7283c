/** The guard at the backend's interface (guard.bpf.c): which connections are open, and how far the client may be told. */

import { bpfObject } from '../bpf/build.js';
import { attachClsact } from '../bpf/clsact.js';
import { BpfObject } from '../bpf/object.js';
import type { Address } from './repair.js';

/** What the guard is told of an open connection. */
export interface Flow {
  /** The first number of the client's that is not the request's any more: no acknowledgement beyond it leaves. */
  readonly limit: number;
  /** The client has acknowledged everything before this number. */
  readonly acknowledged: number;
  /** The request is not whole yet. */
  readonly receiving: boolean;
  /** Zero the window of what leaves (VAR-4). */
  readonly zeroWindow: boolean;
  /** When it closes by itself, on the monotonic clock in ns; null: never. */
  readonly until: bigint | null;
}

/** What the socket has said on it so far. */
export interface Spoken {
  /** Its latest acknowledgement number, before it was cut. */
  readonly taken: number;
  /** Its latest TSecr. */
  readonly echoed: number;
}

/** struct settings, and struct peer: an address and a port in network byte order. */
export function addressBytes({ ip, port }: Address): Uint8Array {
  const view = new DataView(new ArrayBuffer(8));
  view.setUint32(0, ip, false);
  view.setUint16(4, port, false);
  return new Uint8Array(view.buffer);
}

/** struct flow */
export function flowBytes({ limit, acknowledged, receiving, zeroWindow, until }: Flow): Uint8Array {
  const view = new DataView(new ArrayBuffer(24));
  view.setUint32(0, limit, true);
  view.setUint32(4, acknowledged, true);
  view.setUint8(8, zeroWindow ? 1 : 0);
  view.setUint8(9, receiving ? 1 : 0);
  view.setBigUint64(16, until ?? 0n, true);
  return new Uint8Array(view.buffer);
}

function spokenBytes({ taken, echoed }: Spoken): Uint8Array {
  return new Uint8Array(Uint32Array.of(taken, echoed).buffer);
}

const CONNECTIONS = 65_536;
/** Handle and priority of the filters. */
const PLACE = 0x5052;

let built: Promise<string> | undefined;

/** Path of the guard's object; compiled once a process at most. Rejects (WorldError) saying what is missing. */
export function guardObject(): Promise<string> {
  built ??= bpfObject('the eBPF guard', 'prism-guard', 'kernel/backend/guard.bpf.c');
  return built;
}

export class Guard {
  readonly #object: BpfObject;
  #detach: (() => void) | undefined;

  /**
   * Loads the object; `service`: the address and port that it guards; `connections`: how many may be open at once. Throws a WorldError: no permission,
   * or the kernel refuses it.
   */
  constructor(object: string, service: Address, connections = CONNECTIONS) {
    this.#object = new BpfObject(object, 'prism_guard_in', { flows: connections, spoken: connections });
    try {
      this.#object.map('settings').set(new Uint8Array(4), addressBytes(service));
    } catch (error) {
      this.#object.close();
      throw error;
    }
  }

  /** Descriptors of the programs, for test runs. */
  get programs(): { readonly ingress: number; readonly egress: number } {
    return { ingress: this.#object.program, egress: this.#object.otherProgram('prism_guard_out') };
  }

  /** From now on nothing of the service comes in or goes out at that interface but on open connections. Throws a WorldError. */
  attach(interfaceName: string): void {
    const { ingress, egress } = this.programs;
    this.#detach = attachClsact(interfaceName, PLACE, [
      { direction: 'ingress', program: ingress },
      { direction: 'egress', program: egress },
    ]);
  }

  /** Opens a connection, or changes how far it goes; `spoken` begins it. Throws a BpfMapError when there is no room, and then it is closed. */
  open(client: Address, flow: Flow, spoken?: Spoken): void {
    const key = addressBytes(client);
    try {
      if (spoken !== undefined) this.#object.map('spoken').set(key, spokenBytes(spoken));
      this.#object.map('flows').set(key, flowBytes(flow));
    } catch (error) {
      this.forget(client);
      throw error;
    }
  }

  spoken(client: Address): Spoken | undefined {
    const value = this.#object.map('spoken').get(addressBytes(client), 8);
    if (value === undefined) return undefined;
    const [taken = 0, echoed = 0] = new Uint32Array(value.buffer);
    return { taken, echoed };
  }

  /** Nothing comes in or goes out on it any more. What the socket has said stays known until `forget`. */
  block(client: Address): void {
    this.#object.map('flows').delete(addressBytes(client));
  }

  forget(client: Address): void {
    this.block(client);
    this.#object.map('spoken').delete(addressBytes(client));
  }

  /** Entries that there are, for tests. */
  get size(): number {
    return this.#object.map('flows').keys(8).length + this.#object.map('spoken').keys(8).length;
  }

  /** Takes the guard away. */
  close(): void {
    this.#detach?.();
    this.#detach = undefined;
    this.#object.close();
  }
}
