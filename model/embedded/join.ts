/**
 * The modules that a root EXTENDS, joined to one list of definitions and declarations: the embedded checker follows no EXTENDS, knows only one
 * declaration of variables, and silently drops what it cannot parse.
 */
import { normalForm, type Surroundings, type Unit, verbatim } from './normal-form.js';
import { parseError, unsupported } from './refusal.js';
import { blank, type Token, tokens, withoutComments } from './tokens.js';

/** A definition at the top of a module. `tokens`: of its right side. */
export interface Definition {
  readonly name: string;
  readonly parameters: readonly string[];
  readonly tokens: readonly Token[];
}

/**
 * What the checker is given of a definition, an assumption or a declaration of recursion, and where that begins (lines and columns from 1).
 * `defines`: the name of the definition; null for the others, which are about the whole.
 */
export interface Statement {
  readonly defines: string | null;
  readonly text: string;
  readonly module: string;
  readonly line: number;
  readonly column: number;
}

export interface JoinedModules {
  /** Names of standard modules, each once. */
  readonly standard: readonly string[];
  readonly constants: readonly string[];
  readonly variables: readonly string[];
  readonly definitions: readonly Definition[];
  /** Those of extended modules first. */
  readonly statements: readonly Statement[];
  /** Names in assumptions. */
  readonly assumed: readonly string[];
  /** All signs of all modules but comments. */
  readonly tokens: readonly Token[];
}

/** What the checker knows of itself. */
const STANDARD = new Set(['Naturals', 'Integers', 'Sequences', 'FiniteSets', 'TLC']);

const HEADER = /^[ \t]*-{4,}[ \t]*MODULE[ \t]+(\w+)[ \t]*-{4,}/m;

interface Module extends Omit<JoinedModules, 'standard'> {
  readonly extended: readonly string[];
}

/** `modules`: texts by file name (`Handoff.tla`). Throws a RefusedError. */
export function joinModules(modules: Readonly<Record<string, string>>, root: string): JoinedModules {
  const joined = new Map<string, Module>();
  const standard = new Set<string>();
  const add = (name: string, above: readonly string[]): void => {
    if (joined.has(name)) return;
    if (above.includes(name)) throw parseError([...above, name].join(' EXTENDS '), name);
    const file = `${name}.tla`;
    const text = Object.hasOwn(modules, file) ? modules[file] : undefined;
    if (text === undefined) {
      if (STANDARD.has(name)) standard.add(name);
      else if (above.length === 0) throw parseError(`there is no module ${name}`, name);
      else throw unsupported(`the module ${name}, which is not one of those given`);
      return;
    }
    const module = readModule(name, text);
    for (const one of module.extended) add(one, [...above, name]);
    joined.set(name, module);
  };
  add(root, []);

  const all = [...joined.values()];
  const result = {
    standard: [...standard],
    constants: all.flatMap((module) => module.constants),
    variables: all.flatMap((module) => module.variables),
    definitions: all.flatMap((module) => module.definitions),
    statements: all.flatMap((module) => module.statements),
    assumed: all.flatMap((module) => module.assumed),
    tokens: all.flatMap((module) => module.tokens),
  };
  const odd = result.tokens.find(({ kind, text }) => kind === 'name' && text.includes('__'));
  if (odd) throw unsupported(`two underscores in a name, ${odd.text}`);
  // Of several, the checker silently takes the last one.
  const names = [...result.constants, ...result.variables, ...result.definitions.map(({ name }) => name)];
  const twice = names.find((name, i) => names.indexOf(name) < i);
  if (twice !== undefined) throw parseError(`${twice} is defined or declared twice`, root);
  return result;
}

/** These definitions and all that they use. A name that is bound locally counts as a definition of that name: never less than is used. */
export function usedBy(names: readonly string[], modules: JoinedModules): Set<string> {
  const definitions = new Map(modules.definitions.map((definition) => [definition.name, definition]));
  const found = new Set<string>();
  const waiting = [...names];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const definition = definitions.get(next);
    if (!definition || found.has(next)) continue;
    found.add(next);
    waiting.push(...definition.tokens.flatMap(({ kind, text }) => (kind === 'name' ? text : [])));
  }
  return found;
}

/** A module is between its header and its `====`; what is outside of these is prose. */
function readModule(name: string, text: string): Module {
  const header = HEADER.exec(text);
  if (!header) throw parseError('its header is missing', name);
  if (header[1] !== name) throw parseError(`the module is called ${header[1]}`, name);
  const start = header.index + header[0].length;
  const signs = tokens(blank(text.slice(0, start)) + withoutComments(text.slice(start)));
  const end = signs.findIndex((token) => token.text.startsWith('===='));
  if (end === -1) throw parseError('==== is missing', name);
  const all = signs.slice(0, end);
  const wrong = (message: string, at: Token | undefined) => parseError(message, name, at?.line, at?.column);
  const surroundings: Surroundings = {
    cutLet: (inside) => unitsOf(inside).map((unit) => letUnit(unit, wrong)),
    wrong,
  };

  const listed = { extended: [] as string[], constants: [] as string[], variables: [] as string[] };
  const definitions: Definition[] = [];
  const statements: Statement[] = [];
  const assumed: string[] = [];
  for (const unit of unitsOf(all)) {
    const [first, ...rest] = unit;
    if (!first) continue;
    const state = (defines: string | null, words: string): void => {
      statements.push({ defines, text: words, module: name, line: first.line, column: first.column });
    };
    const list = DECLARATIONS.get(first.text);
    if (list !== undefined) listed[list].push(...namesIn(rest, wrong));
    else if (first.text === 'LOCAL' || first.text === 'INSTANCE') throw unsupported(first.text);
    else if (first.text === 'RECURSIVE') state(null, verbatim(unit));
    else if (ASSUMES.test(first.text)) {
      const equals = rest[1]?.text === '==' ? 2 : 0;
      assumed.push(...rest.slice(equals).flatMap(({ kind, text }) => (kind === 'name' ? text : [])));
      state(null, `ASSUME (${normalForm(rest.slice(equals), surroundings)})`);
    } else if (first.text.startsWith('----')) {
      if (rest[0]?.text === 'MODULE') throw unsupported('a module within a module');
      if (rest.length > 0) throw wrong(`${rest[0]?.text} begins no definition`, rest[0]);
    } else if (!STATES.test(first.text)) {
      const { definition } = readDefinition(unit, wrong);
      definitions.push(definition);
      state(definition.name, definitionText(definition, surroundings));
    }
  }
  return { ...listed, definitions, statements, assumed, tokens: all };
}

type Wrong = Surroundings['wrong'];

const DECLARATIONS = new Map<string, 'extended' | 'constants' | 'variables'>([
  ['EXTENDS', 'extended'],
  ['CONSTANT', 'constants'],
  ['CONSTANTS', 'constants'],
  ['VARIABLE', 'variables'],
  ['VARIABLES', 'variables'],
]);
const ASSUMES = /^(?:ASSUME|ASSUMPTION|AXIOM)$/;
/** What is stated only, for provers. */
const STATES = /^(?:THEOREM|LEMMA|PROPOSITION|COROLLARY)$/;

function namesIn(list: readonly Token[], wrong: Wrong): string[] {
  const names = list.filter(({ text }) => text !== ',');
  const odd = names.find(({ kind }) => kind !== 'name');
  if (odd)
    throw odd.text === '(' ? unsupported('an operator as a constant') : wrong(`${odd.text} in a list of names`, odd);
  return names.map(({ text }) => text);
}

/**
 * The checker substitutes arguments one after the other, so that an argument's name that is also a later parameter's gets that one's value:
 * every parameter gets a name of its own. And it silently drops a definition that it cannot parse (with all up to the next one), but never an
 * assumption: the one before each definition is true whatever the right side is, which is not evaluated.
 */
function definitionText({ name, parameters, tokens: body }: Definition, surroundings: Surroundings): string {
  const own = (parameter: string): string => `${parameter}__${name}`;
  const renamed = body.map((token, i) => {
    const [before, after] = [body[i - 1]?.text ?? '', body[i + 1]?.text ?? ''];
    const field = before === '.' || ((before === '[' || before === ',') && (after === '|->' || after === ':'));
    return token.kind === 'name' && parameters.includes(token.text) && !field
      ? { ...token, text: own(token.text) }
      : token;
  });
  const left = parameters.length === 0 ? name : `${name}(${parameters.map(own).join(', ')})`;
  const right = `(${normalForm(renamed, surroundings)})`;
  return `ASSUME (TRUE \\/ ${right})\n${left} == ${right}`;
}

function letUnit(unit: readonly Token[], wrong: Wrong): Unit {
  if (unit[0]?.text === 'RECURSIVE') return { head: unit, body: [] };
  const { head, definition } = readDefinition(unit, wrong);
  return { head, body: definition.tokens };
}

const BEGINS_UNIT =
  /^(?:EXTENDS|CONSTANTS?|VARIABLES?|ASSUME|ASSUMPTION|AXIOM|RECURSIVE|THEOREM|LEMMA|PROPOSITION|COROLLARY|LOCAL|INSTANCE|-{4,})$/;

/** Cut before every declaration and before the head of every definition that is in no LET. */
function unitsOf(all: readonly Token[]): Token[][] {
  const starts = new Set<number>([0]);
  let lets = 0;
  for (const [i, { text }] of all.entries()) {
    if (text === 'LET') lets += 1;
    else if (text === 'IN') lets -= 1;
    else if (lets > 0) continue;
    else if (BEGINS_UNIT.test(text)) starts.add(i);
    else if (text === '==') {
      const head = headOf(all, i);
      // `LOCAL a == ...` and `ASSUME a == ...` are one unit.
      if (!/^(?:LOCAL|ASSUME|ASSUMPTION|AXIOM|THEOREM|LEMMA|PROPOSITION|COROLLARY)$/.test(all[head - 1]?.text ?? ''))
        starts.add(head);
    }
  }
  const bounds = [...starts].sort((a, b) => a - b);
  return bounds.map((from, i) => all.slice(from, bounds[i + 1]));
}

/** Where the left side of the `==` at this index begins: before its parameters, if it has any. */
function headOf(all: readonly Token[], equals: number): number {
  const closing = all[equals - 1]?.text ?? '';
  if (closing !== ')' && closing !== ']') return Math.max(0, equals - 1);
  const opening = closing === ')' ? '(' : '[';
  let depth = 0;
  for (let i = equals - 1; i >= 0; i -= 1) {
    if (all[i]?.text === closing) depth += 1;
    if (all[i]?.text === opening) depth -= 1;
    if (depth === 0) return Math.max(0, i - 1);
  }
  return 0;
}

function readDefinition(unit: readonly Token[], wrong: Wrong): { head: readonly Token[]; definition: Definition } {
  const [first, opening] = unit;
  const equals = unit.findIndex(({ text }) => text === '==');
  const last = unit.at(-1);
  if (first?.kind !== 'name' || equals === -1) throw wrong(`${first?.text} begins no definition`, first);
  if (opening?.text === '[') throw unsupported(`the definition of a function, ${first.text}[...]`);
  // What ends with an operator goes on in the left side of the next definition: `a ++ b == ...`.
  if (last?.kind === 'other' && !/^(?:[)\]}'@]|>>|==|-{4,}|\/\\|\\\/|<?=>)$/.test(last.text))
    throw unsupported(`the definition of an operator whose name is a sign (line ${last.line})`);
  const parameters = unit.slice(2, Math.max(2, equals - 1));
  if (parameters.some(({ text }) => text === '(')) throw unsupported(`an operator as an argument, of ${first.text}`);
  const definition = {
    name: first.text,
    parameters: parameters.flatMap(({ kind, text }) => (kind === 'name' ? text : [])),
    tokens: unit.slice(equals + 1),
  };
  return { head: unit.slice(0, equals), definition };
}
