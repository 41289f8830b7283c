/** The control log by connection: each request with its earliest trace and its answer. */
import type { ControlLogEntry } from '../../harness/world.js';
import { type ControlMessage, clientOf } from '../../reference-impl/control/messages.js';
import { type AskedOfSwitch, askedOfSwitch } from './switch-answers.js';

type Request = Exclude<ControlMessage, { verb: 'ok' | 'refused' }>;

export interface LoggedRequest {
  readonly message: Request;
  /** Of the earliest entry that shows it, in the captures' time. */
  readonly t: number;
  /** Line of that entry, from 1. */
  readonly line: number;
  /** Who asked. */
  readonly from: string;
  /** Who was asked. */
  readonly to: string;
  /** Whether the log shows that it arrived. */
  readonly arrived: boolean;
  /** The earliest trace of its answer. */
  readonly answer: { readonly ok: boolean; readonly t: number; readonly line: number } | undefined;
}

export interface LoggedEntry {
  readonly entry: ControlLogEntry;
  readonly t: number;
  readonly line: number;
}

export interface ControlLog {
  readonly name: string;
  /** By `address:port` of the client, in order of time. */
  readonly byClient: ReadonlyMap<string, readonly LoggedRequest[]>;
  /** What reached the switch, by client. */
  readonly askedOfSwitch: ReadonlyMap<string, readonly AskedOfSwitch[]>;
  /** As written, each with its time in the captures' time and its line, in order of time. */
  readonly entries: readonly LoggedEntry[];
  /** Whether messages to the switch were logged at all. */
  readonly showsSwitch: boolean;
  /** Times of the first and the last entry. */
  readonly begin: number;
  readonly end: number;
}

/** `origin`: epoch nanoseconds of the captures' time 0. */
export function indexControlLog(name: string, entries: readonly ControlLogEntry[], origin: bigint): ControlLog {
  const requests = new Map<string, { -readonly [K in keyof LoggedRequest]: LoggedRequest[K] }>();
  const answers = new Map<string, NonNullable<LoggedRequest['answer']>>();
  let showsSwitch = false;
  let begin = Number.POSITIVE_INFINITY;
  let end = Number.NEGATIVE_INFINITY;
  for (const [index, entry] of entries.entries()) {
    const t = Number(BigInt(entry.t) - origin);
    const line = index + 1;
    begin = Math.min(begin, t);
    end = Math.max(end, t);
    const { message } = entry;
    const sender = entry.direction === 'sent' ? entry.at : entry.peer;
    const receiver = entry.direction === 'sent' ? entry.peer : entry.at;
    if (message.verb === 'ok' || message.verb === 'refused') {
      const key = `${receiver} ${message.re}`;
      const known = answers.get(key);
      if (known === undefined || t < known.t) answers.set(key, { ok: message.verb === 'ok', t, line });
      continue;
    }
    if (message.verb === 'add' || message.verb === 'remove') showsSwitch = true;
    const key = `${sender} ${message.id}`;
    const arrived = entry.direction === 'received';
    const known = requests.get(key);
    if (known === undefined)
      requests.set(key, { message, t, line, from: sender, to: receiver, arrived, answer: undefined });
    else {
      known.arrived ||= arrived;
      if (t < known.t) Object.assign(known, { t, line });
    }
  }
  const byClient = new Map<string, LoggedRequest[]>();
  for (const [key, request] of requests) {
    request.answer = answers.get(key);
    const conn = clientOf(request.message);
    if (conn === null) continue;
    const list = byClient.get(conn);
    if (list) list.push(request);
    else byClient.set(conn, [request]);
  }
  for (const list of byClient.values()) list.sort((a, b) => a.t - b.t || a.line - b.line);
  const timed = entries.map((entry, index) => ({ entry, t: Number(BigInt(entry.t) - origin), line: index + 1 }));
  timed.sort((a, b) => a.t - b.t || a.line - b.line);
  return { name, byClient, askedOfSwitch: askedOfSwitch(entries, origin), entries: timed, showsSwitch, begin, end };
}
