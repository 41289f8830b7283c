/** A trace as Trace.tla runs it: what is known of one connection, and operations in the order in which they were observed. */

/** A request in units of the specification (see `numbers.ts`). */
export interface TracedRequest {
  readonly kind: 'read' | 'write' | 'bad';
  readonly head: number;
  readonly payload: number;
  readonly response: number;
  /** Whom it is handed to; `none` where nobody was seen to get it. */
  readonly backend: string;
}

/** A host as the specification names it: `client`, `logical` (the controller), or a backend. */
export type TracedHost = string;

/** A frame at its sender's vantage, and what has to become of it; numbers in units. */
export interface TracedPacket {
  readonly by: TracedHost;
  /** Where it arrived first; `none` when it was lost. */
  readonly to: TracedHost;
  readonly seq: number;
  readonly ack: number;
  readonly len: number;
  /** Whether it may carry new data: a single byte may be a window probe (RFC 9293 §3.8.6.1). */
  readonly fresh: boolean;
  /** Whether its window was not zero, as sent and as it arrived. */
  readonly open: boolean;
  readonly farOpen: boolean;
  readonly syn: boolean;
  readonly fin: boolean;
  readonly farFin: boolean;
  readonly rst: boolean;
  /** Whose address it bore when it arrived, as a host. */
  readonly farSrc: TracedHost;
  /** TSval in ranks from 1; 0 without time stamps. */
  readonly ts: number;
}

/** A segment that the environment brings a host. */
export interface TracedSegment {
  readonly host: TracedHost;
  readonly seq: number;
  readonly ack: number;
  readonly len: number;
  readonly syn: boolean;
  readonly fin: boolean;
  readonly rst: boolean;
}

/** What an event says of the step; names and meaning are Trace.tla's (`Agrees`). */
export type Sayings = Readonly<Record<string, string | number | boolean>>;

export type TracedOperation =
  | { readonly op: 'act'; readonly role: string; readonly name: string; readonly says: Sayings }
  | { readonly op: 'meet'; readonly segment: TracedSegment }
  | { readonly op: 'leave'; readonly id: number }
  /** `ends`: behind its data, what came before its turn and may have been kept included; `fin`: with a FIN that may have been kept. */
  | {
      readonly op: 'arrive';
      readonly host: TracedHost;
      readonly id: number;
      readonly ends: number;
      readonly fin: boolean;
    };

/** Where an operation was observed. */
export interface Source {
  /** Line of the event trace or frame of the capture, from 1. */
  readonly number: number;
  /** What was observed, in words. */
  readonly words: string;
}

export interface TracedStep {
  readonly operation: TracedOperation;
  /** Undefined for what the environment adds before the next observed step. */
  readonly source: Source | undefined;
}

export interface TraceProgram {
  /** `address:port` of the client, `#2` and so on for later connections of that port. */
  readonly connection: string;
  /** True for frames: the actions between them are hidden. */
  readonly wire: boolean;
  readonly backends: readonly string[];
  readonly requests: readonly TracedRequest[];
  /** Of each request, how much of its response may be sent before it is whole (RFC 9110 §15.2), in units. */
  readonly interim: readonly number[];
  /** Kinds of misfortune (EventCost of Handoff.tla) without which the observations make no sense. */
  readonly misfortune: readonly string[];
  /** Actions that may be taken between two observations. */
  readonly hidden: readonly string[];
  readonly packets: readonly TracedPacket[];
  readonly steps: readonly TracedStep[];
  /** From a unit of the client's or server's stream back to what it stands for, in words. */
  readonly client: (unit: number) => string;
  readonly server: (unit: number) => string;
  /** What was left out or taken for granted, each in one sentence. */
  readonly notes: readonly string[];
}

/** How many steps were observed, that is, how many events or frames a trace has. */
export function observedSteps(program: TraceProgram): number {
  return program.steps.filter(({ source }) => source !== undefined).length;
}
