/** The real cores, each state and each step of theirs computed once and known by number afterwards. */
import { type BackendState, initBackend, stepBackend } from '../../reference-impl/backend/backend.js';
import type { ControlMessage } from '../../reference-impl/control/messages.js';
import { type ControllerState, initController, stepController } from '../../reference-impl/controller/controller.js';
import type { RoleEvent, RoleInput, StepFunction } from '../../reference-impl/core/core.js';
import { initSwitch, type SwitchState, stepSwitch } from '../../reference-impl/switch/switch.js';
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

/** A core whose states are numbered. `Due` names what of it is timed. */
export class ExploredRole<State, Due extends string> {
  readonly #states: State[] = [];
  readonly #ids = new Map<string, StateId>();
  readonly #outcomes = new Map<string, Outcome>();
  readonly #step: StepFunction<State>;
  readonly #calm: (state: State) => State;
  readonly #due: (state: State) => readonly Due[];
  readonly #rung: (state: State, due: Due) => State;
  /** Steps of the core that were really run. */
  steps = 0;

  constructor(
    step: StepFunction<State>,
    calm: (state: State) => State,
    due: (state: State) => readonly Due[],
    rung: (state: State, due: Due) => State,
  ) {
    this.#step = step;
    this.#calm = calm;
    this.#due = due;
    this.#rung = rung;
  }

  get count(): number {
    return this.#states.length;
  }

  number(state: State): StateId {
    const calm = this.#calm(state);
    const text = plainText(calm);
    let id = this.#ids.get(text);
    if (id === undefined) {
      id = this.#states.push(calm) - 1;
      this.#ids.set(text, id);
    }
    return id;
  }

  state(id: StateId): State {
    const state = this.#states[id];
    if (state === undefined) throw new RangeError(`no state ${id}`);
    return state;
  }

  /** What is timed in a state. */
  due(id: StateId): readonly Due[] {
    return this.#due(this.state(id));
  }

  /** `key` names the input: the same key is the same input. */
  input(id: StateId, key: string, input: RoleInput): Outcome {
    return this.#memoised(`${id} ${key}`, this.state(id), input);
  }

  /** One of its timers fires, and no other. */
  fire(id: StateId, due: Due): Outcome {
    return this.#memoised(`${id} ! ${due}`, this.#rung(this.state(id), due), { kind: 'timer', key: CLIENT.key });
  }

  /** The same input to a state that is changed for this one step. */
  inputWith(id: StateId, key: string, change: (state: State) => State, input: RoleInput): Outcome {
    return this.#memoised(`${id} ? ${key}`, change(this.state(id)), input, (after) => ({
      ...after,
      ...('config' in (after as object) ? { config: (this.state(id) as { config: unknown }).config } : {}),
    }));
  }

  #memoised(key: string, state: State, input: RoleInput, after = (next: State): State => next): Outcome {
    const known = this.#outcomes.get(key);
    if (known !== undefined) return known;
    this.steps++;
    const { state: next, outputs } = this.#step(state, input, NOW);
    const outcome: Outcome = {
      next: this.number(after(next)),
      frames: outputs.flatMap((output) => (output.kind === 'frame' ? [output] : [])),
      control: outputs.flatMap((output) => (output.kind === 'control' ? [output] : [])),
      events: outputs.flatMap((output) => (output.kind === 'event' ? [output.event] : [])),
    };
    this.#outcomes.set(key, outcome);
    return outcome;
  }
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

function controllerRung(state: ControllerState, due: ControllerDue): ControllerState {
  const connection = connectionOf(state);
  if (connection === undefined) return state;
  const { phase, endpoint } = connection;
  const rung = (): Connection => {
    if (due === 'idle') return { ...connection, idleAt: NOW };
    if (due === 'repeat')
      return {
        ...connection,
        endpoint: {
          ...endpoint,
          retransmitAt: endpoint.retransmitAt === null ? null : NOW,
          persistAt: endpoint.persistAt === null ? null : NOW,
        },
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
            endpoint: {
              ...endpoint,
              retransmitAt: endpoint.retransmitAt === null ? null : NOW,
              persistAt: endpoint.persistAt === null ? null : NOW,
            },
          };
  return { ...state, services: new Map(state.services).set(CLIENT.key, rung) };
}

/** A rule table without room, for one step. */
export function fullTable(state: SwitchState): SwitchState {
  return { ...state, config: { ...state.config, ruleCapacity: 0 } };
}

export interface Cores {
  readonly controller: StepFunction<ControllerState>;
  readonly switch: StepFunction<SwitchState>;
  readonly backend: StepFunction<BackendState>;
}

export const REFERENCE: Cores = { controller: stepController, switch: stepSwitch, backend: stepBackend };

export interface Roles {
  readonly controller: ExploredRole<ControllerState, ControllerDue>;
  readonly switch: ExploredRole<SwitchState, never>;
  readonly backends: Readonly<Record<BackendName, ExploredRole<BackendState, BackendDue>>>;
  readonly initial: { readonly controller: StateId; readonly switch: StateId; readonly backends: readonly StateId[] };
}

export function exploredRoles(cores: Cores = REFERENCE): Roles {
  const controller = new ExploredRole(cores.controller, calmController, controllerDue, controllerRung);
  const fabric = new ExploredRole<SwitchState, never>(
    cores.switch,
    calmSwitch,
    () => [],
    (state) => state,
  );
  const backend = () => new ExploredRole(cores.backend, calmBackend, backendDue, backendRung);
  const backends = { b1: backend(), b2: backend() };
  return {
    controller,
    switch: fabric,
    backends,
    initial: {
      controller: controller.number(initController(controllerConfiguration).state),
      switch: fabric.number(initSwitch(switchConfiguration).state),
      backends: BACKENDS.map((name) => backends[name].number(initBackend(backendConfigurations[name]).state)),
    },
  };
}
