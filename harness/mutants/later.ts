/** Faults that wait: for a client's second request, or for one of a certain method. */
import { type ControlMessage, clientOf } from '../../reference-impl/control/messages.js';
import type { RoleInput, RoleOutput } from '../../reference-impl/core/core.js';
import { type Breaker, breaker } from './breaker.js';
import { edited, type Fields, fieldsOf } from './edit.js';
import { destinationOf, isMessage } from './host-faults.js';

/** What of a client's requests has passed a role. */
export interface Served {
  /** Hand-offs so far, the present one included. */
  readonly handoffs: number;
  /** Of the present one. */
  readonly method: string;
}

const NOBODY: ReadonlyMap<string, Served> = new Map();
const NOTHING: Served = { handoffs: 0, method: '' };

type Table = typeof NOBODY;

function noted(before: Table, message: ControlMessage): Table {
  if (message.verb !== 'handoff') return before;
  const key = clientOf(message) ?? '';
  const handoffs = (before.get(key) ?? NOTHING).handoffs + 1;
  return new Map(before).set(key, { handoffs, method: message.request.method });
}

function follow(
  alterIn: (input: RoleInput, served: Served) => readonly RoleInput[],
  alterOut: (output: RoleOutput, served: Served) => readonly RoleOutput[],
): Breaker {
  return breaker(NOBODY, (before, input, inner) => {
    let memory = before;
    if (input.kind === 'control') memory = noted(memory, input.message);
    const key = input.kind === 'control' ? (clientOf(input.message) ?? '') : '';
    const outputs: RoleOutput[] = [];
    for (const out of alterIn(input, memory.get(key) ?? NOTHING).flatMap((one) => inner(one))) {
      if (out.kind === 'control') memory = noted(memory, out.message);
      const fields = out.kind === 'frame' ? fieldsOf(out.bytes) : undefined;
      const client =
        fields !== undefined ? destinationOf(fields) : out.kind === 'control' ? (clientOf(out.message) ?? '') : '';
      outputs.push(...alterOut(out, memory.get(client) ?? NOTHING));
    }
    return { memory, outputs };
  });
}

/** Other fields in the segments to a client, by what of it has been served; null drops one. */
export function segmentsServing(
  change: (fields: Fields, served: Served) => Partial<Fields> | null | undefined,
): Breaker {
  return follow(
    (input) => [input],
    (out, served) => {
      const fields = out.kind === 'frame' ? fieldsOf(out.bytes) : undefined;
      if (out.kind !== 'frame' || fields === undefined) return [out];
      const wanted = change(fields, served);
      if (wanted === null) return [];
      return [wanted === undefined ? out : { ...out, bytes: edited(out.bytes, () => wanted) }];
    },
  );
}

/** Other messages in the place of those that go out; null drops one. */
export function messagesServing<V extends ControlMessage['verb']>(
  verb: V,
  change: (message: Extract<ControlMessage, { verb: V }>, served: Served) => ControlMessage | null,
): Breaker {
  return follow(
    (input) => [input],
    (out, served) => {
      if (!isMessage(out, verb)) return [out];
      const message = change(out.message, served);
      return message === null ? [] : [{ ...out, message }];
    },
  );
}

/** Hand-offs taken as others; a refusal leaves in the place of a take-over where `change` gives none. */
export function takesHandoffs(
  change: (message: Extract<ControlMessage, { verb: 'handoff' }>, served: Served) => ControlMessage | null,
): Breaker {
  return breaker(NOBODY, (before, input, inner) => {
    if (input.kind !== 'control' || input.message.verb !== 'handoff') return { memory: before, outputs: inner(input) };
    const memory = noted(before, input.message);
    const message = change(input.message, memory.get(clientOf(input.message) ?? '') ?? NOTHING);
    if (message !== null) return { memory, outputs: inner({ ...input, message }) };
    const refused = { verb: 'refused', re: input.message.id, code: 'busy', reason: 'no time' } as const;
    return { memory, outputs: [{ kind: 'control', peer: input.peer, message: refused }] };
  });
}

/** Reports of a client's hand-offs taken as others, or not at all. */
export function takesReports(
  change: (message: Extract<ControlMessage, { verb: 'complete' }>, served: Served) => ControlMessage | null,
): Breaker {
  return follow(
    (input, served) => {
      if (input.kind !== 'control' || input.message.verb !== 'complete') return [input];
      const message = change(input.message, served);
      return message === null ? [] : [{ ...input, message }];
    },
    (out) => [out],
  );
}
