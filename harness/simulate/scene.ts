/** Who is who in a run, as the invariants need it: numbers instead of text. */
import { parseIpv4Address, parseMacAddress } from '../../reference-impl/wire/addresses.js';
import type { Policy, Topology } from '../topology.js';
import { WorldError } from '../world.js';

/** Addresses as numbers. */
export interface Place {
  readonly name: string;
  readonly ip: number;
  readonly mac: number;
}

export interface Scene {
  readonly logical: Place & { readonly port: number };
  readonly client: Place;
  readonly controller: Place;
  readonly backends: readonly Place[];
  readonly policy: Policy;
  /** Of the switch. */
  readonly ruleCapacity: number;
}

export function sceneOf(topology: Topology, ruleCapacity: number): Scene {
  const place = (name: string, host: { ip: string; mac?: string | undefined } | undefined): Place => {
    const ip = parseIpv4Address(host?.ip ?? '');
    const mac = parseMacAddress(host?.mac ?? '');
    if (ip === undefined || mac === undefined) throw new WorldError(`${name} has no address`);
    return { name, ip, mac };
  };
  return {
    logical: { ...place('the fabric', topology.logical), port: topology.logical.port },
    client: place('client', topology.clients?.[0]),
    controller: place('controller', topology.controller),
    backends: topology.backends.map((backend) => place(backend.name, backend)),
    policy: topology.policy ?? { kind: 'round-robin' },
    ruleCapacity,
  };
}
