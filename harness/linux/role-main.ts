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
import type { Topology } from '../topology.js';
import type { WorldOptions } from '../world.js';
import { answerLines } from './command-lines.js';
import { createRoleEnder } from './role-ender.js';
import { type Admit, type RoleRim, RunningRole } from './role-runtime.js';

export interface RoleLaunch {
  readonly topology: Topology;
  readonly options: WorldOptions;
  readonly rim: RoleRim;
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

function launch({ topology, options, rim }: RoleLaunch): Launched {
  const ender = rim.ends === undefined ? undefined : createRoleEnder(rim.ends);
  if (rim.role === 'controller') {
    const control = createControlFaults(rim.controlFaults ?? []);
    const core = {
      initial: initController(controllerConfig(topology, options)),
      step: stepController,
      // TIME-WAIT is the protocol's own patience, nothing left behind.
      idle: (state: ControllerState) => openConnections(state) === 0,
    };
    const faults = { control, ...(ender && { onControl: ender.onControl }) };
    return { running: new RunningRole(core, rim, faults), applied: control.applied };
  }
  if (rim.role === 'switch') {
    const impairment = createImpairment(options.faults, options.seed);
    const core = {
      initial: initSwitch(switchConfig(topology, options)),
      step: stepSwitch,
      idle: (state: SwitchState) => state.rules.size === 0,
    };
    const admit: Admit = (frame) => {
      ender?.onFrame(frame);
      return impairment.admit(frame);
    };
    return { running: new RunningRole(core, rim, { admit }), applied: impairment.applied };
  }
  const core = {
    initial: initBackend(backendConfig(topology, options, rim.role)),
    step: stepBackend,
    idle: (state: BackendState) => openServices(state) === 0,
  };
  return { running: new RunningRole(core, rim), applied: [] };
}

let launched: Launched | undefined;

answerLines(async (question) => {
  if (!launched) {
    launched = launch(question as unknown as RoleLaunch);
    await launched.running.start();
    return { ready: true };
  }
  const { running, applied } = launched;
  return question.command === 'idle?' ? { idle: running.idle() } : { lost: running.stop(), applied };
});
