/** A ladder as lines of text: time and frame at the left, an arrow between the columns, what is said at the right. */
import { isGap, type Ladder, type LadderRow } from './rows.js';

/** Characters from one column's line to the next. */
const PITCH = 11;

/**
 * ```
 *      time  frame  client     switch     controller
 *  0.000000      1     |--------->|          |       SYN seq 0 win 64240
 * >0.001251     11     |          |<=========|       ...
 *                                                    ^ what the verdict says of it
 * ```
 * Control messages are dashed, and numbered by their line in the log; marked rows begin with `>`.
 */
export function ladderText(ladder: Ladder): string[] {
  const { columns, rows, files } = ladder;
  const width = columns.length * PITCH;
  const times = rows.flatMap((row) => (isGap(row) ? [] : [seconds(row.t).length]));
  const timeWidth = Math.max(4, ...times);
  const numbered = rows.flatMap((row) => (isGap(row) ? [] : [numberOf(row, files).length]));
  const numberWidth = Math.max(5, ...numbered);
  const head = ` ${'time'.padStart(timeWidth)}  ${'frame'.padStart(numberWidth)}  `;
  const names = columns.map((name) => name.slice(0, PITCH - 1).padEnd(PITCH)).join('');
  const indent = ' '.repeat(head.length);
  return [
    (head + names).trimEnd(),
    ...rows.flatMap((row) => {
      if (isGap(row)) return [`${indent}${lines(columns).padEnd(width)}${gapWords(row.left)}`];
      const mark = row.marks.length > 0 ? '>' : ' ';
      const lead = `${mark}${seconds(row.t).padStart(timeWidth)}  ${numberOf(row, files).padStart(numberWidth)}  `;
      const noted = row.marks.map((note) => `${indent}${lines(columns).padEnd(width)}^ ${note}`);
      return [`${lead}${arrow(row, columns).padEnd(width)}${row.label}`, ...noted];
    }),
  ];
}

export function gapWords(left: number): string {
  return `... ${left} ${left === 1 ? 'row' : 'rows'} left out ...`;
}

/** Seconds since the first frame, to the microsecond, as Wireshark shows them. */
export function seconds(t: number): string {
  return (t / 1e9).toFixed(6);
}

/** `12`, or `12 of b.pcap` where there are several captures; `line 3` for a control message. */
export function numberOf(row: LadderRow, files: readonly string[]): string {
  if (row.kind === 'control') return `line ${row.number}`;
  const captures = files.filter((name) => !name.endsWith('.ndjson'));
  return captures.length > 1 ? `${row.number} ${files[row.file]?.split('/').at(-1)}` : `${row.number}`;
}

function lines(columns: readonly string[]): string {
  return columns.map(() => '  |'.padEnd(PITCH)).join('');
}

function arrow(row: LadderRow, columns: readonly string[]): string {
  const [a, b] = [columns.indexOf(row.from), columns.indexOf(row.to)];
  const cells = [...lines(columns)];
  if (a === b || a < 0 || b < 0) return cells.join('');
  const [left, right] = [Math.min(a, b) * PITCH + 2, Math.max(a, b) * PITCH + 2];
  const shaft = row.kind === 'control' ? ['-', ' '] : ['-'];
  for (let i = left + 1; i < right; i++) if (cells[i] !== '|') cells[i] = shaft[(i - left) % shaft.length] ?? '-';
  if (a < b) cells[right - 1] = '>';
  else cells[left + 1] = '<';
  return cells.join('');
}
