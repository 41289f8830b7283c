/** Which control messages a fault or a trigger is about. */
import type { ControlMessage } from '../reference-impl/control/messages.js';
import type { ControlMatch } from './world.js';

/** A message on its way: `from` and `to` are roles. */
export interface TravellingMessage {
  readonly from: string;
  readonly to: string;
  readonly message: ControlMessage;
}

type RequestVerb = NonNullable<ControlMatch['answers']>;

/** Matches messages one after the other; remembers what was asked, because an answer names its request by id alone. */
export class ControlMatcher {
  readonly #asked = new Map<string, RequestVerb>();

  /** Must see every message, in the order in which they are sent, before it is asked about it. */
  note({ from, message }: TravellingMessage): void {
    if (message.verb !== 'ok' && message.verb !== 'refused') this.#asked.set(`${from} ${message.id}`, message.verb);
  }

  /** Every given field matches; `answers` is never met by a request. */
  matches(match: ControlMatch, { from, to, message }: TravellingMessage): boolean {
    if (match.verb !== undefined && match.verb !== message.verb) return false;
    if (match.from !== undefined && match.from !== from) return false;
    if (match.to !== undefined && match.to !== to) return false;
    if (match.answers === undefined) return true;
    if (message.verb !== 'ok' && message.verb !== 'refused') return false;
    return this.#asked.get(`${to} ${message.re}`) === match.answers;
  }
}
