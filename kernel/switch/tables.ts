/** The switch's tables as the eBPF program's maps hold them: prism_switch.bpf.c's structures, in network byte order. */
import type { SwitchConfig } from '../../reference-impl/switch/config.js';
import type { Drain, InstalledRule, RuleTable } from '../../reference-impl/switch/rules.js';
import type { SwitchState } from '../../reference-impl/switch/switch.js';
import type { MacAddress } from '../../reference-impl/wire/addresses.js';

/** Index of the interface behind a port of the switch; 0 is none. */
export type PortIndex = (port: string) => number;

export interface Entry {
  readonly map: 'settings' | 'to_backend' | 'to_client' | 'drains' | 'routes' | 'neighbours';
  readonly key: Uint8Array;
  readonly value: Uint8Array;
}

class Struct {
  readonly bytes: Uint8Array;
  readonly #view: DataView;
  #at = 0;

  constructor(size: number) {
    this.bytes = new Uint8Array(size);
    this.#view = new DataView(this.bytes.buffer);
  }

  /** In network byte order, as the packet has it. */
  u32(value: number): this {
    this.#view.setUint32(this.#at, value, false);
    this.#at += 4;
    return this;
  }

  u16(value: number): this {
    this.#view.setUint16(this.#at, value, false);
    this.#at += 2;
    return this;
  }

  /** In the machine's byte order (Node runs on little-endian machines only). */
  native(value: number): this {
    this.#view.setUint32(this.#at, value, true);
    this.#at += 4;
    return this;
  }

  mac(address: MacAddress): this {
    this.#view.setUint16(this.#at, Math.floor(address / 0x100000000), false);
    this.#view.setUint32(this.#at + 2, address >>> 0, false);
    this.#at += 6;
    return this;
  }

  u8(value: number): this {
    this.#view.setUint8(this.#at++, value);
    return this;
  }
}

function fourTuple(src: number, dst: number, srcPort: number, dstPort: number): Uint8Array {
  return new Struct(12).u32(src).u32(dst).u16(srcPort).u16(dstPort).bytes;
}

const fromClient = (rule: InstalledRule) => fourTuple(rule.client, rule.logical, rule.clientPort, rule.logicalPort);
const fromBackend = (rule: InstalledRule) => fourTuple(rule.backend, rule.client, rule.logicalPort, rule.clientPort);

function ruleEntries(rule: InstalledRule, config: SwitchConfig, portIndex: PortIndex): Entry[] {
  const port = portIndex(rule.backendPort);
  const clearFin = rule.rule.clearFin && !config.without.includes('fin-suppression');
  const zeroWindow = rule.rule.zeroWindow && !config.without.includes('window-closing');
  const forward = new Struct(16).u32(rule.backend).native(port).mac(rule.backendMac).u8(Number(clearFin)).u8(0);
  const back = new Struct(12).u32(rule.logical).native(port).native(Number(zeroWindow));
  return [
    { map: 'to_backend', key: fromClient(rule), value: forward.bytes },
    { map: 'to_client', key: fromBackend(rule), value: back.bytes },
  ];
}

function drainEntry({ rule }: Drain): Entry {
  return { map: 'drains', key: fromBackend(rule), value: new Struct(4).native(1).bytes };
}

const keyOf = ({ map, key }: Entry) => `${map} ${Buffer.from(key).toString('hex')}`;

/** What has to be in the maps for these rules, by map and key. */
function tableEntries(table: RuleTable, config: SwitchConfig, portIndex: PortIndex, keys: Iterable<number>) {
  const entries = new Map<string, Entry>();
  for (const key of keys) {
    for (const rule of table.installed.get(key) ?? [])
      for (const entry of ruleEntries(rule, config, portIndex)) entries.set(keyOf(entry), entry);
    for (const drain of table.drains.get(key) ?? []) entries.set(keyOf(drainEntry(drain)), drainEntry(drain));
  }
  return entries;
}

/** Client endpoints whose rules or drains are not the same in both tables. */
function changedKeys(before: RuleTable, after: RuleTable): Set<number> {
  const changed = new Set<number>();
  for (const part of ['installed', 'drains'] as const) {
    if (before[part] === after[part]) continue;
    for (const [key, list] of after[part]) if (before[part].get(key) !== list) changed.add(key);
    for (const key of before[part].keys()) if (!after[part].has(key)) changed.add(key);
  }
  return changed;
}

export interface TableChange {
  /** To be written before anything is deleted, in this order: a client's way to its backend is the last to open, and the first to close. */
  readonly set: readonly Entry[];
  readonly deleted: readonly Entry[];
}

const WRITTEN: readonly Entry['map'][] = ['settings', 'neighbours', 'routes', 'drains', 'to_client', 'to_backend'];

function inOrder(entries: readonly Entry[]): Entry[] {
  return entries.toSorted((a, b) => WRITTEN.indexOf(a.map) - WRITTEN.indexOf(b.map));
}

/** What leads from one table's maps to the other's. */
export function ruleChange(
  before: RuleTable,
  after: RuleTable,
  config: SwitchConfig,
  portIndex: PortIndex,
): TableChange {
  const keys = changedKeys(before, after);
  const old = tableEntries(before, config, portIndex, keys);
  const next = tableEntries(after, config, portIndex, keys);
  const set = [...next].filter(([key, { value }]) => {
    const known = old.get(key);
    return known === undefined || Buffer.compare(known.value, value) !== 0;
  });
  const deleted = [...old].filter(([key]) => !next.has(key));
  return { set: inOrder(set.map(([, entry]) => entry)), deleted: inOrder(deleted.map(([, entry]) => entry)).reverse() };
}

export function neighbourEntries(before: SwitchState['neighbours'], after: SwitchState['neighbours']): Entry[] {
  if (before === after) return [];
  return [...after]
    .filter(([ip, mac]) => before.get(ip) !== mac)
    .map(([ip, mac]) => ({ map: 'neighbours', key: new Struct(4).u32(ip).bytes, value: new Struct(8).mac(mac).bytes }));
}

/** What the maps hold of a switch's configuration, which does not change. */
export function configEntries(config: SwitchConfig, portIndex: PortIndex): Entry[] {
  const prefix = (length: number, address: number) => new Struct(8).native(length).u32(address).bytes;
  const routes = config.routes.map(({ prefix: address, length, port, nextHop = 0 }): Entry => {
    const value = new Struct(8).native(portIndex(port)).u32(nextHop).bytes;
    return { map: 'routes', key: prefix(length, address), value };
  });
  // Nothing is forwarded to the switch's own addresses: they win over any other route, being the longest.
  const own = config.ports.map(
    ({ gateway }): Entry => ({ map: 'routes', key: prefix(32, gateway), value: new Struct(8).bytes }),
  );
  const settings: Entry = { map: 'settings', key: new Uint8Array(4), value: new Struct(8).mac(config.mac).bytes };
  return [settings, ...routes, ...own];
}
