/** Names the error that TLC's distributed mode found: it prints only the last states, so TLC is run again from the first of these. */
import { constantsIn, nextIn, withBehaviour } from './configuration.js';
import type { TlcEnd } from './outcome.js';
import type { TlcRequest, TlcRunOptions } from './request.js';
import { runTlc } from './run.js';
import { splitState } from './states.js';
import { parseTlaValue, type TlaValue } from './value.js';

/** Name of the module made here, and of its initial predicate with `Init`. */
const MODULE = 'PrismFound';

/** `printed`: the states that the server printed, in TLA+. What is wrong is at most one step from the last but one, so this run ends at once. */
export async function explainFinding(
  request: Omit<TlcRequest, 'coverage' | 'modules'> & {
    readonly modules: { readonly texts: Readonly<Record<string, string>> };
  },
  printed: readonly string[],
  options: TlcRunOptions,
): Promise<TlcEnd> {
  const { texts } = request.modules;
  const { keepFolder: _keepFolder, ...again } = request;
  const next = nextIn(request.cfg, extended(request.root, texts));
  const last = printed.at(-1) ?? '';
  const from = printed.at(-2) ?? last;
  const unnamed: TlcEnd = {
    kind: 'internal',
    message: `TLC found an error but does not say which; it ends in ${last.trim()}`,
  };
  if (next === undefined) return unnamed;
  const assigned = new Set(constantsIn(request.cfg));
  const constants = modelValues(from).filter((name) => !assigned.has(name));
  const module = [
    `---- MODULE ${MODULE} ----`,
    `EXTENDS ${request.root}`,
    'LOCAL INSTANCE Integers',
    'LOCAL INSTANCE TLC',
    ...(constants.length > 0 ? [`CONSTANTS ${constants.join(', ')}`] : []),
    `${MODULE}Init ==`,
    ...splitState(from).map(([name, value]) => `  /\\ ${name} = ${value}`),
    '====',
    '',
  ].join('\n');
  const { durationMs, generated, distinct, depth, prints, coverage, ...end } = await runTlc(
    {
      ...again,
      modules: { texts: { ...texts, [`${MODULE}.tla`]: module } },
      root: MODULE,
      cfg: withBehaviour(request.cfg, `${MODULE}Init`, next, constants),
      workers: 1,
      coverage: false,
    },
    options.signal ? { signal: options.signal } : {},
  );
  // What the second run does not find or cannot read, the first has found all the same.
  return end.kind === 'ok' || end.kind === 'parse-error' ? unnamed : end;
}

/** The model values in a printed state. */
function modelValues(text: string): string[] {
  const names = new Set<string>();
  const collect = (value: TlaValue): void => {
    switch (value.kind) {
      case 'model':
        names.add(value.name);
        return;
      case 'sequence':
      case 'set':
        value.items.forEach(collect);
        return;
      case 'record':
        for (const [, field] of value.fields) collect(field);
        return;
      case 'function':
        for (const pair of value.entries) pair.forEach(collect);
        return;
      case 'integer':
      case 'string':
      case 'boolean':
      case 'interval':
        return;
    }
  };
  for (const [, value] of splitState(text)) {
    const parsed = parseTlaValue(value);
    if (parsed.ok) collect(parsed.value);
  }
  return [...names];
}

/** The texts of a module and of all that it extends, in that order. */
function extended(root: string, texts: Readonly<Record<string, string>>): string[] {
  const names = new Set([root]);
  // A set takes what is added while it is gone through.
  for (const name of names) {
    const list = /^\s*EXTENDS\s+(\w+(?:\s*,\s*\w+)*)/m.exec(texts[`${name}.tla`] ?? '')?.[1] ?? '';
    for (const other of list.split(',')) names.add(other.trim());
  }
  return [...names].flatMap((name) => texts[`${name}.tla`] ?? []);
}
