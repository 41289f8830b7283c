/** The cores that a simulation is made of, each behind a thin view of its state: what the invariants may see of it. */
import { type BackendState, initBackend, stepBackend } from '../../reference-impl/backend/backend.js';
import type { BackendConfig } from '../../reference-impl/backend/config.js';
import type { ControllerConfig } from '../../reference-impl/controller/config.js';
import { type ControllerState, initController, stepController } from '../../reference-impl/controller/controller.js';
import type { StepFunction, Stepped } from '../../reference-impl/core/core.js';
import type { SwitchConfig } from '../../reference-impl/switch/config.js';
import { initSwitch, type SwitchState, stepSwitch } from '../../reference-impl/switch/switch.js';
import { type Actor, actor } from '../sim/network.js';

/** Connections are known by their key, the client's `address:port`. */
export interface RoleView {
  /** Those that this role speaks TCP on, at this moment. */
  owned(): Iterable<string>;
  /** Whether it is on its way to close this connection by itself. */
  closing(key: string): boolean;
  /** The backend that the switch has a rule to. */
  rule(key: string): string | undefined;
  /** In words, what it still holds of any connection; empty when nothing. */
  held(): readonly string[];
}

export interface SimulatedRole extends Actor {
  readonly view: RoleView;
}

/** Makes the roles of a run; a backend is made again after a crash. */
export interface SimulatedRoles {
  readonly fabric: (config: SwitchConfig) => SimulatedRole;
  readonly controller: (config: ControllerConfig) => SimulatedRole;
  readonly backend: (config: BackendConfig) => SimulatedRole;
}

/** The step functions that roles are made of; those of the reference, or broken ones in their place. */
export interface Cores {
  readonly fabric: StepFunction<SwitchState>;
  readonly controller: StepFunction<ControllerState>;
  readonly backend: StepFunction<BackendState>;
}

export const REFERENCE_CORES: Cores = { fabric: stepSwitch, controller: stepController, backend: stepBackend };

export function rolesOf(cores: Cores): SimulatedRoles {
  return {
    fabric: (config) => viewed(initSwitch(config), cores.fabric, switchView),
    controller: (config) => viewed(initController(config), cores.controller, controllerView),
    backend: (config) => viewed(initBackend(config), cores.backend, backendView),
  };
}

export const referenceCores: SimulatedRoles = rolesOf(REFERENCE_CORES);

function viewed<State>(
  begun: Stepped<State>,
  step: StepFunction<State>,
  view: (state: () => State) => RoleView,
): SimulatedRole {
  const role = actor(begun, step);
  // Not spread: an actor's methods are its own.
  return { initial: role.initial, feed: role.feed, view: view(role.state) };
}

const NOTHING: readonly string[] = [];

function switchView(state: () => SwitchState): RoleView {
  return {
    owned: () => NOTHING,
    closing: () => false,
    rule(key) {
      const port = Number(key.slice(key.indexOf(':') + 1));
      for (const list of state().rules.installed.values())
        for (const { rule, clientPort } of list)
          if (clientPort === port && rule.conn.client.ip === key.slice(0, key.indexOf(':'))) return rule.backend.name;
      return undefined;
    },
    held() {
      const { rules } = state();
      if (rules.size === 0 && rules.drains.size === 0) return NOTHING;
      return [`${rules.size} rules`, `${rules.drains.size} rules that drain`];
    },
  };
}

/** The phases in which the controller speaks TCP (all of the wire's end points but these are silent, or only end a connection). */
const SPEAKING = new Set(['reading', 'installing', 'closing']);

function controllerView(state: () => ControllerState): RoleView {
  return {
    *owned() {
      for (const { key, phase } of state().connections.values()) if (SPEAKING.has(phase.kind)) yield key;
    },
    closing: (key) => state().connections.get(key)?.phase.kind === 'closing',
    rule: () => undefined,
    held: () =>
      [...state().connections.values()].map(({ key, phase, endpoint }) => `${key} (${phase.kind}, ${endpoint.state})`),
  };
}

function backendView(state: () => BackendState): RoleView {
  return {
    *owned() {
      for (const { key, phase } of state().services.values()) if (phase !== 'reporting') yield key;
    },
    closing: () => false,
    rule: () => undefined,
    held: () => [...state().services.values()].map(({ key, phase }) => `${key} (${phase})`),
  };
}
