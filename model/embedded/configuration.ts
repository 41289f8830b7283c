/** A configuration of TLC, read whole: whatever is not understood here is refused, since the embedded checker would skip or misread it. */
import { parseError, unsupported } from './refusal.js';
import { type Token, tokens, withoutComments } from './tokens.js';

/** `value`: as it is written, in one line. `override`: the definition that `<-` names. */
export type Assignment =
  | { readonly constant: string; readonly value: string }
  | { readonly constant: string; readonly override: string };

export interface Configuration {
  readonly behaviour: { readonly specification: string } | { readonly init: string; readonly next: string };
  readonly assignments: readonly Assignment[];
  readonly invariants: readonly string[];
  readonly properties: readonly string[];
  readonly constraints: readonly string[];
  readonly deadlock: boolean;
}

/** The definitions that it names, in no order. */
export function namedIn({ behaviour, assignments, invariants, properties, constraints }: Configuration): string[] {
  const overrides = assignments.flatMap((one) => ('override' in one ? one.override : []));
  return [...Object.values(behaviour), ...overrides, ...invariants, ...properties, ...constraints];
}

const KEYWORDS = new Map<string, keyof Sections | 'unsupported'>([
  ['SPECIFICATION', 'specification'],
  ['INIT', 'init'],
  ['NEXT', 'next'],
  ['CONSTANT', 'constants'],
  ['CONSTANTS', 'constants'],
  ['INVARIANT', 'invariants'],
  ['INVARIANTS', 'invariants'],
  ['PROPERTY', 'properties'],
  ['PROPERTIES', 'properties'],
  ['CONSTRAINT', 'constraints'],
  ['CONSTRAINTS', 'constraints'],
  ['CHECK_DEADLOCK', 'deadlock'],
  ['VIEW', 'unsupported'],
  ['SYMMETRY', 'unsupported'],
  ['ACTION_CONSTRAINT', 'unsupported'],
  ['ACTION_CONSTRAINTS', 'unsupported'],
  ['POSTCONDITION', 'unsupported'],
  ['ALIAS', 'unsupported'],
  ['PERIODIC', 'unsupported'],
  ['TYPE', 'unsupported'],
  ['TYPE_CONSTRAINT', 'unsupported'],
]);

interface Sections {
  readonly specification: Token[];
  readonly init: Token[];
  readonly next: Token[];
  readonly constants: Token[];
  readonly invariants: Token[];
  readonly properties: Token[];
  readonly constraints: Token[];
  readonly deadlock: Token[];
}

/** Throws a RefusedError. `root` names the module that a complaint is about, as TLC does. */
export function readConfiguration(cfg: string, root: string): Configuration {
  const wrong = (message: string) => parseError(`configuration: ${message}`, `${root}.cfg`);
  const sections = split(cfg, wrong);

  const names = (section: keyof Sections): string[] =>
    sections[section].flatMap(({ kind, text }) => {
      if (text === ',') return [];
      if (kind !== 'name') throw wrong(`${text} is no name`);
      return text;
    });
  const atMostOne = (section: keyof Sections): string | undefined => {
    const [name, second] = names(section);
    if (second !== undefined) throw wrong(`a second ${section}, ${second}`);
    return name;
  };

  const [specification, init, next] = [atMostOne('specification'), atMostOne('init'), atMostOne('next')];
  const deadlock = atMostOne('deadlock') ?? 'TRUE';
  if (deadlock !== 'TRUE' && deadlock !== 'FALSE') throw wrong(`CHECK_DEADLOCK ${deadlock}`);
  const configuration = {
    assignments: assignmentsIn(sections.constants, wrong),
    invariants: names('invariants'),
    properties: names('properties'),
    constraints: names('constraints'),
    deadlock: deadlock === 'TRUE',
  };
  if (specification !== undefined && init === undefined && next === undefined)
    return { behaviour: { specification }, ...configuration };
  if (specification === undefined && init !== undefined && next !== undefined)
    return { behaviour: { init, next }, ...configuration };
  throw wrong('it needs either SPECIFICATION, or INIT and NEXT');
}

function split(cfg: string, wrong: (message: string) => Error): Sections {
  const sections: Sections = {
    specification: [],
    init: [],
    next: [],
    constants: [],
    invariants: [],
    properties: [],
    constraints: [],
    deadlock: [],
  };
  let current: Token[] | undefined;
  for (const token of tokens(withoutComments(cfg))) {
    const section = token.kind === 'name' ? KEYWORDS.get(token.text) : undefined;
    if (section === 'unsupported') throw unsupported(`${token.text} in a configuration`);
    if (section !== undefined) current = sections[section];
    else if (current) current.push(token);
    else throw wrong(`${token.text} before the first keyword`);
  }
  return sections;
}

/** TLC's values are numbers, strings, names, and sets of these; a bracket or anything else is an error to it. */
function assignmentsIn(section: readonly Token[], wrong: (message: string) => Error): Assignment[] {
  const found: Assignment[] = [];
  const rest = [...section];
  const take = (): Token => {
    const token = rest.shift();
    if (!token) throw wrong('it ends within an assignment');
    return token;
  };
  const value = (): string => {
    const token = take();
    if (token.text === '-') return `-${take().text}`;
    if (token.kind === 'string' && token.text.includes('\\')) throw unsupported('a backslash in a string');
    if (token.kind !== 'other') return token.text;
    if (token.text !== '{') throw wrong(`${token.text} where a value begins`);
    const items: string[] = [];
    while (rest[0]?.text !== '}') {
      if (items.length > 0 && take().text !== ',') throw wrong('a set without commas');
      items.push(value());
    }
    take();
    return `{${items.join(', ')}}`;
  };
  while (rest.length > 0) {
    const constant = take();
    const sign = take().text;
    if (constant.kind !== 'name') throw wrong(`${constant.text} is no constant`);
    if (sign === '=') found.push({ constant: constant.text, value: value() });
    else if (sign === '<-') {
      const definition = take();
      if (definition.kind !== 'name')
        throw unsupported(`${constant.text} <- ${definition.text}, a replacement within a module`);
      found.push({ constant: constant.text, override: definition.text });
    } else throw wrong(`${sign} behind the constant ${constant.text}`);
  }
  const twice = found.find(({ constant }, i) => found.findIndex((other) => other.constant === constant) < i);
  if (twice) throw wrong(`two values for ${twice.constant}`);
  return found;
}
