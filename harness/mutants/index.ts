/** The catalogue of mutants, by the role that is broken. */
import { BACKEND_MUTANTS } from './backend.js';
import { LATER_BACKEND_MUTANTS } from './backend-later.js';
import { MUTANTS_FROM_RETURN } from './controller-from-return.js';
import { MUTANTS_IN_MESSAGES } from './controller-messages.js';
import { MUTANTS_TO_HAND_OFF } from './controller-to-hand-off.js';
import type { Mutant } from './mutant.js';
import { FRAME_MUTANTS } from './switch-frames.js';
import { RULE_MUTANTS } from './switch-rules.js';
import { SWALLOWING_MUTANTS } from './switch-swallows.js';
import { UNLUCKY_MUTANTS } from './switch-unlucky.js';

export const MUTANTS: readonly Mutant[] = [
  ...FRAME_MUTANTS,
  ...RULE_MUTANTS,
  ...SWALLOWING_MUTANTS,
  ...UNLUCKY_MUTANTS,
  ...MUTANTS_TO_HAND_OFF,
  ...MUTANTS_FROM_RETURN,
  ...MUTANTS_IN_MESSAGES,
  ...BACKEND_MUTANTS,
  ...LATER_BACKEND_MUTANTS,
];

export function mutantNamed(id: string): Mutant | undefined {
  return MUTANTS.find((mutant) => mutant.id === id);
}
