/** From the captures of one run and the frames that a verdict names to the ladders that show them. */
import type { JudgeInput } from '../../judge.js';
import { type EvidenceFrame, NO_SINGLE_FRAME } from '../../verdict.js';
import { Captures } from './captures.js';
import { messagesByClient, type SaidMessage } from './control.js';
import { Places, type SeenFrame, SWITCH } from './frames.js';
import type { Ladder, LadderRow } from './rows.js';
import { windowed } from './window.js';
import { controlWords, frameWords, Numbering, segmentWords } from './words.js';

export interface LadderLimits {
  /** Most rows of one ladder. */
  readonly rows: number;
  /** Most ladders for one set of frames, one a connection. */
  readonly ladders: number;
}

export interface Drawn {
  readonly ladders: readonly Ladder[];
  /** Evidence that no ladder shows. */
  readonly undrawn: readonly EvidenceFrame[];
}

/**
 * A ladder for each connection that the evidence names, in the order of the evidence, at most `limits.ladders`. Total: captures that cannot be
 * read and frames that are not in them leave their evidence undrawn. Where no single frame decides, it is the connection that ended last. Times of several files are as each file has them.
 */
export function drawLadders(input: JudgeInput, evidence: readonly EvidenceFrame[], limits: LadderLimits): Drawn {
  const places = new Places(input.topology);
  const captures = new Captures(input, places);
  const messages = messagesByClient(input.controlLog?.entries ?? []);
  const files = [
    ...input.captures.map(({ name }) => name),
    ...(input.controlLog === undefined ? [] : [input.controlLog.name]),
  ];
  const marks = new Map<string, string[]>();
  const wanted = new Set<string>();
  // The frame that stands for none is not worth a ladder; how a connection ended is.
  const undecided = evidence.every(({ note }) => note === NO_SINGLE_FRAME);
  if (undecided) {
    const conversation = captures.lastEnd();
    if (conversation !== undefined) wanted.add(conversation);
  }
  for (const { capture, frame, note } of evidence) {
    const file = files.indexOf(capture);
    if (file < 0 || undecided) continue;
    const key = `${file} ${frame}`;
    const notes = marks.get(key);
    if (notes) notes.push(note);
    else marks.set(key, [note]);
    const conversation =
      file < input.captures.length
        ? captures.at(file, frame)?.conversation
        : [...messages].find(([, said]) => said.some(({ lines }) => lines.includes(frame)))?.[0];
    if (conversation !== undefined) wanted.add(conversation);
  }
  const frames = captures.of(wanted);
  const ladders: Ladder[] = [];
  const shown = new Set<string>();
  for (const conversation of wanted) {
    const own = frames.filter((f) => f.conversation === conversation);
    const said = messages.get(conversation) ?? [];
    const incarnations = splitIncarnations(own);
    for (const [index, part] of incarnations.entries()) {
      const until = incarnations[index + 1]?.[0]?.timestampNs;
      const since = index === 0 ? undefined : part[0]?.timestampNs;
      const spoken = said.filter(
        ({ timestampNs: t }) => (since === undefined || t >= since) && (until === undefined || t < until),
      );
      const rows = rowsOf(part, spoken, {
        origin: captures.origin,
        logFile: input.captures.length,
        marks,
        places,
      });
      const told = undecided ? index === incarnations.length - 1 : rows.some((row) => row.marks.length > 0);
      if (!told || ladders.length === limits.ladders) continue;
      for (const row of rows) if (row.marks.length > 0) for (const key of keysOf(row, spoken, input)) shown.add(key);
      ladders.push({
        files,
        conversation: index === 0 ? conversation : `${conversation}#${index + 1}`,
        filter: part[0]?.filter ?? '',
        columns: columnsOf(rows),
        rows: windowed(rows, limits.rows),
      });
    }
  }
  return {
    ladders,
    undrawn: evidence.filter(({ capture, frame }) => !shown.has(`${files.indexOf(capture)} ${frame}`)),
  };
}

/** A control message's row stands for every line that shows it. */
function keysOf(row: LadderRow, said: readonly SaidMessage[], input: JudgeInput): string[] {
  if (row.kind === 'frame') return [`${row.file} ${row.number}`];
  const lines = said.find(({ lines }) => lines[0] === row.number)?.lines ?? [];
  return lines.map((line) => `${input.captures.length} ${line}`);
}

/** A port is used again when a new SYN follows the end of the former connection: a reset, or a FIN from both sides. */
function splitIncarnations(frames: readonly SeenFrame[]): SeenFrame[][] {
  const parts: SeenFrame[][] = [[]];
  let iss: number | undefined;
  let reset = false;
  const fins = new Set<string>();
  for (const frame of frames) {
    const { segment } = frame;
    const opens = segment?.tcp.syn === true && !segment.tcp.hasAck && segment.towards === 'server';
    if (opens && segment.tcp.seq !== iss) {
      if (iss !== undefined && (reset || fins.size === 2)) parts.push([]);
      iss = segment.tcp.seq;
      reset = false;
      fins.clear();
    }
    if (segment?.tcp.rst) reset = true;
    if (segment?.tcp.fin) fins.add(segment.towards);
    parts.at(-1)?.push(frame);
  }
  return parts;
}

interface Telling {
  readonly origin: bigint;
  readonly logFile: number;
  /** Notes by `file number`. */
  readonly marks: ReadonlyMap<string, readonly string[]>;
  readonly places: Places;
}

function rowsOf(frames: readonly SeenFrame[], said: readonly SaidMessage[], telling: Telling): LadderRow[] {
  const { origin, logFile, marks, places } = telling;
  const numbers = new Numbering();
  // The whole conversation is heard first: a control message may come before the frame that tells what it counts from.
  for (const { segment } of frames) if (segment) numbers.hear(segment);
  const rows = frames.map(
    (frame): LadderRow => ({
      kind: 'frame',
      t: Number(frame.timestampNs - origin),
      file: frame.file,
      number: frame.number,
      from: frame.from,
      to: frame.to,
      label: frame.segment
        ? segmentWords(frame.segment, numbers) + addressWords(frame, places)
        : frameWords(frame.view),
      marks: marks.get(`${frame.file} ${frame.number}`) ?? [],
    }),
  );
  for (const { timestampNs, from, to, message, answers, lines, flight } of said) {
    const answered = answers === undefined ? '' : ` to ${answers}`;
    const arrival = flight !== undefined && flight > 0 ? ` (+${(flight / 1e6).toFixed(3)} ms)` : '';
    rows.push({
      kind: 'control',
      t: Number(timestampNs - origin),
      file: logFile,
      number: lines[0] ?? 0,
      from,
      to,
      label: controlWords(message, numbers) + answered + arrival,
      marks: lines.flatMap((line) => marks.get(`${logFile} ${line}`) ?? []),
    });
  }
  // Stable: rows of one moment stay as they are in their file, frames before messages.
  return rows.sort((a, b) => a.t - b.t);
}

/** Says at which address the server's end shows, where it is not the one that this vantage should see. */
function addressWords({ segment, vantage }: SeenFrame, places: Places): string {
  if (segment === undefined) return '';
  const address = segment.towards === 'server' ? segment.ipv4.dst : segment.ipv4.src;
  const at = places.serverAt(address);
  const expected =
    vantage === 'client' ? ['logical'] : vantage === 'controller' ? ['controller', 'logical'] : [vantage];
  if (at === undefined || expected.includes(at)) return '';
  return segment.towards === 'server' ? ` (to the address of ${at})` : ` (from the address of ${at})`;
}

/** Of those that occur: client, switch, controller, the others by number. */
function columnsOf(rows: readonly LadderRow[]): string[] {
  const rank = (name: string): number => {
    const fixed = ['client', SWITCH, 'controller'].indexOf(name);
    return fixed >= 0 ? fixed : 3 + Number(/\d+$/.exec(name)?.[0] ?? 0);
  };
  const names = new Set([SWITCH, ...rows.flatMap(({ from, to }) => [from, to])]);
  return [...names].sort((a, b) => rank(a) - rank(b) || (a < b ? -1 : 1));
}
