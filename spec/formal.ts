/** The TLA+ specification as a folder: its modules and configurations, and what models.json, remedies.json and mutants.json say of them. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';

const id = z.string().regex(/^[a-z][a-z0-9-]*$/, 'lower-case words joined by hyphens');
const operator = z
  .string()
  .regex(/^[A-Z]{3}_\d+(_[A-Za-z]+)?$/, 'an operator is named after its clause, such as HOF_5');
const sentence = z.string().min(1);

export const Model = z.strictObject({
  id,
  /** The root module, without `.tla`. */
  root: z.string().min(1),
  cfg: z.string().endsWith('.cfg'),
  /** How many distinct states it has, exactly. */
  distinct: z.int().min(1),
  /** Whether the embedded checker can do it, where Java is missing. */
  embedded: z.boolean(),
  summary: sentence,
});
export type Model = z.infer<typeof Model>;

export const SpecRemedy = z.strictObject({
  /** The constant of Handoff.tla. */
  id: z.string().regex(/^[A-Z][A-Za-z]+$/),
  /** What TLC reports when it is FALSE. */
  operator,
  /** Whether the paper asks for it. */
  literal: z.boolean(),
  source: z.string().min(1),
  summary: sentence,
  /** The remedy of the reference implementation (`prism list remedies`) that does the same, if one can be switched off. */
  reference: z.string().nullable(),
  /** Numbers of the design's hazards that it closes. */
  hazards: z.array(z.int().min(1)),
  /** The model that shows it. */
  model: id,
});
export type SpecRemedy = z.infer<typeof SpecRemedy>;

export const SpecMutant = z.strictObject({
  id,
  /** The operator that must catch it. */
  operator,
  model: id,
  summary: sentence,
  /** `find` occurs exactly once in the file. */
  edits: z
    .array(z.strictObject({ file: z.string().endsWith('.tla'), find: z.string().min(1), replace: z.string() }))
    .min(1),
});
export type SpecMutant = z.infer<typeof SpecMutant>;

export const Models = z.strictObject({ schema: z.literal('prism-spec-models/1'), models: z.array(Model).min(1) });
export const SpecRemedies = z.strictObject({
  schema: z.literal('prism-spec-remedies/1'),
  remedies: z.array(SpecRemedy).min(1),
});
export const SpecMutants = z.strictObject({
  schema: z.literal('prism-spec-mutants/1'),
  mutants: z.array(SpecMutant).min(1),
});

export interface Specification {
  readonly folder: string;
  /** Texts of the modules, by file name. */
  readonly modules: Readonly<Record<string, string>>;
  /** Texts of the configurations, by file name. */
  readonly configurations: Readonly<Record<string, string>>;
  readonly models: readonly Model[];
  readonly remedies: readonly SpecRemedy[];
  readonly mutants: readonly SpecMutant[];
}

/** The folder of a specification lacks something or says something unusable; the message is one line. */
export class SpecificationError extends Error {
  override name = 'SpecificationError';
}

/** The specification that this package ships; found also from `dist/spec/`. */
export function shippedSpecification(): string {
  for (const up of ['.', '../../spec']) {
    const folder = fileURLToPath(new URL(up, import.meta.url));
    try {
      if (readdirSync(folder).includes('Handoff.tla')) return folder;
    } catch {
      // Not there; the next one is.
    }
  }
  throw new SpecificationError('the package lacks its specification (spec/Handoff.tla); install it again');
}

/** Throws a SpecificationError for a folder that cannot be read or holds no specification of ours. */
export function readSpecification(folder: string): Specification {
  const files = list(folder);
  const texts = (extension: string): Record<string, string> =>
    Object.fromEntries(files.filter((name) => name.endsWith(extension)).map((name) => [name, read(folder, name)]));
  const specification = {
    folder,
    modules: texts('.tla'),
    configurations: texts('.cfg'),
    models: parse(folder, 'models.json', Models).models,
    remedies: parse(folder, 'remedies.json', SpecRemedies).remedies,
    mutants: parse(folder, 'mutants.json', SpecMutants).mutants,
  };
  for (const { id, root, cfg } of specification.models)
    for (const file of [`${root}.tla`, cfg])
      if (!files.includes(file))
        throw new SpecificationError(`${join(folder, 'models.json')}: ${id}: there is no ${file}`);
  return specification;
}

/** `RET_7_Answered` is of clause `RET-7`. */
export function clauseOf(operatorName: string): string {
  return operatorName.split('_').slice(0, 2).join('-');
}

function list(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    throw new SpecificationError(`${folder}: no such folder`);
  }
}

function read(folder: string, name: string): string {
  try {
    return readFileSync(join(folder, name), 'utf8');
  } catch {
    throw new SpecificationError(`${join(folder, name)}: cannot be read; a specification has it`);
  }
}

function parse<T>(folder: string, name: string, schema: z.ZodType<T>): T {
  let value: unknown;
  try {
    value = JSON.parse(read(folder, name));
  } catch (error) {
    if (error instanceof SpecificationError) throw error;
    throw new SpecificationError(`${join(folder, name)}: not JSON`);
  }
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  throw new SpecificationError(`${join(folder, name)}: ${issue?.path.join('.')}: ${issue?.message}`);
}
