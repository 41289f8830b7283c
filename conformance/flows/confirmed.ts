/** Rules as the control log confirms them: from the switch's ok until somebody asks for the removal. */
import type { Connection } from './connection.js';
import type { LoggedRequest } from './logged.js';
import { remembered } from './remembered.js';

/** A rule that the switch has said to be in force. */
export interface ConfirmedRule {
  readonly backend: string;
  readonly add: LoggedRequest;
  /** The ok to it. */
  readonly ok: { readonly t: number; readonly line: number };
  /** The first request to remove it. */
  readonly removal: LoggedRequest | undefined;
  /** In force for certain from here, ... */
  readonly from: number;
  /** ... up to here. */
  readonly to: number;
}

/** The confirmed rules of a connection, in order; none without a control log. A rule that is asked for again is the same one. */
export const confirmedRules: (connection: Connection) => readonly ConfirmedRule[] = remembered(({ log }) => read(log));

function read(log: readonly LoggedRequest[]): ConfirmedRule[] {
  const rules: ConfirmedRule[] = [];
  for (const [position, add] of log.entries()) {
    const { message, answer } = add;
    const last = rules.at(-1);
    if (message.verb !== 'add' || answer?.ok !== true) continue;
    if (last !== undefined && add.t < last.to) continue;
    const removal = log.slice(position + 1).find((later) => later.message.verb === 'remove');
    rules.push({
      backend: message.rule.backend.name,
      add,
      ok: answer,
      removal,
      from: answer.t,
      to: removal?.t ?? Number.POSITIVE_INFINITY,
    });
  }
  return rules;
}

/** The rule that was in force during all of [from, to], by the log. */
export function confirmedDuring(connection: Connection, from: number, to: number): ConfirmedRule | undefined {
  return confirmedRules(connection).find((rule) => rule.from < from && to < rule.to);
}

/** The confirmed removal behind which, by the log, no rule of the connection can have been asked for up to `t`. */
export function removedBefore(connection: Connection, from: number, t: number): LoggedRequest | undefined {
  const { log } = connection;
  const removal = log.findLast(({ message, answer }) => {
    return message.verb === 'remove' && answer?.ok === true && answer.t < from;
  });
  if (removal === undefined) return undefined;
  const again = log.some(({ message, t: asked }) => message.verb === 'add' && asked > removal.t && asked <= t);
  return again ? undefined : removal;
}
