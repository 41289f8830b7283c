/** A ladder as data: who sends what to whom, a row for each thing that happens. */
/**
 * What becomes of a message in a row. `sent`: leaves its sender. `arrives`: reaches its receiver. The switch is the receiver of what crosses
 * it, and sends it on. `dropped`: by the switch. `rejected`: by the receiver of a control message. `on-the-way`: at the end of the trace,
 * `held-up-still` if it is held up then.
 */
export type Fate =
  | 'sent'
  | 'arrives'
  | 'lost'
  | 'held-up'
  | 'doubled'
  | 'dropped'
  | 'rejected'
  | 'on-the-way'
  | 'held-up-still';

interface Row {
  /** Index of the state that the step leads to, as TLC counts. */
  readonly step: number;
  /** Null for the initial state, a step without a name, and what is said of the end. */
  readonly action: string | null;
  /** The segment in tcpdump's manner, the control message, or what is to be noted; can be empty. */
  readonly label: string;
  /** What changed by the step and matters, a phrase for each role; those of a step of several rows are at its first. */
  readonly changes: readonly string[];
  /** The columns of who owns the connection after the step, and the switch's if it has a rule. */
  readonly owners: readonly string[];
  /** The columns of who has crashed, closed or forgotten the connection. */
  readonly ended: readonly string[];
}

/** `from` and `to` are columns. */
export type MessageRow = Row & {
  readonly kind: 'segment' | 'control';
  readonly fate: Fate;
  readonly from: string;
  readonly to: string;
};

/** `from`: the column that it is about, if it is one. */
export type NoteRow = Row & { readonly kind: 'note'; readonly from: string | null; readonly to: null };

export type LadderRow = MessageRow | NoteRow;

/**
 * How the trace of a liveness property goes on. `loop`: for ever again from the row of this index in `rows`, the first of this step; the rows of
 * the step that closes the loop are the last, and their `step` is the number of the state that they lead back to.
 */
export type Ending =
  | { readonly kind: 'loop'; readonly row: number; readonly step: number }
  | { readonly kind: 'stuttering' };

export interface Ladder {
  /** `client`, `switch`, `controller` and the backends' names; empty for the trace of some other specification. */
  readonly columns: readonly string[];
  /** In the order of the trace. */
  readonly rows: readonly LadderRow[];
  /** What is on the way when the trace ends, and how things stand; empty where it loops. */
  readonly last: readonly LadderRow[];
  /** Null for the trace of an invariant. */
  readonly ending: Ending | null;
}
