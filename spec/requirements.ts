/** The catalogue of clauses (requirements.json), read and validated: what every verdict of this project refers to. */
import { readFileSync } from 'node:fs';
import { z } from 'zod';

export const ClauseId = z
  .string()
  .regex(/^[A-Z]{3}-\d+$/, 'a clause id is three letters, a hyphen and a number, such as HOF-5');

export const Clause = z.strictObject({
  id: ClauseId,
  /** M must, S should, Y may. */
  level: z.enum(['M', 'S', 'Y']),
  /** Whose duty it is; `system`: of several together. */
  role: z.enum(['controller', 'switch', 'backend', 'system', 'gateway', 'node']),
  title: z.string().min(1),
  statement: z.string().min(1),
  /** Where it comes from, such as `P2.3, T3.2`; the letters are explained under `sources`. */
  source: z.string().min(1),
  /** The operators of Clauses.tla that state it. */
  operators: z.array(z.string()),
  /** Why the model cannot speak about it; there where it has no operator. */
  unmodelled: z.string().min(1).optional(),
  /** What is missing to judge it; there while it is a must that no operator, check or case judges. */
  pending: z.string().min(1).optional(),
});
export type Clause = z.infer<typeof Clause>;

export const Requirements = z.strictObject({
  $schema: z.string(),
  schema: z.literal('prism-requirements/1'),
  levels: z.strictObject({ M: z.string(), S: z.string(), Y: z.string() }),
  sources: z.record(z.string(), z.string()),
  /** Which clause an offence belongs to, where several could claim it. */
  attribution: z.array(z.string()),
  groups: z.array(z.strictObject({ id: z.string().regex(/^[A-Z]{3}$/), title: z.string() })),
  clauses: z.array(Clause).min(1),
});
export type Requirements = z.infer<typeof Requirements>;

/** The file lies in `spec/`, also when this module has been compiled to `dist/spec/`. */
function readCatalogue(): string {
  try {
    return readFileSync(new URL('requirements.json', import.meta.url), 'utf8');
  } catch {
    return readFileSync(new URL('../../spec/requirements.json', import.meta.url), 'utf8');
  }
}

export const REQUIREMENTS: Requirements = Requirements.parse(JSON.parse(readCatalogue()));

/** Every clause, in the catalogue's order. */
export const CLAUSES: readonly Clause[] = REQUIREMENTS.clauses;

const byId = new Map(CLAUSES.map((clause) => [clause.id, clause]));

export function findClause(id: string): Clause | undefined {
  return byId.get(id);
}

const position = new Map(CLAUSES.map((clause, index) => [clause.id, index]));

/** Orders clause ids as the catalogue does; ids that it lacks come last, by name. */
export function compareClauses(a: string, b: string): number {
  const last = CLAUSES.length;
  return (position.get(a) ?? last) - (position.get(b) ?? last) || (a < b ? -1 : a > b ? 1 : 0);
}
