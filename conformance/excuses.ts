/** Failures that a target has declared: which results are excused, by which waiver, and which waivers are no longer needed. */
import type { Waiver } from '../harness/target/manifest.js';
import type { Result } from './verdict.js';

/** What a waiver names, for messages and result ids. */
export function waived(waiver: Waiver): string {
  return waiver.clause ?? waiver.case ?? '';
}

const covers = (waiver: Waiver, result: Result): boolean => result.id === (waiver.case ?? `check.${waiver.clause}`);

/**
 * The results with every failure excused that the waivers cover: a failing case by its own waiver, or when each clause that it names is
 * waived; a failing clause by its waiver. What is excused is `unsupported` and keeps its frames; strictness does not count it.
 */
export function excuse(results: readonly Result[], waivers: readonly Waiver[]): Result[] {
  if (waivers.length === 0) return [...results];
  const waivedClauses = new Map(waivers.flatMap((w) => (w.clause === undefined ? [] : [[w.clause, w] as const])));
  return results.map((result) => {
    if (result.verdict === 'pass' || result.verdict === 'error') return result;
    const own = waivers.find((waiver) => covers(waiver, result));
    const all = result.clauses.length > 0 && result.clauses.every((clause) => waivedClauses.has(clause));
    const [first] = result.clauses;
    const waiver = own ?? (all && first !== undefined ? waivedClauses.get(first) : undefined);
    if (waiver === undefined) return result;
    const { reason, link, expires } = waiver;
    return {
      ...result,
      verdict: 'unsupported',
      message: `waived until ${expires}: ${reason} (${link}); without the waiver: ${result.verdict}: ${result.message}`,
      waiver: { reason, link, expires },
    };
  });
}

/**
 * One `error` for each waiver that excuses nothing any more. `results` are those of a whole run after `excuse`: in a part of one (a selection,
 * a shard) the failure may simply not have been looked for.
 */
export function needless(results: readonly Result[], waivers: readonly Waiver[]): Result[] {
  return waivers.flatMap((waiver) => {
    const name = waived(waiver);
    const needed = results.some(
      (result) =>
        result.waiver !== undefined &&
        (covers(waiver, result) || (waiver.clause !== undefined && result.clauses.includes(waiver.clause))),
    );
    if (needed) return [];
    return [
      {
        id: `waiver.${name}`,
        clauses: waiver.clause === undefined ? [] : [waiver.clause],
        verdict: 'error',
        exercised: 0,
        message: `the waiver of ${name} is not needed any more: nothing it excuses has failed; remove it from the manifest`,
        evidence: [],
        replay: '',
      } satisfies Result,
    ];
  });
}

/** One line for each waiver that holds no longer on `today` (`YYYY-MM-DD`), or names nothing that `known` has. */
export function unusable(
  waivers: readonly Waiver[],
  today: string,
  known: { readonly clauses: ReadonlySet<string>; readonly cases: ReadonlySet<string> },
): string[] {
  return waivers.flatMap((waiver) => {
    const name = waived(waiver);
    if (waiver.clause !== undefined && !known.clauses.has(waiver.clause))
      return [`a waiver names the clause ${name}, which there is not; see prism list clauses`];
    if (waiver.case !== undefined && !known.cases.has(waiver.case))
      return [`a waiver names the case ${name}, which there is not; see prism list cases`];
    if (waiver.expires < today)
      return [`the waiver of ${name} expired on ${waiver.expires}: mend what it excuses, or renew it with a reason`];
    return [];
  });
}
