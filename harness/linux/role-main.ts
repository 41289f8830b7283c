/** The process of one reference role: controller, switch or a backend. Told its launch in the first line of its input. */
import { initBackend, openServices, stepBackend } from '../../reference-impl/backend/backend.js';
import { initController, openConnections, stepController } from '../../reference-impl/controller/controller.js';
import { initSwitch, stepSwitch } from '../../reference-impl/switch/switch.js';
import { createImpairment } from '../impair.js';
import { backendConfig, controllerConfig, switchConfig } from '../roles.js';
import type { Topology } from '../topology.js';
import type { WorldOptions } from '../world.js';
import { answerLines } from './command-lines.js';
import { type RoleRim, RunningRole } from './role-runtime.js';

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

function launch({ topology, options, rim }: RoleLaunch): Running {
  if (rim.role === 'controller')
    return new RunningRole(
      {
        initial: initController(controllerConfig(topology, options)),
        step: stepController,
        // TIME-WAIT is the protocol's own patience, nothing left behind.
        idle: (state) => openConnections(state) === 0,
      },
      rim,
    );
  if (rim.role === 'switch') {
    const impairment = createImpairment(options.faults, options.seed);
    return new RunningRole(
      {
        initial: initSwitch(switchConfig(topology, options)),
        step: stepSwitch,
        idle: (state) => state.rules.size === 0,
      },
      rim,
      (frame) => impairment.admit(frame),
    );
  }
  return new RunningRole(
    {
      initial: initBackend(backendConfig(topology, options, rim.role)),
      step: stepBackend,
      idle: (state) => openServices(state) === 0,
    },
    rim,
  );
}

let running: Running | undefined;

answerLines(async (question) => {
  if (!running) {
    running = launch(question as unknown as RoleLaunch);
    await running.start();
    return { ready: true };
  }
  return question.command === 'idle?' ? { idle: running.idle() } : { lost: running.stop() };
});
