/** Which cases and clauses a list of selectors means: case ids, clause ids, or globs over both (`HOF-*`, `*pipelined*`). */

import { didYouMean } from '../harness/nearest.js';
import type { WorldKind } from '../harness/world.js';
import type { ConformanceCase } from './cases/case.js';

export interface Selection {
  /** In the order of the list they were chosen from, which is the order they run in. */
  readonly cases: readonly ConformanceCase[];
  /** The clauses that are asked about: passive checks of others are reported only when they fail. */
  readonly clauses: ReadonlySet<string>;
}

export type Selected =
  | { readonly ok: true; readonly selection: Selection }
  | { readonly ok: false; readonly error: string };

/** `*` and `?` as in a shell, whatever the case of letters. */
export function globPattern(glob: string): RegExp {
  const source = glob
    .replace(/[.+^${}()|[\]\\]/g, '\\$&')
    .replaceAll('*', '.*')
    .replaceAll('?', '.');
  return new RegExp(`^${source}$`, 'i');
}

/**
 * Chooses from `cases` those that run in one of `worlds`. Without selectors: all of them, and every clause of `clauseIds`.
 * A selector that matches nothing, or nothing that can run here, is an error of one line (an empty selection proves nothing).
 */
export function select(
  selectors: readonly string[],
  cases: readonly ConformanceCase[],
  clauseIds: readonly string[],
  worlds: readonly WorldKind[],
): Selected {
  const called = new Set(selectors.map((selector) => selector.toLowerCase()));
  // A slow case has to be meant: no glob and no clause brings it in.
  const wanted = cases.filter((c) => !c.slow || called.has(c.id.toLowerCase()));
  const runnable = wanted.filter((c) => c.worlds.some((w) => worlds.includes(w)));
  const place = worlds.join(' or ');
  if (selectors.length === 0) {
    if (runnable.length === 0) return { ok: false, error: `there is no case for the world ${place}` };
    return { ok: true, selection: { cases: runnable, clauses: new Set(clauseIds) } };
  }
  const chosen = new Set<ConformanceCase>();
  const clauses = new Set<string>();
  for (const selector of selectors) {
    const pattern = globPattern(selector.replace(/^check\./, ''));
    const named = clauseIds.filter((id) => pattern.test(id));
    const matching = wanted.filter((c) => pattern.test(c.id) || c.clauses.some((id) => named.includes(id)));
    if (named.length === 0 && matching.length === 0) {
      const known = [...clauseIds, ...cases.map((c) => c.id)];
      return {
        ok: false,
        error: `nothing is called '${selector}'${didYouMean(selector, known)}; see prism list clauses and prism list cases`,
      };
    }
    if (matching.length === 0)
      return { ok: false, error: `no case exercises ${named.join(', ')} yet; see prism list cases` };
    const here = matching.filter((c) => runnable.includes(c));
    if (here.length === 0) {
      const elsewhere = [...new Set(matching.flatMap((c) => c.worlds))].join(' or ');
      return { ok: false, error: `'${selector}' runs only with --world ${elsewhere}` };
    }
    for (const id of named) clauses.add(id);
    for (const c of here) {
      chosen.add(c);
      if (pattern.test(c.id)) for (const id of c.clauses) clauses.add(id);
    }
  }
  return { ok: true, selection: { cases: runnable.filter((c) => chosen.has(c)), clauses } };
}
