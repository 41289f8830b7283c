/** The process of one reference role: controller, switch or a backend. Told its launch in the first line of its input. */
import { type BackendState, initBackend, openServices, stepBackend } from '../../reference-impl/backend/backend.js';
import {
  type ControllerState,
  initController,
  openConnections,
  stepController,
} from '../../reference-impl/controller/controller.js';
import { initSwitch, type SwitchState, stepSwitch } from '../../reference-impl/switch/switch.js';
import { createControlFaults } from '../control-faults.js';
import { createImpairment } from '../impair.js';
import { backendConfig, controllerConfig, switchConfig } from '../roles.js';
import { instantiate, loadRoleModule, type RoleInstance } from '../target/role-module.js';
import type { Topology } from '../topology.js';
import type { WorldOptions } from '../world.js';
import { answerLines } from './command-lines.js';
import { createRoleEnder } from './role-ender.js';
import { type Admit, type RoleCore, type RoleRim, RunningRole } from './role-runtime.js';

export interface RoleLaunch {
  readonly topology: Topology;
  readonly options: WorldOptions;
  readonly rim: RoleRim;
  /** The module under test that plays it, in the reference's place; its path. */
  readonly module?: string;
}

interface Running {
  start(): Promise<void>;
  idle(): boolean;
  stop(): number;
}

interface Launched {
  readonly running: Running;
  /** How often each fault that is done here was done: frames' at the switch, control messages' at the controller. */
  readonly applied: readonly number[];
}

/** The core of a role under test that is a module. */
async function moduleCore(file: string, { topology, options, rim }: RoleLaunch): Promise<RoleCore<RoleInstance>> {
  const instance = instantiate(await loadRoleModule(file), rim.role, topology, options);
  return {
    initial: { state: instance, outputs: instance.initial },
    step: (state, input, now) => ({ state, outputs: state.step(input, now) }),
    idle: (state) => state.held() === 0,
  };
}

/** Around a core, what the harness does at its rim. */
function launchCore<State>(core: RoleCore<State>, { options, rim }: RoleLaunch): Launched {
  const ender = rim.ends === undefined ? undefined : createRoleEnder(rim.ends);
  if (rim.role === 'controller') {
    const control = createControlFaults(rim.controlFaults ?? []);
    const faults = { control, ...(ender && { onControl: ender.onControl }) };
    return { running: new RunningRole(core, rim, faults), applied: control.applied };
  }
  if (rim.role === 'switch') {
    const impairment = createImpairment(options.faults, options.seed);
    const admit: Admit = (frame) => {
      ender?.onFrame(frame);
      return impairment.admit(frame);
    };
    return { running: new RunningRole(core, rim, { admit }), applied: impairment.applied };
  }
  return { running: new RunningRole(core, rim), applied: [] };
}

async function launch(told: RoleLaunch): Promise<Launched> {
  const { topology, options, rim, module } = told;
  if (module !== undefined) return launchCore(await moduleCore(module, told), told);
  if (rim.role === 'controller') {
    const core = {
      initial: initController(controllerConfig(topology, options)),
      step: stepController,
      // TIME-WAIT is the protocol's own patience, nothing left behind.
      idle: (state: ControllerState) => openConnections(state) === 0,
    };
    return launchCore(core, told);
  }
  if (rim.role === 'switch') {
    const core = {
      initial: initSwitch(switchConfig(topology, options)),
      step: stepSwitch,
      idle: (state: SwitchState) => state.rules.size === 0,
    };
    return launchCore(core, told);
  }
  const core = {
    initial: initBackend(backendConfig(topology, options, rim.role)),
    step: stepBackend,
    idle: (state: BackendState) => openServices(state) === 0,
  };
  return launchCore(core, told);
}

let launched: Launched | undefined;

answerLines(async (question) => {
  if (!launched) {
    launched = await launch(question as unknown as RoleLaunch);
    await launched.running.start();
    return { ready: true };
  }
  const { running, applied } = launched;
  return question.command === 'idle?' ? { idle: running.idle() } : { lost: running.stop(), applied };
});
