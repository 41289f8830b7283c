/** Configuration files of TLC: what they name, and other ones made of them. */

const KEYWORDS =
  /^(?:CONSTANTS?|CONSTRAINTS?|ACTION_CONSTRAINTS?|INVARIANTS?|INIT|NEXT|VIEW|SYMMETRY|SPECIFICATION|PROPERTY|PROPERTIES|TYPE|TYPE_CONSTRAINT|CHECK_DEADLOCK|ALIAS|POSTCONDITION|PERIODIC)$/;

/** A keyword with the text up to the next one; the first section may have no keyword. */
interface Section {
  readonly keyword: string;
  readonly text: string;
}

/** Comments go; what is between two keywords stays as it is written, since constants are spelt with signs that matter. */
function sections(cfg: string): Section[] {
  const found: { keyword: string; text: string }[] = [{ keyword: '', text: '' }];
  for (const part of withoutComments(cfg).split(/(\s+)/)) {
    const last = found.at(-1);
    if (KEYWORDS.test(part)) found.push({ keyword: part, text: '' });
    else if (last) last.text += part;
  }
  return found;
}

function withoutComments(text: string): string {
  return text.replace(/\(\*[\s\S]*?\*\)/g, ' ').replace(/\\\*.*/g, '');
}

function namesBelow(cfg: string, keyword: RegExp): string[] {
  return sections(cfg)
    .filter((section) => keyword.test(section.keyword))
    .flatMap(({ text }) => text.split(/[\s,]+/).filter((name) => name !== ''));
}

function without(cfg: string, keyword: RegExp): string {
  return sections(cfg)
    .filter((section) => !keyword.test(section.keyword))
    .map((section) => section.keyword + section.text)
    .join('');
}

/** The names below PROPERTY and PROPERTIES, in order. */
export function propertiesIn(cfg: string): string[] {
  return namesBelow(cfg, /^PROPERT/);
}

/** The sections of constants alone, as they are written. */
export function constantSections(cfg: string): string {
  return sections(cfg)
    .filter(({ keyword }) => /^CONSTANTS?$/.test(keyword))
    .map(({ keyword, text }) => `${keyword}${text.trimEnd()}\n`)
    .join('');
}

/** Whether states are printed otherwise than they are. */
export function hasAlias(cfg: string): boolean {
  return namesBelow(cfg, /^ALIAS$/).length > 0;
}

/** The configuration with these behaviours instead of its own, and `constants` as model values of their own name. */
export function withBehaviour(cfg: string, init: string, next: string, constants: readonly string[]): string {
  const assigned = constants.map((name) => `CONSTANT ${name} = ${name}\n`).join('');
  return `${without(cfg, /^(?:SPECIFICATION|INIT|NEXT)$/)}\nINIT ${init}\nNEXT ${next}\n${assigned}`;
}

/** The names left of `=` and `<-` below CONSTANT. */
export function constantsIn(cfg: string): string[] {
  return sections(cfg)
    .filter(({ keyword }) => /^CONSTANTS?$/.test(keyword))
    .flatMap(({ text }) => [...text.matchAll(/(\w+)\s*(?:=|<-)/g)].flatMap(([, name]) => name ?? []));
}

/** The name of the next-state relation: below NEXT, or the `Next` of `[][Next]_vars` in what SPECIFICATION names; undefined when neither shows it. */
export function nextIn(cfg: string, modules: readonly string[]): string | undefined {
  const [next] = namesBelow(cfg, /^NEXT$/);
  if (next !== undefined) return next;
  const [specification] = namesBelow(cfg, /^SPECIFICATION$/);
  return specification === undefined
    ? undefined
    : boxedAction(specification, modules.map(withoutComments).join('\n'), new Set());
}

/** Looks through definitions: `FairSpec == Spec /\ Fairness`. */
function boxedAction(name: string, modules: string, seen: Set<string>): string | undefined {
  if (seen.has(name)) return undefined;
  seen.add(name);
  const definition = new RegExp(
    `^[ \\t]*${name}[ \\t]*==([\\s\\S]*?)(?=^[ \\t]*\\w+(?:\\([^)]*\\))?[ \\t]*==|^={4,})`,
    'm',
  );
  const body = definition.exec(modules)?.[1];
  if (body === undefined) return undefined;
  const action = /\[\]\s*\[\s*(\w+)\s*\]_/.exec(body)?.[1];
  if (action !== undefined) return action;
  for (const [word] of body.matchAll(/\b[A-Za-z_]\w*\b/g)) {
    const found = boxedAction(word, modules, seen);
    if (found !== undefined) return found;
  }
  return undefined;
}
