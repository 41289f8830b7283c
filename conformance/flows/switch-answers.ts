/** What the switch made of the requests for rules that reached it, as the control log has it. */
import type { ControlLogEntry } from '../../harness/world.js';
import { type ControlMessage, clientOf } from '../../reference-impl/control/messages.js';

type RuleRequest = Extract<ControlMessage, { verb: 'add' | 'remove' }>;

/** A request that the switch received, with its answer. Lines count from 1. */
export interface AskedOfSwitch {
  readonly message: RuleRequest;
  /** `address:port` of its client. */
  readonly client: string;
  readonly line: number;
  /** In the captures' time. */
  readonly t: number;
  /** The backend that the connection had a rule to by then, by the switch's own answers. */
  readonly present: string | undefined;
  /** Whether a request under that id had come before: it is answered as the first was, whatever has changed since. */
  readonly repeated: boolean;
  /** How many rules it had by then. */
  readonly rules: number;
  readonly answer: { readonly ok: boolean; readonly code: string | undefined; readonly line: number } | undefined;
}

/**
 * The rule requests by the switch's own entries, by client, in order: what never reached it, or was answered in its stead, is not among them.
 * `origin`: epoch nanoseconds of the captures' time 0.
 */
export function askedOfSwitch(
  entries: readonly ControlLogEntry[],
  origin: bigint,
): ReadonlyMap<string, readonly AskedOfSwitch[]> {
  const answers = new Map<string, { ok: boolean; code: string | undefined; line: number }[]>();
  for (const [index, { at, direction, peer, message }] of entries.entries()) {
    if (at !== 'switch' || direction !== 'sent' || (message.verb !== 'ok' && message.verb !== 'refused')) continue;
    const key = `${peer} ${message.re}`;
    const code = message.verb === 'refused' ? message.code : undefined;
    const list = answers.get(key) ?? [];
    answers.set(key, list);
    list.push({ ok: message.verb === 'ok', code, line: index + 1 });
  }
  const asked = new Map<string, AskedOfSwitch[]>();
  const inForce = new Map<string, string>();
  const met = new Set<string>();
  for (const [index, { at, direction, peer, message, t }] of entries.entries()) {
    if (at !== 'switch' || direction !== 'received') continue;
    if (message.verb !== 'add' && message.verb !== 'remove') continue;
    const client = clientOf(message);
    if (client === null) continue;
    const key = `${peer} ${message.id}`;
    const repeated = met.has(key);
    met.add(key);
    const own = answers.get(key);
    const answer = own?.find(({ line }) => line > index) ?? own?.at(-1);
    const list = asked.get(client) ?? [];
    asked.set(client, list);
    const time = Number(BigInt(t) - origin);
    const present = inForce.get(client);
    list.push({ message, client, line: index + 1, t: time, present, repeated, rules: inForce.size, answer });
    if (answer?.ok !== true || repeated) continue;
    if (message.verb === 'add') inForce.set(client, message.rule.backend.name);
    else inForce.delete(client);
  }
  return asked;
}
