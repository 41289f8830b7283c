/** A ladder as data: the frames and control messages of one conversation, a row each, between the columns of who was there. */

/** What crosses from one column to the next. */
export interface LadderRow {
  readonly kind: 'frame' | 'control';
  /** Nanoseconds since the first frame of the captures, as Wireshark's time column counts (in seconds). */
  readonly t: number;
  /** Index into the ladder's `files`. */
  readonly file: number;
  /** The frame's number over the whole file from 1, as Wireshark counts; of a control message, its line in the log. */
  readonly number: number;
  /** Columns. A frame was taken at one side of the switch, which is therefore one of the two. */
  readonly from: string;
  readonly to: string;
  /** The segment in tcpdump's manner, or what the control message says. */
  readonly label: string;
  /** What the verdict says of it; empty for a row that is there for its surroundings. */
  readonly marks: readonly string[];
}

/** Rows that were left out here. */
export interface LadderGap {
  readonly kind: 'gap';
  readonly left: number;
}

export interface Ladder {
  /** The captures that it was drawn from, and the control log behind them if there is one. */
  readonly files: readonly string[];
  /** `198.18.1.2:40001`, with `#2` and so on for a later connection of that port; or what else it is a conversation of. */
  readonly conversation: string;
  /** Wireshark's display filter that shows the conversation. */
  readonly filter: string;
  /** `client`, `switch`, `controller` and the backends that occur. */
  readonly columns: readonly string[];
  /** In order of time. */
  readonly rows: readonly (LadderRow | LadderGap)[];
}

export function isGap(row: LadderRow | LadderGap): row is LadderGap {
  return row.kind === 'gap';
}

export function isMarked(row: LadderRow | LadderGap | undefined): row is LadderRow {
  return row !== undefined && row.kind !== 'gap' && row.marks.length > 0;
}
