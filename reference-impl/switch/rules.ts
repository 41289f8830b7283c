/** The rule table: which connections are handed to which backend, and what is still draining of rules that were removed. */
import type { FourTuple, Rule } from '../control/messages.js';
import type { Micros, PortName } from '../core/core.js';
import { type Ipv4Address, type MacAddress, parseIpv4Address, parseMacAddress } from '../wire/addresses.js';

/** A rule as the data path needs it: numbers instead of text. */
export interface InstalledRule {
  readonly rule: Rule;
  readonly client: Ipv4Address;
  readonly clientPort: number;
  readonly logical: Ipv4Address;
  readonly logicalPort: number;
  readonly backend: Ipv4Address;
  readonly backendMac: MacAddress;
  /** The port that leads to the backend. */
  readonly backendPort: PortName;
}

/** A removed rule whose backend's segments are dropped until they have left the network. */
export interface Drain {
  readonly rule: InstalledRule;
  readonly until: Micros;
}

/** Both maps are keyed by `endpointKey` of the client, which both directions of a connection have in common. */
export interface RuleTable {
  readonly size: number;
  readonly installed: ReadonlyMap<number, readonly InstalledRule[]>;
  readonly drains: ReadonlyMap<number, readonly Drain[]>;
}

export const EMPTY_RULE_TABLE: RuleTable = { size: 0, installed: new Map(), drains: new Map() };

/** Address and port in one number of 48 bits. */
function endpointKey(address: Ipv4Address, port: number): number {
  return address * 0x10000 + port;
}

/** `backendPort`: the port that leads to the rule's backend. Undefined when an address is not one. */
export function compileRule(rule: Rule, backendPort: PortName): InstalledRule | undefined {
  const client = parseIpv4Address(rule.conn.client.ip);
  const logical = parseIpv4Address(rule.conn.logical.ip);
  const backend = parseIpv4Address(rule.backend.ip);
  const backendMac = parseMacAddress(rule.backend.mac);
  if (client === undefined || logical === undefined || backend === undefined || backendMac === undefined)
    return undefined;
  return {
    rule,
    client,
    clientPort: rule.conn.client.port,
    logical,
    logicalPort: rule.conn.logical.port,
    backend,
    backendMac,
    backendPort,
  };
}

/** The rule that a client's segment to the logical address matches. */
export function findByClient(
  table: RuleTable,
  src: Ipv4Address,
  srcPort: number,
  dst: Ipv4Address,
  dstPort: number,
): InstalledRule | undefined {
  return table.installed
    .get(endpointKey(src, srcPort))
    ?.find((entry) => entry.logical === dst && entry.logicalPort === dstPort);
}

/** The rule that a backend's segment to a client matches. */
export function findByBackend(
  table: RuleTable,
  src: Ipv4Address,
  srcPort: number,
  dst: Ipv4Address,
  dstPort: number,
): InstalledRule | undefined {
  return table.installed
    .get(endpointKey(dst, dstPort))
    ?.find((entry) => entry.backend === src && entry.logicalPort === srcPort);
}

/** The drain that a backend's segment to a client meets. */
export function findDrain(
  table: RuleTable,
  src: Ipv4Address,
  srcPort: number,
  dst: Ipv4Address,
  dstPort: number,
): Drain | undefined {
  return table.drains
    .get(endpointKey(dst, dstPort))
    ?.find(({ rule }) => rule.backend === src && rule.logicalPort === srcPort);
}

export function findByConnection(table: RuleTable, conn: FourTuple): InstalledRule | undefined {
  const client = parseIpv4Address(conn.client.ip);
  const logical = parseIpv4Address(conn.logical.ip);
  if (client === undefined || logical === undefined) return undefined;
  return findByClient(table, client, conn.client.port, logical, conn.logical.port);
}

export function sameConnection(a: FourTuple, b: FourTuple): boolean {
  return (
    a.client.ip === b.client.ip &&
    a.client.port === b.client.port &&
    a.logical.ip === b.logical.ip &&
    a.logical.port === b.logical.port
  );
}

export function sameRule(a: Rule, b: Rule): boolean {
  return (
    sameConnection(a.conn, b.conn) &&
    a.backend.name === b.backend.name &&
    a.backend.ip === b.backend.ip &&
    a.backend.mac === b.backend.mac &&
    a.zeroWindow === b.zeroWindow &&
    a.clearFin === b.clearFin
  );
}

/** The rule that stands against a new one: the same connection's, or one whose backend's segments could not be told apart from its own. */
export function findConflict(table: RuleTable, entry: InstalledRule): InstalledRule | undefined {
  return table.installed
    .get(endpointKey(entry.client, entry.clientPort))
    ?.find(
      (other) =>
        other.logicalPort === entry.logicalPort && (other.logical === entry.logical || other.backend === entry.backend),
    );
}

/** Adds a rule that nothing stands against; what drained of the same backend's is over, because its segments match again. */
export function installRule(table: RuleTable, entry: InstalledRule): RuleTable {
  const key = endpointKey(entry.client, entry.clientPort);
  return {
    size: table.size + 1,
    installed: withList(table.installed, key, [...(table.installed.get(key) ?? []), entry]),
    drains: withoutDrainOf(table.drains, key, entry),
  };
}

/** `drainUntil`: null to drain nothing. */
export function removeRule(table: RuleTable, entry: InstalledRule, drainUntil: Micros | null): RuleTable {
  const key = endpointKey(entry.client, entry.clientPort);
  const left = (table.installed.get(key) ?? []).filter((other) => other !== entry);
  const drain = drainUntil === null ? [] : [{ rule: entry, until: drainUntil }];
  return {
    size: table.size - 1,
    installed: withList(table.installed, key, left),
    drains: withList(table.drains, key, [...(table.drains.get(key) ?? []), ...drain]),
  };
}

export function expireDrains(table: RuleTable, now: Micros): RuleTable {
  const drains = new Map<number, readonly Drain[]>();
  for (const [key, list] of table.drains) {
    const left = list.filter((drain) => drain.until > now);
    if (left.length > 0) drains.set(key, left);
  }
  return { ...table, drains };
}

/** When the next drain ends, or null when there is none. */
export function nextDrainEnd(table: RuleTable): Micros | null {
  let earliest: Micros | null = null;
  for (const list of table.drains.values()) {
    for (const { until } of list) {
      if (earliest === null || until < earliest) earliest = until;
    }
  }
  return earliest;
}

export function listRules(table: RuleTable): Rule[] {
  return [...table.installed.values()].flatMap((list) => list.map((entry) => entry.rule));
}

function withoutDrainOf(drains: RuleTable['drains'], key: number, entry: InstalledRule): RuleTable['drains'] {
  const list = drains.get(key);
  if (!list) return drains;
  const left = list.filter(({ rule }) => rule.backend !== entry.backend || rule.logicalPort !== entry.logicalPort);
  return withList(drains, key, left);
}

/** A copy in which `key` has that list, or is absent when the list is empty. */
function withList<T>(
  map: ReadonlyMap<number, readonly T[]>,
  key: number,
  list: readonly T[],
): ReadonlyMap<number, readonly T[]> {
  const copy = new Map(map);
  if (list.length > 0) copy.set(key, list);
  else copy.delete(key);
  return copy;
}
