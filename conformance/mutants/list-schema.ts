/** What `prism list mutants --json` writes. */
import { z } from 'zod';

const clause = z.string().regex(/^[A-Z]{3}-\d+$/);

export const ListedMutantSchema = z.strictObject({
  /** The clause in lower case, and what the mutant does. */
  id: z.string().regex(/^[a-z]{3}-\d+(\.[a-z0-9]+(-[a-z0-9]+)*)$/),
  /** The one clause that must name it. */
  clauses: z.array(clause).length(1),
  role: z.enum(['switch', 'controller', 'backend']),
  summary: z.string().min(1),
  worlds: z.array(z.enum(['sim', 'linux'])).min(1),
  /** Cases that are run against it, in this order, until one of them names the clause. */
  cases: z.array(z.string().min(1)).min(1),
  /** Remedies that are switched off in it. */
  without: z.array(z.string()),
});
export type ListedMutant = z.infer<typeof ListedMutantSchema>;

export const MutantList = z.strictObject({ schema: z.literal('prism-list/1'), mutants: z.array(ListedMutantSchema) });
