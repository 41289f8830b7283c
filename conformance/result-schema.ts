/** The result object that every judging command writes with `--json` (`prism-result/1`), and the exit code it amounts to. */
import { z } from 'zod';
import { Waiver } from '../harness/target/manifest.js';
import type { Result, Verdict } from './verdict.js';

export const VERDICTS = ['pass', 'fail', 'inconclusive', 'unsupported', 'error'] as const satisfies readonly Verdict[];

const count = z.int().min(0);

export const EvidenceFrameSchema = z.strictObject({
  /** Path of the capture relative to the output folder, or as it was given to `prism check`. */
  capture: z.string(),
  /** Frame number over the whole file from 1, as Wireshark counts; for a control log, the line. */
  frame: z.int().min(1),
  note: z.string(),
  /** Nothing is wrong with this frame: what it says is broken later. */
  background: z.literal(true).exactOptional(),
});

export const OffenceSchema = z.strictObject({
  /** The clause it is charged to; null for an expectation that no clause is charged with. */
  clause: z.string().nullable(),
  /** `check`: frames or control messages show it. `case`: the story expected something else. */
  by: z.enum(['check', 'case']),
  message: z.string(),
  /** Its earliest evidence; `vantage` where that is a frame. Absent where no single frame shows it. */
  at: z
    .strictObject({ capture: z.string(), frame: z.int().min(1), vantage: z.string().exactOptional() })
    .exactOptional(),
});

export const ResultSchema = z
  .strictObject({
    id: z.string().min(1),
    clauses: z.array(z.string().regex(/^[A-Z]{3}-\d+$/)),
    verdict: z.enum(VERDICTS),
    exercised: count,
    message: z.string(),
    evidence: z.array(EvidenceFrameSchema),
    replay: z.string(),
    /** Of a case that failed: what led to the rest. */
    leading: OffenceSchema.exactOptional(),
    /** Of a case that failed: what else is wrong, the likelier causes first. */
    beside: z.array(OffenceSchema).exactOptional(),
    /** What excuses it, where the target's manifest does. */
    waiver: z.strictObject({ reason: z.string().min(1), link: z.string(), expires: z.iso.date() }).exactOptional(),
  })
  .refine((result) => result.verdict !== 'pass' || result.exercised > 0, 'a pass has been exercised at least once');

export const ResultDocument = z.strictObject({
  schema: z.literal('prism-result/1'),
  tool: z.literal('prism-conformance'),
  version: z.string(),
  command: z.string(),
  startedAt: z.iso.datetime(),
  durationMs: count,
  /** Null where nothing was random, as in `prism check`. */
  seed: z.int().min(0).max(0xffffffff).nullable(),
  /** What was judged: `reference`, or `captures`. */
  target: z.string(),
  world: z.enum(['sim', 'linux', 'sim+linux', 'none']),
  /** The part of the run that this is, `i/n`; absent for a whole run. */
  shard: z
    .string()
    .regex(/^\d+\/\d+$/)
    .exactOptional(),
  /** What the target's manifest waives; absent where it waives nothing. */
  waivers: z.array(Waiver).exactOptional(),
  summary: z.strictObject({ pass: count, fail: count, inconclusive: count, unsupported: count, error: count }),
  results: z.array(ResultSchema),
  /** One line for each thing that was left out or switched off, and how to get it; absent when there is none. */
  leftOut: z.array(z.string().min(1)).optional(),
  /** What else the run has to tell, such as which combinations ran; every row has as many cells as there are columns. */
  tables: z
    .array(
      z.strictObject({ name: z.string().min(1), columns: z.array(z.string()), rows: z.array(z.array(z.string())) }),
    )
    .optional(),
});
export type ResultDocument = z.infer<typeof ResultDocument>;
export type Summary = ResultDocument['summary'];

/** What a command knows of itself when it is done; the rest of the document follows from the results. */
export interface RunDescription {
  readonly version: string;
  readonly command: string;
  readonly startedAt: Date;
  readonly finishedAt: Date;
  readonly seed: number | null;
  readonly target: string;
  readonly world: ResultDocument['world'];
  readonly leftOut?: readonly string[];
  readonly tables?: readonly ExtraTable[];
  /** `i/n`. */
  readonly shard?: string;
  readonly waivers?: readonly Waiver[];
}

/** Something else that a run has to tell, such as which combinations of clients and options ran. */
export interface ExtraTable {
  readonly name: string;
  readonly columns: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

export function summarise(results: readonly Result[]): Summary {
  const summary: Summary = { pass: 0, fail: 0, inconclusive: 0, unsupported: 0, error: 0 };
  for (const result of results) summary[result.verdict]++;
  return summary;
}

export function resultDocument(run: RunDescription, results: readonly Result[]): ResultDocument {
  return ResultDocument.parse({
    schema: 'prism-result/1',
    tool: 'prism-conformance',
    version: run.version,
    command: run.command,
    startedAt: run.startedAt.toISOString(),
    durationMs: Math.max(0, run.finishedAt.getTime() - run.startedAt.getTime()),
    seed: run.seed,
    target: run.target,
    world: run.world,
    ...(run.shard === undefined ? {} : { shard: run.shard }),
    ...(run.waivers === undefined || run.waivers.length === 0 ? {} : { waivers: run.waivers }),
    summary: summarise(results),
    results,
    ...(run.leftOut === undefined || run.leftOut.length === 0 ? {} : { leftOut: run.leftOut }),
    ...(run.tables === undefined || run.tables.length === 0 ? {} : { tables: run.tables }),
  });
}

/** How many results leave open what was demanded: a waived one is not demanded. */
export function openResults(results: readonly Result[]): number {
  return results.filter((r) => (r.verdict === 'inconclusive' || r.verdict === 'unsupported') && r.waiver === undefined)
    .length;
}

/**
 * 4 when the harness failed anywhere (such a run proves nothing, whatever else it says), 1 when a clause was violated,
 * 3 when `strict` and something demanded stayed inconclusive or unsupported, else 0.
 */
export function exitCodeOf(results: readonly Result[], strict: boolean): 0 | 1 | 3 | 4 {
  const summary = summarise(results);
  if (summary.error > 0) return 4;
  if (summary.fail > 0) return 1;
  return strict && openResults(results) > 0 ? 3 : 0;
}
