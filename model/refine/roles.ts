/** The real cores, each state and each step of theirs computed once and known by number afterwards. */
import { type BackendState, initBackend, stepBackend } from '../../reference-impl/backend/backend.js';
import type { ControlMessage } from '../../reference-impl/control/messages.js';
import { type ControllerState, initController, stepController } from '../../reference-impl/controller/controller.js';
import type { Micros, RoleEvent, RoleInput, RoleOutput, StepFunction } from '../../reference-impl/core/core.js';
import type { WithoutRemedies } from '../../reference-impl/core/remedies.js';
import { initSwitch, type SwitchState, stepSwitch } from '../../reference-impl/switch/switch.js';
import type { Endpoint } from '../../reference-impl/tcp/endpoint.js';
import { calmBackend, calmController, calmSwitch, plainText } from './calm.js';
import {
  BACKENDS,
  type BackendName,
  backendConfigurations,
  CLIENT,
  controllerConfiguration,
  NOW,
  switchConfiguration,
} from './scenario.js';

/** The number of a state of a core. */
export type StateId = number;

export interface Outcome {
  readonly next: StateId;
  readonly frames: readonly { readonly port: string; readonly bytes: Uint8Array }[];
  readonly control: readonly { readonly peer: string; readonly message: ControlMessage }[];
  readonly events: readonly RoleEvent[];
}

/** The time of the explored world, in microseconds. */
export interface Clock {
  now: Micros;
}

/** A core whose states are numbered. `Due` names what of it is timed. */
export interface Role<State, Due extends string> {
  /** States so far. */
  readonly count: number;
  /** Steps of the core that were really run. */
  readonly steps: number;
  number(state: State): StateId;
  state(id: StateId): State;
  /** What is timed in a state. */
  due(id: StateId): readonly Due[];
  /** `key` names the input: the same key is the same input. */
  input(id: StateId, key: string, input: RoleInput): Outcome;
  /** One of its timers fires, and no other where time stands still. */
  fire(id: StateId, due: Due): Outcome;
  /** The same input to a state that is changed for this one step. */
  inputWith(id: StateId, key: string, change: (state: State) => State, input: RoleInput): Outcome;
}

/** What of a core is timed, and when. */
interface Timed<State, Due extends string> {
  readonly due: (state: State) => readonly Due[];
  /** The state in which that is due now. */
  readonly rung: (state: State, due: Due) => State;
  /** When it is due. */
  readonly at: (state: State, due: Due) => Micros;
}

abstract class NumberedRole<State, Due extends string> implements Role<State, Due> {
  protected readonly states: State[] = [];
  steps = 0;

  constructor(
    protected readonly step: StepFunction<State>,
    protected readonly timed: Timed<State, Due>,
  ) {}

  get count(): number {
    return this.states.length;
  }

  state(id: StateId): State {
    const state = this.states[id];
    if (state === undefined) throw new RangeError(`no state ${id}`);
    return state;
  }

  due(id: StateId): readonly Due[] {
    return this.timed.due(this.state(id));
  }

  abstract number(state: State): StateId;
  abstract input(id: StateId, key: string, input: RoleInput): Outcome;
  abstract fire(id: StateId, due: Due): Outcome;
  abstract inputWith(id: StateId, key: string, change: (state: State) => State, input: RoleInput): Outcome;
}

/** Time stands still and every state is kept once: for exploring. */
class ExploredRole<State, Due extends string> extends NumberedRole<State, Due> {
  readonly #ids = new Map<string, StateId>();
  readonly #outcomes = new Map<string, Outcome>();
  readonly #calm: (state: State) => State;

  constructor(step: StepFunction<State>, calm: (state: State) => State, timed: Timed<State, Due>) {
    super(step, timed);
    this.#calm = calm;
  }

  override number(state: State): StateId {
    const calm = this.#calm(state);
    const text = plainText(calm);
    let id = this.#ids.get(text);
    if (id === undefined) {
      id = this.states.push(calm) - 1;
      this.#ids.set(text, id);
    }
    return id;
  }

  override input(id: StateId, key: string, input: RoleInput): Outcome {
    return this.#memoised(`${id} ${key}`, this.state(id), input);
  }

  override fire(id: StateId, due: Due): Outcome {
    return this.#memoised(`${id} ! ${due}`, this.timed.rung(this.state(id), due), { kind: 'timer', key: CLIENT.key });
  }

  override inputWith(id: StateId, key: string, change: (state: State) => State, input: RoleInput): Outcome {
    const before = this.state(id);
    return this.#memoised(`${id} ? ${key}`, change(before), input, (after) => withConfigOf(before, after));
  }

  #memoised(key: string, state: State, input: RoleInput, after = (next: State): State => next): Outcome {
    const known = this.#outcomes.get(key);
    if (known !== undefined) return known;
    this.steps++;
    const { state: next, outputs } = this.step(state, input, NOW);
    const outcome = outcomeOf(this.number(after(next)), outputs);
    this.#outcomes.set(key, outcome);
    return outcome;
  }
}

const STEP: Micros = 1000;

/** Time goes on with every step, and jumps to a timer that fires; nothing is left out of a state: for going one way. */
class LiveRole<State, Due extends string> extends NumberedRole<State, Due> {
  readonly #clock: Clock;

  constructor(step: StepFunction<State>, timed: Timed<State, Due>, clock: Clock) {
    super(step, timed);
    this.#clock = clock;
  }

  override number(state: State): StateId {
    return this.states.push(state) - 1;
  }

  override input(id: StateId, _key: string, input: RoleInput): Outcome {
    return this.#run(this.state(id), input);
  }

  override fire(id: StateId, due: Due): Outcome {
    const state = this.state(id);
    this.#clock.now = Math.max(this.#clock.now, this.timed.at(state, due));
    return this.#run(state, { kind: 'timer', key: CLIENT.key });
  }

  override inputWith(id: StateId, _key: string, change: (state: State) => State, input: RoleInput): Outcome {
    const before = this.state(id);
    return this.#run(change(before), input, (after) => withConfigOf(before, after));
  }

  #run(state: State, input: RoleInput, after = (next: State): State => next): Outcome {
    this.steps++;
    this.#clock.now += STEP;
    const { state: next, outputs } = this.step(state, input, this.#clock.now);
    return outcomeOf(this.number(after(next)), outputs);
  }
}

function outcomeOf(next: StateId, outputs: readonly RoleOutput[]): Outcome {
  return {
    next,
    frames: outputs.flatMap((output) => (output.kind === 'frame' ? [output] : [])),
    control: outputs.flatMap((output) => (output.kind === 'control' ? [output] : [])),
    events: outputs.flatMap((output) => (output.kind === 'event' ? [output.event] : [])),
  };
}

function withConfigOf<State>(before: State, after: State): State {
  if (before === null || typeof before !== 'object' || !('config' in before)) return after;
  return { ...after, config: before.config };
}

type Connection = ControllerState['connections'] extends ReadonlyMap<string, infer Row> ? Row : never;
type Service = BackendState['services'] extends ReadonlyMap<string, infer Row> ? Row : never;

/** `call0` and so on: a request to the switch or a backend that has no answer yet. */
export type ControllerDue = `call${number}` | 'repeat' | 'deadline' | 'reset' | 'idle';
export type BackendDue = 'respond' | 'repeat' | 'lease';

export function connectionOf(state: ControllerState): Connection | undefined {
  return state.connections.get(CLIENT.key);
}

export function serviceOf(state: BackendState): Service | undefined {
  return state.services.get(CLIENT.key);
}

function controllerDue(state: ControllerState): ControllerDue[] {
  const connection = connectionOf(state);
  if (connection === undefined) return [];
  const { calls, phase, endpoint } = connection;
  const due: ControllerDue[] = calls.map((_, i): ControllerDue => `call${i}`);
  if (phase.kind === 'handed-off') due.push('deadline');
  else if (phase.kind === 'resetting') due.push('reset');
  else if (phase.kind !== 'removing') {
    if (endpoint.retransmitAt !== null || endpoint.persistAt !== null) due.push('repeat');
    if (endpoint.state !== 'time-wait') due.push('idle');
  }
  return due;
}

/** Whatever it would repeat is due now. */
function rungEndpoint(endpoint: Endpoint): Endpoint {
  return {
    ...endpoint,
    retransmitAt: endpoint.retransmitAt === null ? null : NOW,
    persistAt: endpoint.persistAt === null ? null : NOW,
  };
}

function controllerRung(state: ControllerState, due: ControllerDue): ControllerState {
  const connection = connectionOf(state);
  if (connection === undefined) return state;
  const { phase, endpoint } = connection;
  const rung = (): Connection => {
    if (due === 'idle') return { ...connection, idleAt: NOW };
    if (due === 'repeat')
      return {
        ...connection,
        endpoint: rungEndpoint(endpoint),
      };
    if (due === 'deadline' && phase.kind === 'handed-off') return { ...connection, phase: { ...phase, deadline: NOW } };
    if (due === 'reset' && phase.kind === 'resetting') return { ...connection, phase: { ...phase, at: NOW } };
    return {
      ...connection,
      calls: connection.calls.map((call, i) => (due === `call${i}` ? { ...call, at: NOW } : call)),
    };
  };
  return { ...state, connections: new Map(state.connections).set(CLIENT.key, rung()) };
}

function backendDue(state: BackendState): BackendDue[] {
  const service = serviceOf(state);
  if (service === undefined || service.phase === 'reporting') return [];
  return [
    ...(service.respondAt === null ? [] : ['respond' as const]),
    ...(service.endpoint.retransmitAt === null && service.endpoint.persistAt === null ? [] : ['repeat' as const]),
    ...(service.leaseEnds === null ? [] : ['lease' as const]),
  ];
}

function backendRung(state: BackendState, due: BackendDue): BackendState {
  const service = serviceOf(state);
  if (service === undefined) return state;
  const { endpoint } = service;
  const rung: Service =
    due === 'respond'
      ? { ...service, respondAt: NOW }
      : due === 'lease'
        ? { ...service, leaseEnds: NOW }
        : {
            ...service,
            endpoint: rungEndpoint(endpoint),
          };
  return { ...state, services: new Map(state.services).set(CLIENT.key, rung) };
}

/** A rule table without room, for one step. */
export function fullTable(state: SwitchState): SwitchState {
  return { ...state, config: { ...state.config, ruleCapacity: 0 } };
}

/** The earlier of two that need not be. */
function earliest(a: Micros | null, b: Micros | null): Micros {
  return Math.min(a ?? Number.POSITIVE_INFINITY, b ?? Number.POSITIVE_INFINITY);
}

function controllerAt(state: ControllerState, due: ControllerDue): Micros {
  const connection = connectionOf(state);
  if (connection === undefined) return 0;
  const { phase, endpoint, idleAt, calls } = connection;
  if (due === 'idle') return idleAt;
  if (due === 'repeat') return earliest(endpoint.retransmitAt, endpoint.persistAt);
  if (due === 'deadline') return phase.kind === 'handed-off' ? phase.deadline : 0;
  if (due === 'reset') return phase.kind === 'resetting' ? phase.at : 0;
  return calls[Number(due.slice(4))]?.at ?? 0;
}

function backendAt(state: BackendState, due: BackendDue): Micros {
  const service = serviceOf(state);
  if (service === undefined) return 0;
  if (due === 'respond') return service.respondAt ?? 0;
  if (due === 'lease') return service.leaseEnds ?? 0;
  return earliest(service.endpoint.retransmitAt, service.endpoint.persistAt);
}

const CONTROLLER_TIMED: Timed<ControllerState, ControllerDue> = {
  due: controllerDue,
  rung: controllerRung,
  at: controllerAt,
};
const BACKEND_TIMED: Timed<BackendState, BackendDue> = { due: backendDue, rung: backendRung, at: backendAt };
const SWITCH_TIMED: Timed<SwitchState, never> = { due: () => [], rung: (state) => state, at: () => 0 };

export interface Cores {
  readonly controller: StepFunction<ControllerState>;
  readonly switch: StepFunction<SwitchState>;
  readonly backend: StepFunction<BackendState>;
}

export const REFERENCE: Cores = { controller: stepController, switch: stepSwitch, backend: stepBackend };

export interface Roles {
  readonly controller: Role<ControllerState, ControllerDue>;
  readonly switch: Role<SwitchState, never>;
  readonly backends: Readonly<Record<BackendName, Role<BackendState, BackendDue>>>;
  readonly initial: { readonly controller: StateId; readonly switch: StateId; readonly backends: readonly StateId[] };
}

export interface RoleOptions {
  readonly cores: Cores;
  /** Remedies that are switched off. */
  readonly without: WithoutRemedies;
}

/** For exploring: the clock never moves. */
export function exploredRoles({ cores, without }: RoleOptions): Roles {
  const backend = (): Role<BackendState, BackendDue> => new ExploredRole(cores.backend, calmBackend, BACKEND_TIMED);
  return started(
    new ExploredRole(cores.controller, calmController, CONTROLLER_TIMED),
    new ExploredRole(cores.switch, calmSwitch, SWITCH_TIMED),
    { b1: backend(), b2: backend() },
    without,
  );
}

/** For going one way in virtual time. */
export function liveRoles({ cores, without }: RoleOptions, clock: Clock): Roles {
  const backend = (): Role<BackendState, BackendDue> => new LiveRole(cores.backend, BACKEND_TIMED, clock);
  return started(
    new LiveRole(cores.controller, CONTROLLER_TIMED, clock),
    new LiveRole(cores.switch, SWITCH_TIMED, clock),
    { b1: backend(), b2: backend() },
    without,
  );
}

function started(
  controller: Roles['controller'],
  fabric: Roles['switch'],
  backends: Roles['backends'],
  without: WithoutRemedies,
): Roles {
  const of = <Config>(config: Config): Config & { without: WithoutRemedies } => ({ ...config, without });
  return {
    controller,
    switch: fabric,
    backends,
    initial: {
      controller: controller.number(initController(of(controllerConfiguration)).state),
      switch: fabric.number(initSwitch(of(switchConfiguration)).state),
      backends: BACKENDS.map((name) => backends[name].number(initBackend(of(backendConfigurations[name])).state)),
    },
  };
}
