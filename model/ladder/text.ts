/** A ladder as text, for terminals and code fences. */
import type { Fate, Ladder, LadderRow, MessageRow } from './rows.js';
import { wrapped } from './wrapped.js';

export interface LadderTextOptions {
  /** Of the longest line, in columns of the terminal: 40 or more, 120 unless told. */
  readonly width?: number;
}

const WIDTH = 120;
const NARROWEST = 40;
/** A ladder that is longer has its heading again at its foot. */
const SCREEN = 40;

/** What the signs mean, for whoever prints ladders to say once. */
export const LADDER_LEGEND: readonly string[] = [
  '-->  a segment   - ->  a control message   |-->   |  leaves, or is on its way   |----->|  arrives',
  'x  lost, dropped or rejected   ~  held up   =  doubled   *  acts by itself',
  '#  owns the connection, or (switch) has a rule   :  has ended or crashed',
];

/**
 * Lines of printable ASCII, none longer than the width. Where the drawing would leave no room for words, actions move to the words; where even
 * that is too little, messages are told in words only. Throws a RangeError for a width below 40.
 */
export function ladderText(ladder: Ladder, options: LadderTextOptions = {}): string[] {
  const width = options.width ?? WIDTH;
  if (!(width >= NARROWEST)) throw new RangeError(`a ladder is at least ${NARROWEST} columns wide, not ${width}`);
  const layout = layoutOf(ladder, Math.floor(width));
  const { rows, last, ending } = ladder;
  const names = layout.lifelines.length > 0 ? [heading(layout)] : [];
  const lines = [...names];
  rows.forEach((row, i) => {
    if (ending?.kind === 'loop' && ending.row === i) lines.push(...banner('from here on for ever:', layout));
    lines.push(...rowLines(row, marginOf(row, rows[i - 1]), layout));
  });
  if (last.length > 0) lines.push(...banner('at the end:', layout));
  for (const row of last) lines.push(...rowLines(row, { step: '', action: '' }, layout));
  if (ending?.kind === 'loop') lines.push(...banner(`... and for ever again from step ${ending.step}`, layout));
  if (ending?.kind === 'stuttering') lines.push(...banner('stuttering: nothing happens any more', layout));
  if (lines.length > SCREEN) lines.push(...names);
  return lines.map((line) => ascii(line).trimEnd());
}

interface Lifeline {
  readonly name: string;
  /** Of its middle, from 0. */
  readonly x: number;
}

interface Layout {
  readonly width: number;
  /** Columns for the number and the action of a step; of the number only if `actionApart` is false. */
  readonly left: number;
  readonly digits: number;
  readonly actionApart: boolean;
  /** None where messages are told in words. */
  readonly lifelines: readonly Lifeline[];
  /** Where the words begin. */
  readonly words: number;
}

/** Words need so many columns, beside the actions and without them. */
const WORDS_BESIDE_ACTIONS = 40;
const WORDS = 30;
const LONGEST_ACTION = 24;
/** Between two lifelines at least, for an arrow with a shaft. */
const GAP = 9;

function layoutOf(ladder: Ladder, width: number): Layout {
  const longestOf = (lengths: readonly number[]) => lengths.reduce((a, b) => Math.max(a, b), 1);
  const digits = longestOf(ladder.rows.map(({ step }) => String(step).length));
  const longest = longestOf(ladder.rows.map((row, i) => marginOf(row, ladder.rows[i - 1]).action.length));
  const withAction = digits + 1 + Math.min(longest, LONGEST_ACTION) + 2;
  for (const [left, words, actionApart] of [
    [withAction, WORDS_BESIDE_ACTIONS, true],
    [digits + 2, WORDS, false],
  ] as const) {
    const lifelines = place(ladder.columns, left);
    const last = lifelines.at(-1);
    const end = last === undefined ? left : last.x + Math.max(Math.ceil(last.name.length / 2), 1) + 2;
    if (end + words <= width) return { width, left, digits, actionApart, lifelines, words: end };
  }
  return { width, left: digits + 2, digits, actionApart: false, lifelines: [], words: digits + 2 };
}

/** Names stand over their lifelines, two columns apart at least. */
function place(names: readonly string[], left: number): Lifeline[] {
  const lifelines: Lifeline[] = [];
  let end = left - 2;
  for (const name of names) {
    const half = Math.floor(name.length / 2);
    const last = lifelines.at(-1);
    const x = Math.max(end + 2 + half, last === undefined ? 0 : last.x + GAP);
    lifelines.push({ name, x });
    end = x - half + name.length;
  }
  return lifelines;
}

function heading({ lifelines }: Layout): string {
  let line = '';
  for (const { name, x } of lifelines) line = line.padEnd(x - Math.floor(name.length / 2)) + name;
  return line;
}

function banner(text: string, { width, digits }: Layout): string[] {
  return wrapped(text, width - digits - 1).map((line) => `${' '.repeat(digits + 1)}${line}`);
}

interface Margin {
  readonly step: string;
  readonly action: string;
}

/** Only the first row of a step names it. */
function marginOf(row: LadderRow, before: LadderRow | undefined): Margin {
  if (before === undefined) return { step: String(row.step), action: row.action ?? '' };
  if (before.step === row.step && before.action === row.action) return { step: '', action: '' };
  return { step: String(row.step), action: row.action ?? (row.step <= before.step ? '(back)' : '(unnamed)') };
}

function rowLines(row: LadderRow, { step, action }: Margin, layout: Layout): string[] {
  const { width, left, digits, actionApart, lifelines, words } = layout;
  // Where there is no label, what changed is the first that is said.
  const [label, changes] = row.label === '' ? [row.changes.join('; '), []] : [row.label, row.changes];
  const said = [
    actionApart || action === '' ? '' : `${action}:`,
    row.kind === 'note' ? '' : lifelines.length > 0 ? FATES[row.fate] : inWords(row),
    label,
  ].filter((part) => part !== '');
  return wordLines(said.join(' '), changes, width - words).map((text, i) => {
    const named = `${step.padStart(digits)} ${actionApart ? cut(action, left - digits - 3) : ''}`;
    const margin = (i === 0 ? named : '').padEnd(left);
    return `${margin}${drawing(row, i === 0, layout)}${text}`;
  });
}

/** What the sign of an arrow says, in words. */
const FATES: Readonly<Record<Fate, string>> = {
  sent: '',
  arrives: '',
  lost: 'lost:',
  'held-up': 'held up:',
  doubled: 'doubled:',
  dropped: 'dropped:',
  rejected: 'rejected:',
  'on-the-way': 'on the way:',
  'held-up-still': 'held up:',
};

/** An arrow where there is no room to draw it. */
function inWords({ fate, from, to }: MessageRow): string {
  const sign = FATES[fate].replace(':', '') || (fate === 'sent' ? 'sent' : '');
  return `${sign}${sign === '' ? '' : ', '}${from} -> ${to}:`;
}

/** What changed stands beside the label where there is room, else below it. */
function wordLines(label: string, changes: readonly string[], room: number): string[] {
  const changed = changes.join('; ');
  if (changed === '') return wrapped(label, room);
  const line = `${label}   ${changed}`;
  if (line.length <= room) return [line];
  return [...wrapped(label, room), ...wrapped(changed, Math.max(room - 2, 1)).map((text) => `  ${text}`)];
}

/** The lifelines from the left margin to the words, with the row's arrow if it is the row's first line. */
function drawing(row: LadderRow, first: boolean, { lifelines, left, words }: Layout): string {
  const signs = Array.from({ length: words }, () => ' ');
  for (const { name, x } of lifelines)
    signs[x] = row.owners.includes(name) ? '#' : row.ended.includes(name) ? ':' : '|';
  const at = (name: string | null) => lifelines.find((lifeline) => lifeline.name === name)?.x;
  const from = at(row.from);
  if (first && from !== undefined) {
    const to = at(row.to);
    if (row.kind === 'note' || to === undefined || to === from) signs[from] = '*';
    else drawArrow(signs, row, from, to);
  }
  return signs.slice(left).join('');
}

function drawArrow(signs: string[], row: MessageRow, from: number, to: number): void {
  const direction = Math.sign(to - from);
  const { length, tip } = arrowOf(row.fate, Math.abs(to - from));
  for (let i = 1; i < length; i++) if (row.kind === 'segment' || i % 2 === 1) signs[from + direction * i] = '-';
  signs[from + direction * length] = tip ?? (direction > 0 ? '>' : '<');
}

/** How far an arrow goes of this distance, and its tip if that is not an arrow's. */
function arrowOf(fate: Fate, distance: number): { readonly length: number; readonly tip?: string } {
  const half = Math.floor(distance / 2);
  switch (fate) {
    case 'sent':
    case 'on-the-way':
      return { length: 3 };
    case 'arrives':
      return { length: distance - 1 };
    case 'lost':
      return { length: half, tip: 'x' };
    case 'held-up':
    case 'held-up-still':
      return { length: half, tip: '~' };
    case 'doubled':
      return { length: half, tip: '=' };
    case 'dropped':
    case 'rejected':
      return { length: distance - 1, tip: 'x' };
  }
}

function cut(text: string, length: number): string {
  return text.length > length ? `${text.slice(0, length - 2)}..` : text;
}

/** Every sign one column wide, whatever names and values a trace has. */
function ascii(line: string): string {
  return line.replace(/[^ -~]/g, '?');
}
