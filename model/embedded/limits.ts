/**
 * What the embedded checker is known to get wrong, or to skip without a word, although TLC does it. Found by running both on a hundred small
 * modules and some hundred random ones (tla-checker 0.9.0): `P ~> Q` and `<>P` judge paths that no behaviour takes, or miss some that one does;
 * Nat and Int end at 100; a constraint changes what a liveness property says. What is about how expressions are read is in normal-form.ts.
 */
import { type Configuration, namedIn } from './configuration.js';
import { type JoinedModules, usedBy } from './join.js';
import { parseError, unsupported } from './refusal.js';
import type { Token } from './tokens.js';

const SIGNS: Readonly<Record<string, string>> = {
  '~>': 'the operator ~>',
  '-+->': 'the operator -+->',
  LAMBDA: 'LAMBDA',
  INSTANCE: 'INSTANCE',
  '\\AA': 'the temporal quantifier \\AA',
  '\\EE': 'the temporal quantifier \\EE',
  Nat: 'the set Nat, which ends at 100 there',
  Int: 'the set Int, which ends at 100 there',
};

/** Throws a RefusedError where the checker's answer would not be TLC's. */
export function checkLimits(modules: JoinedModules, configuration: Configuration): void {
  for (const { text, kind } of modules.tokens) {
    if (kind !== 'string' && Object.hasOwn(SIGNS, text)) throw unsupported(SIGNS[text] ?? text);
    if (kind === 'string' && text.includes('\\')) throw unsupported('a backslash in a string');
  }
  for (const name of namedIn(configuration))
    if (!modules.definitions.some((definition) => definition.name === name))
      throw parseError(`configuration: ${name} is not defined`, null);
  const { invariants, properties, constraints, behaviour, deadlock } = configuration;
  if (deadlock) throw unsupported('the search for deadlocks; CHECK_DEADLOCK FALSE is needed');
  for (const name of [...invariants, ...constraints])
    if (isTemporal(name, modules)) throw unsupported(`the temporal formula ${name} as an invariant or a constraint`);
  for (const name of properties)
    if (!isRecurrenceOrPersistence(name, modules))
      throw unsupported(`the property ${name}, which is neither []<>(P) nor <>[](P)`);
  if (properties.length > 0 && constraints.length > 0) throw unsupported('a PROPERTY together with a CONSTRAINT');
  for (const name of usedBy(Object.values(behaviour), modules))
    if (bodyOf(name, modules).some(({ text }) => text === '<>'))
      throw unsupported(`<> in ${name}, which is part of the specification`);
}

function bodyOf(name: string, modules: JoinedModules): readonly Token[] {
  return modules.definitions.find((definition) => definition.name === name)?.tokens ?? [];
}

/** `[]<>` or `<>[]` before one parenthesis or one name (with arguments or without), and nothing temporal in these. */
function isRecurrenceOrPersistence(name: string, modules: JoinedModules): boolean {
  const [first, second, ...rest] = bodyOf(name, modules);
  const signs = `${first?.text} ${second?.text}`;
  if (signs !== '[] <>' && signs !== '<> []') return false;
  const named = rest[0]?.kind === 'name';
  const operand = named ? rest.slice(1) : rest;
  if (!(named && operand.length === 0) && !isOneBracket(operand)) return false;
  return !rest.some((token) => isTemporalSign(token, rest) || isTemporal(token.text, modules));
}

function isOneBracket(operand: readonly Token[]): boolean {
  let depth = 0;
  const closed = operand.findIndex(({ text }) => {
    if (text === '(') depth += 1;
    if (text === ')') depth -= 1;
    return depth === 0;
  });
  return operand[0]?.text === '(' && closed === operand.length - 1;
}

/** Whether there is a temporal operator in what this name stands for. */
function isTemporal(name: string, modules: JoinedModules): boolean {
  return [...usedBy([name], modules)].some((one) => {
    const body = bodyOf(one, modules);
    return body.some((token) => isTemporalSign(token, body));
  });
}

/** `[]` also separates the arms of a CASE. */
function isTemporalSign({ text }: Token, body: readonly Token[]): boolean {
  return text === '<>' || /^[WS]F_/.test(text) || (text === '[]' && !body.some((token) => token.text === 'CASE'));
}
