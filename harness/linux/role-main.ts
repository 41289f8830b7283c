/** The process of one reference role: controller, switch or a backend. Told its launch in the first line of its input. */
import { coreOf } from '../cores.js';
import { createImpairment } from '../impair.js';
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
  const impairment = rim.role === 'switch' ? createImpairment(options.faults, options.seed) : undefined;
  return coreOf<Running>(
    rim.role,
    topology,
    options,
    ({ initial, step, held }) =>
      new RunningRole(
        { initial, step, idle: (state) => held(state) === 0 },
        rim,
        impairment && ((frame) => impairment.admit(frame)),
      ),
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
