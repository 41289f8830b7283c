/** Breakers: pure decorators over a role's step function, which change what goes in or what comes out, with a memory of their own. */
import type { ControlMessage } from '../../reference-impl/control/messages.js';
import type { Micros, RoleInput, RoleOutput, StepFunction } from '../../reference-impl/core/core.js';
import type { RoleCore } from '../cores.js';

/** A core's state with the breaker's memory beside it; only the breaker that made the memory reads it. */
export interface Broken<State> {
  readonly core: State;
  readonly memory: unknown;
}

/** Puts a fault around any core. */
export type Breaker = <State>(core: RoleCore<State>) => RoleCore<Broken<State>>;

/** Steps the core inside; may be called any number of times in one step of the breaker, or never. */
export type Inner = (input: RoleInput) => readonly RoleOutput[];

/** What a breaker makes of an input. */
export type React<Memory> = (
  memory: Memory,
  input: RoleInput,
  inner: Inner,
  now: Micros,
) => { readonly memory: Memory; readonly outputs: readonly RoleOutput[] };

export type FrameOutput = Extract<RoleOutput, { kind: 'frame' }>;
export type ControlOutput = Extract<RoleOutput, { kind: 'control' }>;

/** A breaker with a memory, which begins as `begin` and is never changed in place. */
export function breaker<Memory>(begin: Memory, react: React<Memory>): Breaker {
  return <State>(core: RoleCore<State>): RoleCore<Broken<State>> => {
    const step: StepFunction<Broken<State>> = (broken, input, now) => {
      let state = broken.core;
      const inner: Inner = (given) => {
        const stepped = core.step(state, given, now);
        state = stepped.state;
        return stepped.outputs;
      };
      // The memory of this very breaker: nobody else makes its state.
      const { memory, outputs } = react(broken.memory as Memory, input, inner, now);
      return { state: { core: state, memory }, outputs };
    };
    return {
      initial: { state: { core: core.initial.state, memory: begin }, outputs: core.initial.outputs },
      step,
      held: ({ core: state }) => core.held(state),
    };
  };
}

/** Alters each thing that comes out; several or none may take its place. */
export function output(alter: (output: RoleOutput, input: RoleInput) => readonly RoleOutput[]): Breaker {
  return breaker(null, (memory, input, inner) => ({
    memory,
    outputs: inner(input).flatMap((out) => alter(out, input)),
  }));
}

/** Alters each frame that goes out: other bytes, several frames, or none. */
export function framesOut(alter: (frame: FrameOutput, input: RoleInput) => readonly FrameOutput[]): Breaker {
  return output((out, input) => (out.kind === 'frame' ? alter(out, input) : [out]));
}

/** Alters each control message that goes out. */
export function messagesOut(alter: (message: ControlMessage, peer: string) => readonly ControlMessage[]): Breaker {
  return output((out) =>
    out.kind === 'control' ? alter(out.message, out.peer).map((message) => ({ ...out, message })) : [out],
  );
}

/** Alters each input; none is ignored, several come one after the other. */
export function input(alter: (input: RoleInput) => readonly RoleInput[]): Breaker {
  return breaker(null, (memory, given, inner) => ({ memory, outputs: alter(given).flatMap((one) => inner(one)) }));
}

/** Alters each frame that comes in. */
export function framesIn(alter: (bytes: Uint8Array, port: string) => readonly Uint8Array[]): Breaker {
  return input((given) =>
    given.kind === 'frame' ? alter(given.bytes, given.port).map((bytes) => ({ ...given, bytes })) : [given],
  );
}

/** Alters each control message that comes in. */
export function messagesIn(alter: (message: ControlMessage, peer: string) => readonly ControlMessage[]): Breaker {
  return input((given) =>
    given.kind === 'control' ? alter(given.message, given.peer).map((message) => ({ ...given, message })) : [given],
  );
}

/**
 * With a memory that the frames and messages passing through feed: `note` sees each input before the core, `alter` each output behind it,
 * both with the memory as it is then.
 */
export function remembering<Memory>(
  begin: Memory,
  note: (memory: Memory, input: RoleInput) => Memory,
  alter: (memory: Memory, output: RoleOutput, input: RoleInput) => readonly [Memory, readonly RoleOutput[]],
): Breaker {
  return breaker(begin, (before, given, inner) => {
    let memory = note(before, given);
    const outputs: RoleOutput[] = [];
    for (const out of inner(given)) {
      const [after, instead] = alter(memory, out, given);
      memory = after;
      outputs.push(...instead);
    }
    return { memory, outputs };
  });
}

const LATE = 'mutant';

/** Sends what `late` chooses again, or only then, `after` microseconds later; a second choice within that time waits with the first. */
export function lateOutput(
  after: Micros,
  late: (output: RoleOutput, input: RoleInput) => 'now' | 'later' | 'both',
): Breaker {
  interface Waiting {
    readonly at: Micros;
    readonly outputs: readonly RoleOutput[];
  }
  const none: readonly Waiting[] = [];
  return breaker(none, (before, given, inner, now) => {
    const outputs: RoleOutput[] = [];
    let waiting = before;
    if (given.kind === 'timer' && given.key === LATE) {
      outputs.push(...waiting.filter(({ at }) => at <= now).flatMap((one) => one.outputs));
      waiting = waiting.filter(({ at }) => at > now);
    } else {
      const held: RoleOutput[] = [];
      for (const out of inner(given)) {
        const when = late(out, given);
        if (when !== 'later') outputs.push(out);
        if (when !== 'now') held.push(out);
      }
      if (held.length > 0) waiting = [...waiting, { at: now + after, outputs: held }];
    }
    const [next] = waiting;
    if (waiting !== before) outputs.push({ kind: 'timer', key: LATE, at: next?.at ?? null });
    return { memory: waiting, outputs };
  });
}
