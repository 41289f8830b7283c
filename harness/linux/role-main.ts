/** The process of one reference role: controller, switch or a backend. Told its launch in the first line of its input. */
import { createControlFaults } from '../control-faults.js';
import { coreOf } from '../cores.js';
import { createImpairment } from '../impair.js';
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
  readonly news: number;
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
    const enter = impairment.ahead ? { enter: impairment.enter } : {};
    return { running: new RunningRole(core, rim, { admit, ...enter }), applied: impairment.applied };
  }
  return { running: new RunningRole(core, rim), applied: [] };
}

async function launch(told: RoleLaunch): Promise<Launched> {
  const { topology, options, rim, module } = told;
  if (module !== undefined) return launchCore(await moduleCore(module, told), told);
  return coreOf<Launched>(rim.role, topology, options, ({ initial, step, held }) =>
    launchCore({ initial, step, idle: (state: (typeof initial)['state']) => held(state) === 0 }, told),
  );
}

let launched: Launched | undefined;

answerLines(async (question) => {
  if (!launched) {
    launched = await launch(question as unknown as RoleLaunch);
    await launched.running.start();
    return { ready: true };
  }
  const { running, applied } = launched;
  if (question.command === 'news?') return { news: running.news };
  return question.command === 'idle?' ? { idle: running.idle() } : { lost: running.stop(), applied };
});
