/** Which mutants a list of selectors means: ids, clauses, roles, or globs over them. */
import type { Mutant } from '../../harness/mutants/mutant.js';
import { didYouMean } from '../../harness/nearest.js';
import type { WorldKind } from '../../harness/world.js';
import { globPattern } from '../select.js';

export type SelectedMutants =
  | { readonly ok: true; readonly mutants: readonly Mutant[] }
  /** One line. */
  | { readonly ok: false; readonly error: string };

export function worldsOf({ worlds }: Mutant): readonly WorldKind[] {
  return worlds ?? ['sim'];
}

/** Those that run in one of `worlds`, in the catalogue's order; all of them without selectors. An empty selection is an error. */
export function selectMutants(
  selectors: readonly string[],
  mutants: readonly Mutant[],
  worlds: readonly WorldKind[],
): SelectedMutants {
  const runs = (mutant: Mutant): boolean => worldsOf(mutant).some((world) => worlds.includes(world));
  const chosen = new Set<Mutant>();
  for (const selector of selectors) {
    const pattern = globPattern(selector);
    const named = mutants.filter(({ id, clause, role }) => [id, clause, role].some((name) => pattern.test(name)));
    if (named.length === 0) {
      const known = mutants.flatMap(({ id, clause }) => [id, clause]);
      return {
        ok: false,
        error: `no mutant is called '${selector}'${didYouMean(selector, known)}; see prism list mutants`,
      };
    }
    const here = named.filter(runs);
    if (here.length === 0) return { ok: false, error: `'${selector}' runs only with --world sim` };
    for (const mutant of here) chosen.add(mutant);
  }
  const selected = mutants.filter((mutant) => runs(mutant) && (selectors.length === 0 || chosen.has(mutant)));
  if (selected.length === 0) return { ok: false, error: `there is no mutant for the world ${worlds.join(' or ')}` };
  return { ok: true, mutants: selected };
}
