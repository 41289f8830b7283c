/** Which combinations of client programs and stacks ran: rows of the covering array, the pairs of levels that met, and what was left out. */
import { z } from 'zod';
import { holds, pairsOf, type Row } from '../../harness/clients/covering-array.js';
import { combinationId } from '../cases/clients/combinations.js';
import { mayMeet, STACK_FACTORS, STACK_ROWS, type StackFactor } from '../cases/clients/stack-factors.js';
import type { ExtraTable } from '../result-schema.js';
import type { Verdict } from '../verdict.js';

/** A level that a world does not have; a row that asks for it runs with the usual one, or not at all if it is a program. */
export const LeftOutLevel = z.strictObject({ factor: z.string(), level: z.string(), reason: z.string() });
export type LeftOutLevel = z.infer<typeof LeftOutLevel>;

const count = z.int().min(0);

export const CombinationList = z.strictObject({
  schema: z.literal('prism-list/1'),
  combinations: z.array(
    z.strictObject({
      /** The case that runs the row. */
      id: z.string(),
      clauses: z.array(z.string()),
      /** Factor to level. */
      levels: z.record(z.string(), z.string()),
    }),
  ),
  /** Factor to its levels, the usual one first. */
  factors: z.record(z.string(), z.array(z.string())),
  /** Of two levels that may meet; `covered` on Linux as this machine is. */
  pairs: z.strictObject({ covered: count, total: count }),
  leftOut: z.array(LeftOutLevel),
});
export type CombinationList = z.infer<typeof CombinationList>;

export interface Combinations {
  readonly factors: typeof STACK_FACTORS;
  readonly rows: readonly { readonly case: string; readonly levels: Row; readonly verdict: Verdict | undefined }[];
  readonly pairs: { readonly covered: number; readonly total: number };
  readonly leftOut: readonly LeftOutLevel[];
}

/** Conclusive, so that the client did run on that stack. */
const RAN: ReadonlySet<Verdict | undefined> = new Set<Verdict>(['pass', 'fail']);

/**
 * @param verdicts those of a run, by case id; all rows count as run when absent.
 * @param leftOut levels that the world does not have, so that no pair with them was tried.
 */
export function combinationsOf(
  verdicts: ReadonlyMap<string, Verdict> | undefined,
  leftOut: readonly LeftOutLevel[],
): Combinations {
  const rows = STACK_ROWS.map((levels, index) => {
    const id = combinationId(levels, index);
    return { case: id, levels: levels as Row, verdict: verdicts === undefined ? ('pass' as const) : verdicts.get(id) };
  });
  const lacks = (factor: string, level: string): boolean =>
    leftOut.some((one) => one.factor === factor && one.level === level);
  const pairs = pairsOf(STACK_FACTORS, mayMeet);
  const met = pairs.filter(
    (pair) =>
      !lacks(pair.left.factor, pair.left.level) &&
      !lacks(pair.right.factor, pair.right.level) &&
      rows.some(({ levels, verdict }) => RAN.has(verdict) && holds(levels, pair)),
  );
  return { factors: STACK_FACTORS, rows, pairs: { covered: met.length, total: pairs.length }, leftOut };
}

/** One line: `Client stacks on linux: 37 of 37 combinations ran, ...`. */
export function combinationsLine({ rows, pairs }: Combinations, world: string): string {
  const ran = rows.filter(({ verdict }) => RAN.has(verdict)).length;
  return `Client stacks on ${world}: ${ran} of ${rows.length} combinations ran, ${pairs.covered} of ${pairs.total} pairs of settings met`;
}

/** One line for each level that was left out, and why. */
export function leftOutLines({ leftOut }: Combinations, world: string): string[] {
  return leftOut.map(
    ({ factor, level, reason }) => `left out of the client stacks on ${world}: ${factor} ${level} (${reason})`,
  );
}

/** For the report: a row for each combination that was asked for; its name is the line above. */
export function combinationsTable(combinations: Combinations, world: string): ExtraTable {
  const factors = Object.keys(STACK_FACTORS) as StackFactor[];
  const lacked = new Set(combinations.leftOut.map(({ factor, level }) => `${factor} ${level}`));
  const cell = (factor: string, level: string): string =>
    lacked.has(`${factor} ${level}`) ? `${level} (left out)` : level;
  return {
    name: combinationsLine(combinations, world),
    columns: ['case', ...factors, 'verdict'],
    rows: combinations.rows
      .filter(({ verdict }) => verdict !== undefined)
      .map((row) => [row.case, ...factors.map((f) => cell(f, row.levels[f] ?? '')), row.verdict ?? '']),
  };
}
