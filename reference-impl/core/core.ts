/**
 * What every role core (controller, switch, backend) is: `step(state, input, now) -> {state, outputs}`.
 * No I/O, no clock, no randomness; state, inputs and outputs are plain data, and a step never changes the state it was given.
 */
import type { ControlMessage } from '../control/messages.js';

/** A point in the role's time, in whole microseconds since an origin of the world's choosing; never runs backwards. */
export type Micros = number;

export type RoleName = 'controller' | 'switch' | `backend${number}`;

/** Hosts have one interface, named `link`; the switch names its ports after the vantage they face (`client`, `controller`, `backend0`, ...). */
export type PortName = string;

/** A frame that its sender's kernel left unfinished for a card that never came: it is passed on as unfinished as it came. */
export interface Offload {
  /** The transport checksum's field holds the pseudo-header's sum, not complemented: changed addresses change it, nothing else does. */
  readonly checksumPending: boolean;
  /** How many bytes of payload follow `bytes`, wherever they are sent; a core never sees them. */
  readonly behind: number;
}

export type RoleInput =
  | { readonly kind: 'frame'; readonly port: PortName; readonly bytes: Uint8Array; readonly offload?: Offload }
  | { readonly kind: 'control'; readonly peer: string; readonly message: ControlMessage }
  /** A line from a control peer that is not a valid message (ERR-4). */
  | { readonly kind: 'control-invalid'; readonly peer: string; readonly error: string }
  | { readonly kind: 'control-up'; readonly peer: string }
  | { readonly kind: 'control-down'; readonly peer: string }
  | { readonly kind: 'timer'; readonly key: string };

export type RoleOutput =
  /** `offload`: the input's, when this is that frame on its way. */
  | { readonly kind: 'frame'; readonly port: PortName; readonly bytes: Uint8Array; readonly offload?: Offload }
  | { readonly kind: 'control'; readonly peer: string; readonly message: ControlMessage }
  /** Arms the one timer of that key (replacing an earlier deadline), or cancels it when `at` is null. Firing late or once too often is harmless. */
  | { readonly kind: 'timer'; readonly key: string; readonly at: Micros | null }
  | { readonly kind: 'event'; readonly event: RoleEvent };

/** One step of the protocol as a trace shows it; `action` is the name of the TLA+ action (design: Trace). */
export interface RoleEvent {
  readonly action: string;
  /** `client-ip:port` of the connection, or null where the event is not about one. */
  readonly conn: string | null;
  readonly [field: string]: string | number | boolean | null;
}

export interface Stepped<State> {
  readonly state: State;
  readonly outputs: readonly RoleOutput[];
}

export type StepFunction<State> = (state: State, input: RoleInput, now: Micros) => Stepped<State>;
