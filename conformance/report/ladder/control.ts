/** The control log of one connection as rows: a message once, however many roles logged it. */
import type { ControlLogEntry } from '../../../harness/world.js';
import { type ControlMessage, clientOf } from '../../../reference-impl/control/messages.js';

/** A message as it was sent, with what is known of its arrival. */
export interface SaidMessage {
  /** Since the Unix epoch; of the arrival where only that was logged. */
  readonly timestampNs: bigint;
  readonly from: string;
  readonly to: string;
  readonly message: ControlMessage;
  /** What an answer answers. */
  readonly answers: ControlMessage['verb'] | undefined;
  /** Lines of the log that show it, from 1; the first is the one that it is named by. */
  readonly lines: readonly number[];
  /** How long after `timestampNs` it was received, in ns; undefined when that was not logged (or nothing else was). */
  readonly flight: number | undefined;
}

interface Draft {
  readonly entry: ControlLogEntry;
  readonly from: string;
  readonly to: string;
  readonly lines: number[];
  flight: number | undefined;
}

/** Messages about each client's connection, in the log's order. Those about none (`list`, `stats`) are left out. */
export function messagesByClient(entries: readonly ControlLogEntry[]): Map<string, SaidMessage[]> {
  /** Requests by who asked and the request's id. */
  const requests = new Map<string, ControlMessage>();
  const drafts: Draft[] = [];
  const sent = new Map<string, Draft[]>();
  for (const [index, entry] of entries.entries()) {
    const { message } = entry;
    const [from, to] = entry.direction === 'sent' ? [entry.at, entry.peer] : [entry.peer, entry.at];
    const line = index + 1;
    if (message.verb !== 'ok' && message.verb !== 'refused') requests.set(`${from} ${message.id}`, message);
    const key = JSON.stringify([from, to, message]);
    if (entry.direction === 'received') {
      const waiting = sent.get(key)?.find(({ flight }) => flight === undefined);
      if (waiting) {
        waiting.lines.push(line);
        waiting.flight = Number(BigInt(entry.t) - BigInt(waiting.entry.t));
        continue;
      }
    }
    const draft: Draft = { entry, from, to, lines: [line], flight: undefined };
    drafts.push(draft);
    if (entry.direction === 'sent') {
      const list = sent.get(key);
      if (list) list.push(draft);
      else sent.set(key, [draft]);
    }
  }
  const byClient = new Map<string, SaidMessage[]>();
  for (const { entry, from, to, lines, flight } of drafts) {
    const { message } = entry;
    const asked = message.verb === 'ok' || message.verb === 'refused' ? requests.get(`${to} ${message.re}`) : undefined;
    const client = clientOf(asked ?? message);
    if (client === null) continue;
    const said = { timestampNs: BigInt(entry.t), from, to, message, answers: asked?.verb, lines, flight };
    const list = byClient.get(client);
    if (list) list.push(said);
    else byClient.set(client, [said]);
  }
  return byClient;
}
