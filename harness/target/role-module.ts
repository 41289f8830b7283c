/** A role under test that is a JavaScript module: what it exports, what it is told, and how it becomes a role of either world. */
import { pathToFileURL } from 'node:url';
import type { Micros, RoleInput, RoleOutput } from '../../reference-impl/core/core.js';
import { generateBody, objectCatalogue } from '../objects.js';
import type { Policy, Topology } from '../topology.js';
import { WorldError, type WorldOptions } from '../world.js';
import { checkedHeld, checkedOutputs } from './role-outputs.js';

/** What an instance is told when it is made. Plain data. */
export interface RoleStart {
  /** `controller`, `switch`, `backend0`, ... */
  readonly name: string;
  readonly topology: Topology;
  readonly policy: Policy;
  /** How long a backend waits before the first byte of a response, in ms. */
  readonly serviceDelayMs: number;
  /** How many rules the switch has room for. */
  readonly ruleCapacity: number;
  /** The initial sequence number of every accepted connection, when the case gives one. */
  readonly initialSequence?: number;
  /** How long a backend may keep a connection, in ms. */
  readonly handoffMs: number;
  /** Every random choice of the run comes of it. */
  readonly seed: number;
  /** What a backend serves: path to content. Nobody may write to it. */
  readonly objects: ReadonlyMap<string, Uint8Array>;
}

/** One instance of a role: no I/O, no clock, no randomness of its own. */
export interface RoleInstance {
  /** What it puts out at its start. */
  readonly initial: readonly RoleOutput[];
  /** Takes an input; gives what it puts out. `now` in microseconds; never runs backwards. */
  step(input: RoleInput, now: Micros): readonly RoleOutput[];
  /** How many rules, connections or services it still holds. */
  held(): number;
}

export interface RoleModule {
  createRole(start: RoleStart): RoleInstance;
}

/** Made once a process: the objects are many megabytes. */
let objects: ReadonlyMap<string, Uint8Array> | undefined;

function roleStart(name: string, topology: Topology, options: WorldOptions): RoleStart {
  if (/^backend/.test(name))
    objects ??= new Map([...objectCatalogue()].map(([path, spec]) => [path, generateBody(spec)]));
  return {
    name,
    topology,
    policy: options.policy,
    serviceDelayMs: options.serviceDelayMs ?? 0,
    ruleCapacity: options.ruleCapacity ?? 1024,
    ...(options.initialSequence !== undefined && { initialSequence: options.initialSequence }),
    handoffMs: topology.bounds?.handoffMs ?? 60_000,
    seed: options.seed,
    objects: (/^backend/.test(name) ? objects : undefined) ?? new Map(),
  };
}

const reason = (error: unknown): string =>
  (error instanceof Error ? error.message : String(error)).trim().split('\n')[0] ?? '';

function isModule(loaded: unknown): loaded is RoleModule {
  return (
    typeof loaded === 'object' && loaded !== null && 'createRole' in loaded && typeof loaded.createRole === 'function'
  );
}

/** Loads a module by its absolute path; throws a WorldError of one line when it cannot be loaded or exports no `createRole`. */
export async function loadRoleModule(file: string): Promise<RoleModule> {
  let loaded: unknown;
  try {
    loaded = await import(pathToFileURL(file).href);
  } catch (error) {
    throw new WorldError(`the module ${file} cannot be loaded: ${reason(error)}`);
  }
  if (!isModule(loaded)) throw new WorldError(`the module ${file} exports no function createRole`);
  return loaded;
}

/** Makes one instance; what goes wrong in it is told as the role's. */
export function instantiate(module: RoleModule, name: string, topology: Topology, options: WorldOptions): RoleInstance {
  let instance: RoleInstance;
  try {
    instance = module.createRole(roleStart(name, topology, options));
  } catch (error) {
    throw new WorldError(`${name} cannot be started: createRole: ${reason(error)}`);
  }
  if (instance instanceof Promise)
    throw new WorldError(`${name} cannot be started: createRole gave a promise; a module does not wait for anything`);
  const parts: Partial<Record<keyof RoleInstance, unknown>> = instance ?? {};
  if (!Array.isArray(parts.initial) || typeof parts.step !== 'function' || typeof parts.held !== 'function')
    throw new WorldError(`${name} cannot be started: createRole gave no {initial, step, held}`);
  return {
    initial: checkedOutputs(name, 'its start (initial)', instance.initial),
    held: () => checkedHeld(name, () => instance.held()),
    step: (input, now) => checkedOutputs(name, input.kind, instance.step(input, now)),
  };
}
