/** A role of the reference as a program of its own, told everything on its command line: what a target's manifest can start. */
import { readFileSync } from 'node:fs';
import { referenceRoles, type SimRole } from '../sim/world.js';
import { Policy, Topology } from '../topology.js';
import type { WorldOptions } from '../world.js';
import { type RoleCore, type RoleRim, RunningRole } from './role-runtime.js';

export interface StandaloneRole {
  /** `controller`, `switch`, `backend0`, ... */
  readonly name: string;
  /** Paths. */
  readonly topology: string;
  readonly policy?: string;
  /** The data interfaces, a switch's named after its ports. */
  readonly interfaces: readonly string[];
  /** Where a switch or backend waits, and the one address that it takes connections from. */
  readonly control?: { readonly address: string; readonly port: number; readonly peerAddress: string };
  /** A controller's. */
  readonly peers: readonly { readonly peer: string; readonly address: string; readonly port: number }[];
  readonly serviceDelayMs?: number;
  readonly ruleCapacity?: number;
  /** A switch's: it rewrites addresses, and leaves window and FIN to the backends' hosts (VAR-4). */
  readonly addressesOnly?: boolean;
  readonly initialSequence?: number;
  /** A switch's interfaces have their offloads on. */
  readonly offloads?: boolean;
}

function referenceCore(name: string, topology: Topology, options: WorldOptions): RoleCore<SimRole> {
  const { fabric, controller, backend } = referenceRoles;
  const part =
    name === 'switch'
      ? fabric(topology, options)
      : name === 'controller'
        ? controller(topology, options)
        : backend(topology, options, name);
  return {
    initial: { state: part, outputs: part.initial },
    step: (state, input, now) => ({ state, outputs: state.feed(input, now) }),
    idle: (state) => state.held() === 0,
  };
}

/** The topology and the options of the role, from its files and its command line. Throws what reading and parsing throw. */
export function standaloneOptions(role: StandaloneRole): {
  readonly topology: Topology;
  readonly options: WorldOptions;
} {
  const topology = Topology.parse(JSON.parse(readFileSync(role.topology, 'utf8')));
  const policy =
    role.policy === undefined ? topology.policy : Policy.parse(JSON.parse(readFileSync(role.policy, 'utf8')));
  if (policy === undefined) throw new Error('no selection policy: neither the topology nor a policy file names one');
  const options: WorldOptions = {
    // Only the controller's initial sequence numbers come of it.
    seed: process.pid,
    without: role.addressesOnly ? ['window-closing', 'fin-suppression'] : [],
    policy,
    faults: [],
    ...(role.serviceDelayMs !== undefined && { serviceDelayMs: role.serviceDelayMs }),
    ...(role.ruleCapacity !== undefined && { ruleCapacity: role.ruleCapacity }),
    ...(role.initialSequence !== undefined && { initialSequence: role.initialSequence }),
  };
  return { topology, options };
}

/** Its interfaces and control channels. */
export function standaloneRim(role: StandaloneRole): RoleRim {
  const [first = 'link'] = role.interfaces;
  return {
    role: role.name,
    ports: role.name === 'switch' ? Object.fromEntries(role.interfaces.map((i) => [i, i])) : { link: first },
    ...(role.control && { listen: { ...role.control, peer: 'controller' } }),
    connect: role.peers,
    ...(role.offloads && { offloads: true }),
    // Whoever started it keeps the log, at the other end of the channels.
    controlLog: '/dev/null',
    trace: '/dev/null',
  };
}

/** Opens the interfaces, resolves when the role listens or has met its peers to what stops it; it runs until then. */
export async function runStandaloneRole(role: StandaloneRole): Promise<() => void> {
  const { topology, options } = standaloneOptions(role);
  const running = new RunningRole(referenceCore(role.name, topology, options), standaloneRim(role));
  await running.start();
  return () => {
    running.stop();
  };
}
