/** A specification whose only fair behaviour is one that TLC has found: the states of a trace, then round its lasso for ever. */
import { constantSections } from './configuration.js';
import type { Lasso } from './outcome.js';
import { splitState } from './states.js';
import { parseTlaValue, type TlaValue } from './value.js';
import { formatTlaValue } from './value-text.js';

/** Begins every name that is made here, so that none is the specification's. */
const OWN = 'PrismReplay';
const STATES = `${OWN}States`;
const POSITION = `${OWN}Position`;

export interface Replay {
  readonly root: string;
  /** The two modules to be added to those of the specification. */
  readonly texts: Readonly<Record<string, string>>;
  /** Constants and behaviour, without anything to be checked. */
  readonly cfg: string;
}

/** `root`, `cfg`: the specification's. Undefined for states that cannot be read. */
export function replay(root: string, cfg: string, stateTexts: readonly string[], lasso: Lasso): Replay | undefined {
  const modelValues = new Set<string>();
  // Declared anew: those of `Servers = {s1, s2}` have no name in the modules, and `s1` may mean something else there.
  const modelValue = (name: string): string => {
    modelValues.add(name);
    return ownConstant(name);
  };
  const states = stateTexts.map((text) => readState(text, modelValue));
  const variables = states[0]?.map(({ name }) => name).join(', ');
  if (!variables || states.some((state) => state?.map(({ name }) => name).join(', ') !== variables)) return undefined;
  const records = states.map(
    (state) => `[${state?.map(({ name, value }) => `${name} |-> ${value}`).join(',\n      ')}]`,
  );
  const constants = [...modelValues].map(ownConstant);
  const declared = constants.length > 0 ? [`CONSTANTS ${constants.join(', ')}`] : [];
  const assigned = [...modelValues].map((name) => `CONSTANT ${ownConstant(name)} = ${name}\n`).join('');
  return {
    root: OWN,
    texts: {
      [`${STATES}.tla`]: statesModule(declared, records, lasso),
      [`${OWN}.tla`]: walkModule(root, declared, variables.split(', ')),
    },
    cfg: `${constantSections(cfg)}${assigned}SPECIFICATION ${OWN}Spec\n`,
  };
}

function ownConstant(modelValue: string): string {
  return `${OWN}_${modelValue}`;
}

function readState(
  text: string,
  modelValue: (name: string) => string,
): readonly { readonly name: string; readonly value: string }[] | undefined {
  const values = splitState(text).map(([name, printed]): [string, TlaValue | undefined] => {
    const parsed = parseTlaValue(printed);
    return [name, parsed.ok ? parsed.value : undefined];
  });
  const read = values.flatMap(([name, value]) => (value ? [{ name, value: formatTlaValue(value, modelValue) }] : []));
  return read.length < values.length ? undefined : read;
}

/** Apart from the walk, so that what values need of the standard modules cannot clash with names of the specification. */
function statesModule(declared: readonly string[], records: readonly string[], lasso: Lasso): string {
  const back = lasso.kind === 'back-to' ? lasso.index : records.length;
  return [
    `---- MODULE ${STATES} ----`,
    'EXTENDS Integers, TLC',
    ...declared,
    'State(at) ==',
    // Not a sequence, all of which TLC may evaluate for each of its items.
    ...records.map((record, i) => `  ${i === 0 ? 'CASE' : '  []'} at = ${i + 1} ->\n     ${record}`),
    `After(at) == IF at = ${records.length} THEN ${back} ELSE at + 1`,
    '====',
    '',
  ].join('\n');
}

/** At the end of a trace that stutters the next position is the same. */
function walkModule(root: string, declared: readonly string[], variables: readonly string[]): string {
  const all = `<<${[POSITION, ...variables].join(', ')}>>`;
  return [
    `---- MODULE ${OWN} ----`,
    `EXTENDS ${root}`,
    ...declared,
    `VARIABLE ${POSITION}`,
    `${OWN}Trace == INSTANCE ${STATES}`,
    `${OWN}Init ==`,
    `  /\\ ${POSITION} = 1`,
    ...variables.map((name) => `  /\\ ${name} = ${OWN}Trace!State(1).${name}`),
    `${OWN}Next ==`,
    `  /\\ ${POSITION}' = ${OWN}Trace!After(${POSITION})`,
    ...variables.map((name) => `  /\\ ${name}' = ${OWN}Trace!State(${OWN}Trace!After(${POSITION})).${name}`),
    `${OWN}Spec == ${OWN}Init /\\ [][${OWN}Next]_${all} /\\ WF_${all}(${OWN}Next)`,
    '====',
    '',
  ].join('\n');
}
