import type { Mutant } from './mutant.js';

export const CONTROLLER_MUTANTS: readonly Mutant[] = [];
