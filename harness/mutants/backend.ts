import type { Mutant } from './mutant.js';

export const BACKEND_MUTANTS: readonly Mutant[] = [];
