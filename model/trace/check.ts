/** Runs traces through TLC: which are behaviours of the specification, and where the others leave it. */
import type { Specification } from '../../spec/formal.js';
import type { Toolbox } from '../spec/toolbox.js';
import type { TlcOutcome } from '../tlc/outcome.js';
import { runTlc } from '../tlc/run.js';
import { parseTlaValue, type TlaValue } from '../tlc/value.js';
import { traceData } from './module-text.js';
import { observedSteps, type Source, type TraceProgram } from './program.js';

export interface Accepted {
  readonly kind: 'accepted';
  /** Events or frames, all of which were matched. */
  readonly matched: number;
}

export interface Departure {
  readonly kind: 'rejected';
  /** Events or frames before the one that does not fit. */
  readonly matched: number;
  /** What does not fit. */
  readonly source: Source;
  /** The last matching states, as TLC printed them; several where what is hidden leaves a choice. */
  readonly states: readonly TlaValue[];
  /** Names of actions that could have come next. */
  readonly allowed: readonly string[];
}

export type TraceVerdict = Accepted | Departure;

export interface TraceCheckOptions {
  readonly heapMegabytes: number;
  /** Milliseconds for one run of TLC. */
  readonly timeoutMs: number;
  readonly signal?: AbortSignal;
  /** Called before each run of TLC and with what it has found. */
  readonly onProgress?: (done: number, total: number) => void;
  /** A new folder that keeps modules and what TLC printed of the first run. */
  readonly keepFolder?: string;
}

export type TraceCheck =
  | {
      readonly ok: true;
      readonly verdicts: readonly TraceVerdict[];
      readonly states: number;
      readonly durationMs: number;
    }
  /** TLC ended without an answer. */
  | { readonly ok: false; readonly outcome: TlcOutcome };

/** Operations in one module: TLC holds all of them in memory. */
const BATCH = 30_000;

/** Throws a RangeError for a trace without an observation: it would be accepted without having been looked at. */
export async function checkTraces(
  toolbox: Toolbox,
  specification: Specification,
  programs: readonly TraceProgram[],
  options: TraceCheckOptions,
): Promise<TraceCheck> {
  for (const program of programs)
    if (observedSteps(program) === 0) throw new RangeError(`${program.connection}: a trace without an observation`);
  const verdicts: TraceVerdict[] = [];
  let states = 0;
  let durationMs = 0;
  let keepFolder = options.keepFolder;
  for (const batch of batches(programs)) {
    options.onProgress?.(verdicts.length, programs.length);
    const run = async (mode: Mode, some: readonly TraceProgram[], stops: readonly number[]): Promise<TlcOutcome> => {
      const outcome = await runMode(toolbox, specification, mode, some, stops, { ...options, keepFolder });
      keepFolder = undefined;
      states += outcome.distinct ?? 0;
      durationMs += outcome.durationMs;
      return outcome;
    };
    const checked = await run('check', batch, []);
    if (checked.kind !== 'ok') return { ok: false, outcome: checked };
    const matched = new Set(numbersIn(checked, 'MATCHED').map(([index]) => index));
    const failing = batch.filter((_, index) => !matched.has(index + 1));
    const departures = new Map<TraceProgram, Departure>();
    if (failing.length > 0) {
      const searched = await run('farthest', failing, []);
      if (searched.kind !== 'ok') return { ok: false, outcome: searched };
      const stops = failing.map(() => 1);
      for (const [index, at] of numbersIn(searched, 'AT'))
        if (index !== undefined && at !== undefined) stops[index - 1] = Math.max(stops[index - 1] ?? 1, at);
      const explained = await run('explain', failing, stops);
      if (explained.kind !== 'ok') return { ok: false, outcome: explained };
      for (const [index, program] of failing.entries())
        departures.set(program, departure(program, stops[index] ?? 1, index + 1, explained));
    }
    for (const program of batch)
      verdicts.push(departures.get(program) ?? { kind: 'accepted', matched: observedSteps(program) });
  }
  options.onProgress?.(verdicts.length, programs.length);
  return { ok: true, verdicts, states, durationMs };
}

type Mode = 'check' | 'farthest' | 'explain';

function runMode(
  toolbox: Toolbox,
  { modules }: Specification,
  mode: Mode,
  programs: readonly TraceProgram[],
  stops: readonly number[],
  options: Omit<TraceCheckOptions, 'keepFolder'> & { readonly keepFolder: string | undefined },
): Promise<TlcOutcome> {
  const { heapMegabytes, timeoutMs, signal, keepFolder } = options;
  const texts = {
    'Handoff.tla': modules['Handoff.tla'] ?? '',
    'Trace.tla': modules['Trace.tla'] ?? '',
    'TraceData.tla': traceData(programs, stops),
  };
  return runTlc(
    {
      java: toolbox.java,
      jar: toolbox.jar.path,
      modules: { texts },
      root: 'Trace',
      cfg: `INIT TraceInit\nNEXT TraceNext\nCONSTANT Mode = "${mode}"\n`,
      // What is printed, and TLCSet, mean something with one worker only.
      workers: 1,
      heapMegabytes,
      deadlock: false,
      coverage: false,
      timeoutMs,
      ...(keepFolder === undefined ? {} : { keepFolder }),
    },
    signal === undefined ? {} : { signal },
  );
}

function* batches(programs: readonly TraceProgram[]): Generator<TraceProgram[]> {
  let batch: TraceProgram[] = [];
  let size = 0;
  for (const program of programs) {
    if (batch.length > 0 && size + program.steps.length > BATCH) {
      yield batch;
      batch = [];
      size = 0;
    }
    batch.push(program);
    size += program.steps.length;
  }
  if (batch.length > 0) yield batch;
}

/** The numbers of each `<<"TAG", 1, 2>>` that was printed. */
function numbersIn({ prints }: TlcOutcome, tag: string): number[][] {
  return prints.flatMap((text) => {
    const [, list] = new RegExp(`^<<"${tag}", ([\\d, ]+)>>$`).exec(text.trim()) ?? [];
    return list === undefined ? [] : [list.split(',').map(Number)];
  });
}

function departure(program: TraceProgram, stop: number, index: number, explained: TlcOutcome): Departure {
  const states: TlaValue[] = [];
  const allowed = new Set<string>();
  for (const text of explained.prints) {
    if (!text.startsWith(`<<"STATE", ${index},`) && !text.startsWith(`<<"ALLOWED", ${index},`) && !/^<<\s/.test(text))
      continue;
    const parsed = parseTlaValue(text);
    if (!parsed.ok || parsed.value.kind !== 'sequence') continue;
    const [tag, trace, value] = parsed.value.items;
    if (trace?.kind !== 'integer' || trace.value !== index || value === undefined || tag?.kind !== 'string') continue;
    if (tag.value === 'STATE') states.push(value);
    else if (tag.value === 'ALLOWED' && value.kind === 'string') allowed.add(value.value);
  }
  const steps = program.steps;
  const next = steps.slice(stop - 1).find(({ source }) => source !== undefined);
  const matched = steps.slice(0, stop - 1).filter(({ source }) => source !== undefined).length;
  const source = next?.source ?? { number: 0, words: 'the end' };
  return { kind: 'rejected', matched, source, states, allowed: [...allowed].sort() };
}
