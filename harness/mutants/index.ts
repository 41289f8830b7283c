/** The catalogue of mutants, in the order of the clauses that name them. */
import { BACKEND_MUTANTS } from './backend.js';
import { CONTROLLER_MUTANTS } from './controller.js';
import type { Mutant } from './mutant.js';
import { SWITCH_MUTANTS } from './switch.js';

export const MUTANTS: readonly Mutant[] = [...SWITCH_MUTANTS, ...CONTROLLER_MUTANTS, ...BACKEND_MUTANTS];

export function mutantNamed(id: string): Mutant | undefined {
  return MUTANTS.find((mutant) => mutant.id === id);
}
