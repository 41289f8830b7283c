/** Faults that show only at a certain time of a rule: breakers that know what the switch was asked for, and what has passed since. */
import type { ControlMessage, Rule } from '../../reference-impl/control/messages.js';
import type { Micros } from '../../reference-impl/core/core.js';
import { formatIpv4Address } from '../../reference-impl/wire/addresses.js';
import { type Breaker, breaker } from './breaker.js';
import { edited, type Fields, fieldsOf } from './edit.js';
import { type Passage, passageOf } from './switch-faults.js';

/** What is known of a client's port when a frame of it passes. */
export interface PortMemory {
  /** The rule in force; undefined where none is. */
  readonly rule: Rule | undefined;
  /** How many rules were asked for so far. */
  readonly handoffs: number;
  /** Frames through the rule in force, this one counted, and their payload. */
  readonly frames: number;
  readonly bytes: number;
  /** The last frame before this one, or the rule's installation. */
  readonly quietSince: Micros;
}

interface Memory {
  readonly ports: ReadonlyMap<string, PortMemory>;
  /** Frames that left, of anybody. */
  readonly frames: number;
}

const EMPTY: Memory = { ports: new Map(), frames: 0 };
const UNKNOWN: PortMemory = { rule: undefined, handoffs: 0, frames: 0, bytes: 0, quietSince: 0 };

const portOf = ({ client }: { readonly client: { readonly ip: string; readonly port: number } }): string =>
  `${client.ip}:${client.port}`;

/** The client's end of a segment that came in by that port of the switch. */
const clientEnd = (from: string, { src, srcPort, dst, dstPort }: Fields): string =>
  from === 'client' ? `${formatIpv4Address(src)}:${srcPort}` : `${formatIpv4Address(dst)}:${dstPort}`;

function noteControl(memory: Memory, message: ControlMessage, now: Micros): Memory {
  if (message.verb !== 'add' && message.verb !== 'remove') return memory;
  const key = portOf(message.verb === 'add' ? message.rule.conn : message.conn);
  const known = memory.ports.get(key) ?? UNKNOWN;
  const after: PortMemory =
    message.verb === 'add'
      ? { rule: message.rule, handoffs: known.handoffs + 1, frames: 0, bytes: 0, quietSince: now }
      : { ...known, rule: undefined };
  return { ...memory, ports: new Map(memory.ports).set(key, after) };
}

/** What passes a port: the frame as it came, and what is known of its client with it counted. */
export interface Passing {
  readonly came: Fields;
  /** The port of the switch that it came in by. */
  readonly from: string;
  readonly known: PortMemory;
  /** The number of the frame among all that left, from 1. */
  readonly nth: number;
  /** How many rules are in force. */
  readonly rules: number;
  readonly passage: Passage;
}

/** Changes frames of these kinds on their way out, or drops them (null); undefined leaves them. Fields are given valid checksums. */
export function onPassing(
  passages: readonly Passage[],
  change: (fields: Fields, passing: Passing) => Partial<Fields> | null | undefined,
): Breaker {
  return breaker(EMPTY, (before, input, inner, now) => {
    let memory = input.kind === 'control' ? noteControl(before, input.message, now) : before;
    const outputs = inner(input).flatMap((out) => {
      if (input.kind !== 'frame' || out.kind !== 'frame') return [out];
      const passage = passageOf(input.bytes, out.bytes);
      const came = fieldsOf(input.bytes);
      const fields = fieldsOf(out.bytes);
      if (passage === undefined || came === undefined || fields === undefined) return [out];
      const key = clientEnd(input.port, came);
      const known = passed(memory.ports.get(key) ?? UNKNOWN, came, now);
      memory = { frames: memory.frames + 1, ports: new Map(memory.ports).set(key, known) };
      if (!passages.includes(passage)) return [out];
      const rules = [...memory.ports.values()].filter(({ rule }) => rule !== undefined).length;
      const changed = change(fields, { came, from: input.port, known, nth: memory.frames, rules, passage });
      if (changed === undefined) return [out];
      return changed === null ? [] : [{ ...out, bytes: edited(out.bytes, () => changed) }];
    });
    return { memory, outputs };
  });
}

const passed = (known: PortMemory, { payload }: Fields, now: Micros): PortMemory => ({
  ...known,
  frames: known.frames + 1,
  bytes: known.bytes + payload.length,
  quietSince: now,
});

/** The client's segments for which `which` holds miss their rule, and take the default table's way. `quietMs`: since the one before. */
export function missesRule(which: (fields: Fields, known: PortMemory, quietMs: number) => boolean): Breaker {
  return breaker(EMPTY, (before, input, inner, now) => {
    if (input.kind === 'control') return { memory: noteControl(before, input.message, now), outputs: inner(input) };
    const fields = input.kind === 'frame' && input.port === 'client' ? fieldsOf(input.bytes) : undefined;
    const key = fields && clientEnd('client', fields);
    const known = key === undefined ? undefined : before.ports.get(key);
    if (input.kind !== 'frame' || fields === undefined || key === undefined || known?.rule === undefined)
      return { memory: before, outputs: inner(input) };
    const after = passed(known, fields, now);
    const memory = { ...before, ports: new Map(before.ports).set(key, after) };
    if (!which(fields, after, (now - known.quietSince) / 1000)) return { memory, outputs: inner(input) };
    // A port that no rule names; the default table looks at addresses alone.
    const hidden = edited(input.bytes, () => ({ srcPort: 0 }));
    const outputs = inner({ ...input, bytes: hidden }).map((out) =>
      out.kind === 'frame' ? { ...out, bytes: edited(out.bytes, () => ({ srcPort: fields.srcPort })) } : out,
    );
    return { memory, outputs };
  });
}

/** Removes the rules of other connections for which `which` holds whenever it obeys a request of that verb. */
export function removesOthers(
  verb: 'add' | 'remove',
  which: (other: Rule, asked: { readonly client: { readonly ip: string } }) => boolean,
): Breaker {
  return breaker(EMPTY, (before, input, inner, now) => {
    const outputs = inner(input);
    if (input.kind !== 'control' || input.message.verb !== verb) {
      const memory = input.kind === 'control' ? noteControl(before, input.message, now) : before;
      return { memory, outputs };
    }
    const { message, peer } = input;
    let memory = noteControl(before, message, now);
    const conn = message.verb === 'add' ? message.rule.conn : message.verb === 'remove' ? message.conn : undefined;
    for (const [key, { rule }] of before.ports) {
      if (rule === undefined || conn === undefined || key === portOf(conn) || !which(rule, conn)) continue;
      const removal = { verb: 'remove', id: `${message.id}/${key}`, conn: rule.conn } as const;
      inner({ kind: 'control', peer, message: removal });
      memory = noteControl(memory, removal, now);
    }
    return { memory, outputs };
  });
}

/** Confirms, without obeying, requests for a connection's rule for which `which` holds; `handoffs` counts the one that is asked for. */
export function pretends(verb: 'add' | 'remove', which: (rule: Rule, handoffs: number) => boolean): Breaker {
  return breaker(EMPTY, (before, input, inner, now) => {
    const memory = input.kind === 'control' ? noteControl(before, input.message, now) : before;
    if (input.kind !== 'control' || input.message.verb !== verb) return { memory, outputs: inner(input) };
    const { message, peer } = input;
    const conn = message.verb === 'add' ? message.rule.conn : message.verb === 'remove' ? message.conn : undefined;
    const asked = conn && (message.verb === 'add' ? memory : before).ports.get(portOf(conn));
    if (asked?.rule === undefined || !which(asked.rule, asked.handoffs) || !('id' in message))
      return { memory, outputs: inner(input) };
    return { memory, outputs: [{ kind: 'control', peer, message: { verb: 'ok', re: message.id } }] };
  });
}

/** Obeys removals, and refuses them nevertheless. */
export function answersRemovals(code: 'unknown-connection' | 'stale'): Breaker {
  return breaker(null, (memory, input, inner) => {
    const outputs = inner(input);
    if (input.kind !== 'control' || input.message.verb !== 'remove') return { memory, outputs };
    const { id } = input.message;
    const refused = { verb: 'refused', re: id, code, reason: 'there is no such rule' } as const;
    return { memory, outputs: outputs.map((out) => (out.kind === 'control' ? { ...out, message: refused } : out)) };
  });
}
