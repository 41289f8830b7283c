/** The eBPF program on the switch's interfaces, and the tables in its maps. */
import { closeSync } from 'node:fs';
import { interfaceIndex } from '../../harness/linux/packet-socket.js';
import { WorldError } from '../../harness/world.js';
import type { SwitchConfig } from '../../reference-impl/switch/config.js';
import type { SwitchCounters, SwitchState } from '../../reference-impl/switch/switch.js';
import { attachClsact } from '../bpf/clsact.js';
import { bpfErrorName, libbpf } from '../bpf/libbpf.js';
import { BpfObject } from '../bpf/object.js';
import { configEntries, type Entry, neighbourEntries, type PortIndex, ruleChange } from './tables.js';

/** How a program gets in front of an interface: by a link that ends with its process (Linux 6.6), or by a clsact qdisc. */
export type Attachment = 'tcx' | 'clsact';

const BPF_TCX_INGRESS = 46;
/** Handle and priority of its filter. */
const FILTER_PLACE = 1;
const COUNTERS = ['frames', 'rewritten', 'routed', 'dropped'] as const satisfies readonly (keyof SwitchCounters)[];
/** A removed rule drains for a second: so many may be removed in one. */
const DRAINS = 65_536;

export class DataPlane {
  readonly #object: BpfObject;
  readonly #config: SwitchConfig;
  readonly #ports: ReadonlyMap<string, number>;
  readonly #detach: (() => void)[] = [];

  /**
   * Loads the object and fills the tables that do not change; nothing is attached yet.
   * `ports`: index of the interface behind each port. Throws a WorldError: no permission, or the kernel refuses it.
   */
  constructor(object: string, config: SwitchConfig, ports: ReadonlyMap<string, number>) {
    this.#config = config;
    this.#ports = ports;
    const sizes = {
      to_backend: config.ruleCapacity,
      to_client: config.ruleCapacity,
      drains: Math.max(DRAINS, config.ruleCapacity),
    };
    this.#object = new BpfObject(object, 'prism_switch', sizes);
    try {
      // A route that stands earlier wins over a later one of the same prefix.
      for (const entry of configEntries(config, this.#portIndex).toReversed()) this.#set(entry);
    } catch (error) {
      this.#object.close();
      throw error;
    }
  }

  /** Descriptor of the program, for test runs. */
  get program(): number {
    return this.#object.program;
  }

  readonly #portIndex: PortIndex = (port) => this.#ports.get(port) ?? 0;

  #set({ map, key, value }: Entry): void {
    this.#object.map(map).set(key, value);
  }

  #delete({ map, key }: Entry): void {
    this.#object.map(map).delete(key);
  }

  /** Makes the maps hold `after` where they held `before`. Throws a BpfMapError when there is no room; then they hold `before` as they did. */
  follow(before: Pick<SwitchState, 'rules' | 'neighbours'>, after: Pick<SwitchState, 'rules' | 'neighbours'>): void {
    for (const entry of neighbourEntries(before.neighbours, after.neighbours)) this.#set(entry);
    if (before.rules === after.rules) return;
    const { set, deleted } = ruleChange(before.rules, after.rules, this.#config, this.#portIndex);
    try {
      for (const entry of set) this.#set(entry);
    } catch (error) {
      const back = ruleChange(after.rules, before.rules, this.#config, this.#portIndex);
      for (const entry of back.deleted) this.#delete(entry);
      throw error;
    }
    for (const entry of deleted) this.#delete(entry);
  }

  /** What the program has counted, over all CPUs. */
  counters(): SwitchCounters {
    const cpus = libbpf().possible_cpus();
    const map = this.#object.map('counters');
    const [frames = 0, rewritten = 0, routed = 0, dropped = 0] = COUNTERS.map((_, index) => {
      const values = map.get(new Uint8Array(new Uint32Array([index]).buffer), cpus * 8);
      return values === undefined
        ? 0
        : Number(new BigUint64Array(values.buffer).reduce((sum, value) => sum + value, 0n));
    });
    return { frames, rewritten, routed, dropped };
  }

  /**
   * Puts the program in front of these interfaces of the current namespace; returns how. Throws a WorldError where the kernel lets neither way
   * be gone.
   */
  attach(interfaces: readonly string[], wanted?: Attachment): Attachment {
    let used: Attachment = wanted ?? 'tcx';
    for (const name of interfaces) {
      if (used === 'tcx') {
        const link = libbpf().link_create(this.program, interfaceIndex(name), BPF_TCX_INGRESS, null);
        if (link >= 0) {
          this.#detach.push(() => closeSync(link));
          continue;
        }
        if (wanted !== undefined || bpfErrorName(link) !== 'EINVAL')
          throw new WorldError(`the eBPF program cannot be attached to ${name}: ${bpfErrorName(link)}`);
        used = 'clsact';
      }
      this.#detach.push(attachClsact(name, FILTER_PLACE, [{ direction: 'ingress', program: this.program }]));
    }
    return used;
  }

  /** Takes the program away from every port, and gives it back to the kernel. */
  close(): void {
    for (const detach of this.#detach.splice(0)) detach();
    this.#object.close();
  }
}

/** Index of the interface of that name behind each port, in the current namespace. Throws a WorldError when there is none. */
export function portIndexes(ports: Readonly<Record<string, string>>): Map<string, number> {
  return new Map(Object.entries(ports).map(([port, name]) => [port, interfaceIndex(name)]));
}
