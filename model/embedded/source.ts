/** The one source and the configurations that the embedded checker is given, and the way back from a place in the source. */
import { type Configuration, namedIn } from './configuration.js';
import { type JoinedModules, type Statement, usedBy } from './join.js';
import { parseError, unsupported } from './refusal.js';

/** A property with a configuration that asks for it alone: the checker does not say which one of several is violated. */
export interface SingleProperty {
  readonly name: string;
  readonly cfg: string;
  /** All names and strings that it comes down to. */
  readonly words: readonly string[];
}

export interface CheckerInput {
  readonly source: string;
  readonly cfg: string;
  /** In the order of `cfg`: the checker names them by their index. One is our own when the configuration has none. */
  readonly invariants: readonly string[];
  readonly properties: readonly SingleProperty[];
  /** The statement that a place of `source` (UTF-16 units from 0) is in; undefined in what is ours. */
  readonly placeAt: (offset: number) => Statement | undefined;
}

/** Without a listed invariant the checker takes every definition whose name begins with Inv or TypeOK. */
const OWN_INVARIANT = 'NothingIsAskedOfAState';

/** Throws a RefusedError. */
export function checkerInput(modules: JoinedModules, configuration: Configuration): CheckerInput {
  const { assignments, properties } = configuration;
  checkAssignments(modules, configuration);
  const overrides = assignments.flatMap((one) => ('override' in one ? one : []));
  const values = assignments.flatMap((one) => ('value' in one ? one : []));
  const own = configuration.invariants.length === 0;
  const invariants = own ? [OWN_INVARIANT] : configuration.invariants;

  const lines = [
    '---- MODULE Joined ----',
    ...(modules.standard.length > 0 ? [`EXTENDS ${modules.standard.join(', ')}`] : []),
    ...(values.length > 0 ? [`CONSTANTS\n${values.map(({ constant }) => `  ${constant}`).join(',\n')}`] : []),
    ...(modules.variables.length > 0 ? [`VARIABLES ${modules.variables.join(', ')}`] : []),
  ];
  let source = `${lines.join('\n')}\n`;
  // No more than is used: the checker takes fairness from all definitions whose names end with Spec.
  const used = usedBy([...namedIn(configuration), ...modules.assumed], modules);
  const statements = modules.statements.filter(({ defines }) => defines === null || used.has(defines));
  const starts = statements.map(({ text }) => {
    const start = source.length;
    source += `${text}\n`;
    return start;
  });
  const end = source.length;
  source += overrides.map(({ constant, override }) => `${constant} == ${override}\n`).join('');
  source += `${own ? `${OWN_INVARIANT} == TRUE\n` : ''}====\n`;

  const asking = (asked: readonly string[]): string =>
    cfgText(
      configuration,
      values.map(({ constant, value }) => `CONSTANT ${constant} = ${value}`),
      invariants,
      asked,
    );
  return {
    source,
    cfg: asking(properties),
    invariants,
    properties: properties.map((name) => ({ name, cfg: asking([name]), words: wordsOf(name, modules) })),
    placeAt: (offset) => (offset < end ? statements[starts.findLastIndex((start) => start <= offset)] : undefined),
  };
}

function wordsOf(name: string, modules: JoinedModules): string[] {
  const definitions = modules.definitions.filter((definition) => usedBy([name], modules).has(definition.name));
  const words = definitions.flatMap(({ tokens }) => tokens.filter(({ kind }) => kind === 'name' || kind === 'string'));
  return [...new Set(words.map(({ text }) => text.replaceAll('"', '')))];
}

function checkAssignments({ constants, definitions }: JoinedModules, { assignments }: Configuration): void {
  const unknown = assignments.find(({ constant }) => !constants.includes(constant));
  if (unknown && definitions.some(({ name }) => name === unknown.constant))
    throw unsupported(`a configuration that replaces the definition ${unknown.constant}`);
  if (unknown) throw parseError(`configuration: ${unknown.constant} is no constant`, null);
  const missing = constants.find((name) => !assignments.some(({ constant }) => constant === name));
  if (missing !== undefined) throw parseError(`configuration: the constant ${missing} has no value`, null);
}

/** The checker reads one assignment in a line. */
function cfgText(
  { behaviour, constraints }: Configuration,
  assignments: readonly string[],
  invariants: readonly string[],
  properties: readonly string[],
): string {
  const lines = [
    ...('specification' in behaviour
      ? [`SPECIFICATION ${behaviour.specification}`]
      : [`INIT ${behaviour.init}`, `NEXT ${behaviour.next}`]),
    ...assignments,
    ...invariants.map((name) => `INVARIANT ${name}`),
    ...properties.map((name) => `PROPERTY ${name}`),
    ...constraints.map((name) => `CONSTRAINT ${name}`),
    'CHECK_DEADLOCK FALSE',
  ];
  return `${lines.join('\n')}\n`;
}
