/** Which ladders stand with which problem of a report: every offending frame is drawn once. */
import type { JudgeInput } from '../../judge.js';
import { type EvidenceFrame, NO_SINGLE_FRAME } from '../../verdict.js';
import { type Problem, problemKey } from '../matrix.js';
import { drawLadders } from './draw.js';
import type { Ladder } from './rows.js';

/** Enough to see what led to the frame, few enough to read and to load. */
const LIMITS = { rows: 60, ladders: 3 } as const;
/** Ladders of one report. */
const MAX_LADDERS = 40;
const TOO_MANY = `${LIMITS.ladders} ladders are drawn for one result at most, ${MAX_LADDERS} in a report`;

/**
 * The captures of the run that a named file belongs to, its topology and its control log; the same object for every file of one run, so that
 * they are drawn together. Undefined for a name that is no capture's and no control log's.
 */
export type LadderSource = (
  file: string,
) => { readonly ok: true; readonly input: JudgeInput } | { readonly ok: false; readonly reason: string } | undefined;

export interface ProblemLadders {
  readonly ladders: readonly Ladder[];
  /** Frames that stand in a ladder of another problem. */
  readonly elsewhere: readonly { readonly frame: EvidenceFrame; readonly problem: Problem }[];
  /** Frames that stand in none. */
  readonly undrawn: readonly EvidenceFrame[];
  /** Why. */
  readonly notes: readonly string[];
}

const keyOf = (column: string, { capture, frame }: EvidenceFrame): string => `${column}\0${capture}\0${frame}`;

/** By `problemKey`; the frames of the problems are drawn where they come first. */
export function laddersOf(problems: readonly Problem[], source: LadderSource): Map<string, ProblemLadders> {
  const drawnWith = new Map<string, Problem>();
  const all = new Map<string, ProblemLadders>();
  let count = 0;
  for (const problem of problems) {
    const { column, result } = problem;
    const fresh: EvidenceFrame[] = [];
    const elsewhere: { frame: EvidenceFrame; problem: Problem }[] = [];
    for (const frame of result.evidence) {
      const other = drawnWith.get(keyOf(column, frame));
      if (other === undefined) fresh.push(frame);
      else elsewhere.push({ frame, problem: other });
    }
    const ladders: Ladder[] = [];
    const undrawn: EvidenceFrame[] = [];
    const notes = new Set<string>();
    for (const { input, reason, frames } of byRun(fresh, source)) {
      const room = Math.min(LIMITS.ladders - ladders.length, MAX_LADDERS - count);
      if (input === undefined || room <= 0) {
        undrawn.push(...frames);
        if (reason !== undefined) notes.add(reason);
        else if (input !== undefined) notes.add(TOO_MANY);
        continue;
      }
      const drawn = drawLadders(input, frames, { rows: LIMITS.rows, ladders: room });
      ladders.push(...drawn.ladders);
      count += drawn.ladders.length;
      undrawn.push(...drawn.undrawn);
      if (drawn.undrawn.some(({ note }) => note !== NO_SINGLE_FRAME) && drawn.ladders.length === room)
        notes.add(TOO_MANY);
    }
    for (const frame of fresh) if (!undrawn.includes(frame)) drawnWith.set(keyOf(column, frame), problem);
    all.set(problemKey(problem), { ladders, elsewhere, undrawn, notes: [...notes] });
  }
  return all;
}

function byRun(
  frames: readonly EvidenceFrame[],
  source: LadderSource,
): { input: JudgeInput | undefined; reason: string | undefined; frames: EvidenceFrame[] }[] {
  const runs: { input: JudgeInput | undefined; reason: string | undefined; frames: EvidenceFrame[] }[] = [];
  for (const frame of frames) {
    const found = source(frame.capture);
    const input = found?.ok ? found.input : undefined;
    const reason = found?.ok === false ? found.reason : undefined;
    const run = runs.find((other) => other.input === input && other.reason === reason);
    if (run) run.frames.push(frame);
    else runs.push({ input, reason, frames: [frame] });
  }
  return runs;
}
