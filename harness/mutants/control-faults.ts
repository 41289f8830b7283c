/** Faults in speaking the control protocol: repetitions, answers, strangers, failures that are not reported. */
import type { ControlMessage } from '../../reference-impl/control/messages.js';
import type { RoleInput, RoleOutput } from '../../reference-impl/core/core.js';
import { type Breaker, breaker, type Inner, input } from './breaker.js';
import { isMessage } from './host-faults.js';

type Request = Extract<ControlMessage, { readonly id: string }>;
type Verb = Request['verb'];

/** What is done with the second and later copies of a request: the answers that leave instead of the core's. */
type Repeated = (request: Request, peer: string, inner: Inner, count: number) => readonly RoleOutput[];

/** Treats repetitions of a request (the same verb, the same id) in a way of its own. */
export function onRepeated(verb: Verb, repeated: Repeated): Breaker {
  const none: ReadonlyMap<string, number> = new Map();
  return breaker(none, (before, given, inner) => {
    if (given.kind !== 'control' || given.message.verb !== verb || !('id' in given.message))
      return { memory: before, outputs: inner(given) };
    const count = before.get(given.message.id) ?? 0;
    const memory = new Map(before).set(given.message.id, count + 1);
    return { memory, outputs: count === 0 ? inner(given) : repeated(given.message, given.peer, inner, count) };
  });
}

/** Refuses a repetition, as somebody who does not remember what he has answered. */
export const refuses =
  (code: 'conflict' | 'unknown-connection'): Repeated =>
  ({ id }, peer) => [
    { kind: 'control', peer, message: { verb: 'refused', re: id, code, reason: 'it was asked before' } },
  ];

export const ignores: Repeated = () => [];

/** Obeys a repetition like a new request, and answers it under its old id. */
export const obeysAgain: Repeated = (request, peer, inner, count) => {
  const fresh = `${request.id}#${count}`;
  return inner({ kind: 'control', peer, message: { ...request, id: fresh } }).map((out) =>
    out.kind === 'control' && (out.message.verb === 'ok' || out.message.verb === 'refused') && out.message.re === fresh
      ? { ...out, message: { ...out.message, re: request.id } }
      : out,
  );
};

/** A backend takes a repeated hand-off for another one of the same connection, and reports it like the first. */
export function servesAgain(): Breaker {
  const NUMBERS = 1_000_000;
  const none: ReadonlyMap<number, number> = new Map();
  return breaker(none, (before, given, inner) => {
    let memory = before;
    let taken: RoleInput = given;
    if (given.kind === 'control' && given.message.verb === 'handoff') {
      const count = before.get(given.message.handoff) ?? 0;
      memory = new Map(before).set(given.message.handoff, count + 1);
      taken = { ...given, message: { ...given.message, handoff: given.message.handoff + count * NUMBERS } };
    }
    const outputs = inner(taken).map((out): RoleOutput => {
      if (!isMessage(out, 'complete')) return out;
      return { ...out, message: { ...out.message, handoff: out.message.handoff % NUMBERS } };
    });
    return { memory, outputs };
  });
}

/** A controller takes any report about a connection for one of the hand-off that is in force. */
export function takesAnyReport(): Breaker {
  const none: ReadonlyMap<string, { readonly handoff: number; readonly peer: string }> = new Map();
  return breaker(none, (before, given, inner) => {
    let taken = given;
    if (given.kind === 'control' && given.message.verb === 'complete') {
      const { client } = given.message.conn;
      const current = before.get(`${client.ip}:${client.port}`);
      if (current !== undefined)
        taken = { ...given, peer: current.peer, message: { ...given.message, handoff: current.handoff } };
    }
    const outputs = inner(taken);
    let memory = before;
    for (const out of outputs) {
      if (!isMessage(out, 'handoff')) continue;
      const { client } = out.message.conn;
      memory = new Map(memory).set(`${client.ip}:${client.port}`, { handoff: out.message.handoff, peer: out.peer });
    }
    return { memory, outputs };
  });
}

/** Takes whoever speaks for the controller. */
export function obeysAnybody(): Breaker {
  return breaker(null, (memory, given, inner) => {
    if (given.kind !== 'control' || given.peer === 'controller') return { memory, outputs: inner(given) };
    const outputs = inner({ ...given, peer: 'controller' });
    return { memory, outputs: outputs.map((out) => (out.kind === 'control' ? { ...out, peer: given.peer } : out)) };
  });
}

/** Takes a refusal for a confirmation. */
export function takesRefusalForOk(): Breaker {
  return input((given) =>
    given.kind === 'control' && given.message.verb === 'refused'
      ? [{ ...given, message: { verb: 'ok', re: given.message.re } }]
      : [given],
  );
}

/** Sends a request once: when it would repeat it, it takes it for confirmed. */
export function takesSilenceForOk(verb: 'add' | 'remove'): Breaker {
  const none: ReadonlySet<string> = new Set();
  return breaker(none, (before, given, inner) => {
    let memory = before;
    const outputs = inner(given).flatMap((out): readonly RoleOutput[] => {
      if (!isMessage(out, verb)) return [out];
      const { id } = out.message;
      if (memory.has(id)) return inner({ kind: 'control', peer: out.peer, message: { verb: 'ok', re: id } });
      memory = new Set(memory).add(id);
      return [out];
    });
    return { memory, outputs };
  });
}

/** From the first input of that kind on it does nothing any more, as after a crash in the data path. */
export function diesOf(fatal: (given: RoleInput) => boolean): Breaker {
  return breaker(false, (dead, given, inner) => {
    if (dead || fatal(given)) return { memory: true, outputs: [] };
    return { memory: false, outputs: inner(given) };
  });
}

/** Does not notice that a peer's control connection breaks. */
export function missesBrokenConnections(): Breaker {
  return input((given) => (given.kind === 'control-down' ? [] : [given]));
}
