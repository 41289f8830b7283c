/** What the controller remembers of one client connection. Plain data. */

import type { ControlMessage, RequestDescription } from '../control/messages.js';
import type { Micros } from '../core/core.js';
import type { Entry } from '../host/host-step.js';
import { deadline } from '../tcp/endpoint.js';

/** A control request without an answer yet; repeated with the same id until there is one (SWT-9). */
export interface Call {
  readonly id: string;
  readonly peer: string;
  readonly message: ControlMessage;
  /** When it is repeated. */
  readonly at: Micros;
  readonly tries: number;
}

/** What happens once the rules are known to be gone. */
export type AfterRemoval =
  /** Take the next request, or close when the response said so. */
  | { readonly kind: 'resume'; readonly keepAlive: boolean; readonly reopen: boolean }
  /** Answer with this status and close (ERR-3). */
  | { readonly kind: 'answer'; readonly status: number }
  /** The number the client expects next is known: reset it (ERR-1). */
  | { readonly kind: 'reset' }
  /** It is not known: learn it, then reset (ERR-2). */
  | { readonly kind: 'probe' }
  | { readonly kind: 'forget' };

export interface HandedRequest {
  readonly request: RequestDescription;
  readonly backend: string;
  readonly handoff: number;
}

export type Phase =
  /** The controller owns the connection and reads a request header. */
  | { readonly kind: 'reading' }
  /** Header acknowledged, rules asked for; still the owner. */
  | { readonly kind: 'installing'; readonly handed: HandedRequest }
  /** The backend has been told; no longer the owner, silent. */
  | { readonly kind: 'handed-off'; readonly handed: HandedRequest; readonly deadline: Micros }
  /** Owner again, but silent until the rules are gone. */
  | { readonly kind: 'removing'; readonly then: AfterRemoval }
  /** The client is being reset: by the number that is known, or that it tells when it is asked by a segment it must answer; again and again, until it is gone. */
  | { readonly kind: 'resetting'; readonly at: Micros; readonly tries: number }
  /** Sending the rest and closing; what still arrives is discarded. */
  | { readonly kind: 'closing' };

export interface Connection extends Entry {
  readonly phase: Phase;
  readonly calls: readonly Call[];
  /** Bytes of a request header that is not complete yet. */
  readonly header: Uint8Array;
  /** The offset of the timestamp clock the connection was opened with. */
  readonly timestampOffset: number;
  /** The last hand-off that ended, so that a repeated report is answered like the first. */
  readonly finished: number;
  /** Frames that came before the rules were known to be gone. */
  readonly held: readonly Uint8Array[];
  readonly idleAt: Micros;
}

/** The earliest moment at which something is due, or null. */
export function connectionDeadline(connection: Connection): Micros | null {
  const due: (Micros | null)[] = connection.calls.map((call) => call.at);
  const { phase, endpoint } = connection;
  switch (phase.kind) {
    case 'reading':
    case 'installing':
    case 'closing':
      due.push(deadline(endpoint));
      // TIME-WAIT has a time of its own.
      if (endpoint.state !== 'time-wait') due.push(connection.idleAt);
      break;
    case 'handed-off':
      due.push(phase.deadline);
      break;
    case 'resetting':
      due.push(phase.at);
      break;
    case 'removing':
      break;
  }
  const times = due.filter((at) => at !== null);
  return times.length === 0 ? null : Math.min(...times);
}
