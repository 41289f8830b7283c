/** The operators that the catalogue's clauses are stated by: what the configurations of the models check. */
import type { Specification } from './formal.js';

export interface Operator {
  readonly name: string;
  /** Holds in every state, or in the end. */
  readonly kind: 'invariant' | 'liveness';
}

/** `Sometimes` is no clause: it tells which situations occurred. */
export const WITNESSES = 'Sometimes';

function namesBelow(cfg: string, keyword: string): string[] {
  const plain = cfg.replace(/\\\*.*/g, '');
  const sections = plain.split(/^(CONSTANTS|SPECIFICATION|INVARIANTS|PROPERTIES|CHECK_DEADLOCK)\b/m);
  return sections.flatMap((text, i) => (sections[i - 1] === keyword ? text.trim().split(/\s+/).filter(Boolean) : []));
}

/** Those of one configuration, in its order. */
export function operatorsIn(cfg: string): Operator[] {
  return [
    ...namesBelow(cfg, 'INVARIANTS').map((name): Operator => ({ name, kind: 'invariant' })),
    ...namesBelow(cfg, 'PROPERTIES').map((name): Operator => ({ name, kind: 'liveness' })),
  ].filter(({ name }) => name !== WITNESSES);
}

/** Those of all models, each once. */
export function operatorsOf({ models, configurations }: Specification): Operator[] {
  const all = models.flatMap(({ cfg }) => operatorsIn(configurations[cfg] ?? ''));
  return all.filter(({ name }, i) => all.findIndex((other) => other.name === name) === i);
}

/** The situations of Witnesses.tla that have to occur, in its order. */
export function situationsOf({ modules }: Specification): string[] {
  return [...(modules['Witnesses.tla'] ?? '').matchAll(/^ *(?:<< )?<<"([^"]+)",$/gm)].map(([, text]) => text ?? '');
}

/** A configuration with constants set anew, and with these operators only. Throws a RangeError for a constant it does not set. */
export function reconfigured(
  cfg: string,
  change: { readonly constants?: Readonly<Record<string, string>>; readonly only?: readonly string[] },
): string {
  let text = cfg;
  for (const [name, value] of Object.entries(change.constants ?? {})) {
    const assignment = new RegExp(`^(\\s*${name}\\s*(?:=|<-)\\s*)\\S.*$`, 'm');
    if (!assignment.test(text)) throw new RangeError(`the configuration sets no ${name}`);
    text = text.replace(assignment, `$1${value}`);
  }
  const { only } = change;
  if (only === undefined) return text;
  const kept = operatorsIn(text).filter(({ name }) => only.includes(name));
  const section = (keyword: string, kind: Operator['kind']): string => {
    const names = kept.filter((operator) => operator.kind === kind).map(({ name }) => name);
    return names.length === 0 ? '' : `${keyword} ${names.join(' ')}\n`;
  };
  const rest = text.replace(/^(INVARIANTS|PROPERTIES)\b[\s\S]*?(?=^[A-Z]|$(?![\s\S]))/gm, '');
  return `${rest.trimEnd()}\n${section('INVARIANTS', 'invariant')}${section('PROPERTIES', 'liveness')}`;
}

/** The definition of an operator as it stands in Clauses.tla, comments before it included; empty when there is none. */
export function definitionOf({ modules }: Specification, name: string): string[] {
  const lines = (modules['Clauses.tla'] ?? '').split('\n');
  const start = lines.findIndex((line) => new RegExp(`^${name}\\b.*==`).test(line));
  if (start < 0) return [];
  let first = start;
  while (lines[first - 1]?.startsWith('\\*')) first--;
  let end = start + 1;
  while (/^\s+\S/.test(lines[end] ?? '')) end++;
  return lines.slice(first, end);
}
