/** The reference's cores behind one face, for every world that starts them: with what the world's options ask to be broken in them. */
import { initBackend, openServices, stepBackend } from '../reference-impl/backend/backend.js';
import { initController, openConnections, stepController } from '../reference-impl/controller/controller.js';
import type { StepFunction, Stepped } from '../reference-impl/core/core.js';
import { initSwitch, stepSwitch } from '../reference-impl/switch/switch.js';
import { mutantNamed } from './mutants/index.js';
import type { Breaks } from './mutants/mutant.js';
import { backendConfig, controllerConfig, switchConfig } from './roles.js';
import type { Topology } from './topology.js';
import { WorldError, type WorldOptions } from './world.js';

/** A role core as it begins, and how it goes on. */
export interface RoleCore<State> {
  readonly initial: Stepped<State>;
  readonly step: StepFunction<State>;
  /** How many connections (rules, services) it still holds; one in TIME-WAIT is the protocol's own patience, nothing held. */
  readonly held: (state: State) => number;
}

/** Takes a core whatever its state is; the state's type stays inside. */
export type CoreUser<R> = <State>(core: RoleCore<State>) => R;

/** What the options ask to be broken. Throws WorldError for a mutant that nobody knows. */
function breaksOf({ mutant: id }: WorldOptions): Breaks | undefined {
  if (id === undefined) return undefined;
  const mutant = mutantNamed(id);
  if (mutant === undefined) throw new WorldError(`no mutant is called ${id}`);
  return mutant.breaks;
}

/** The core of `switch`, `controller` or a backend (by its name). Throws WorldError for a backend that the topology lacks. */
export function coreOf<R>(
  role: string,
  topology: Topology,
  options: WorldOptions,
  use: CoreUser<R>,
  breaks: Breaks | undefined = breaksOf(options),
): R {
  const given: WorldOptions = { ...options, without: [...options.without, ...(breaks?.without ?? [])] };
  if (role === 'switch') {
    const { config: change, step: breaker } = breaks?.switch ?? {};
    const config = switchConfig(topology, given);
    const core: RoleCore<ReturnType<typeof initSwitch>['state']> = {
      initial: initSwitch(change ? change(config) : config),
      step: stepSwitch,
      held: (state) => state.rules.size,
    };
    return breaker ? use(breaker(core)) : use(core);
  }
  if (role === 'controller') {
    const { config: change, step: breaker } = breaks?.controller ?? {};
    const config = controllerConfig(topology, given);
    const core: RoleCore<ReturnType<typeof initController>['state']> = {
      initial: initController(change ? change(config) : config),
      step: stepController,
      held: openConnections,
    };
    return breaker ? use(breaker(core)) : use(core);
  }
  if (!topology.backends.some(({ name }) => name === role)) throw new WorldError(`no role ${role} in the topology`);
  const { config: change, step: breaker } = breaks?.backend ?? {};
  const config = backendConfig(topology, given, role);
  const core: RoleCore<ReturnType<typeof initBackend>['state']> = {
    initial: initBackend(change ? change(config) : config),
    step: stepBackend,
    held: openServices,
  };
  return breaker ? use(breaker(core)) : use(core);
}
