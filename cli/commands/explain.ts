/** `prism explain`: one clause, case, operator, remedy or seeded fault, with its source, what judges it and how to run that. */
import { join } from 'node:path';
import type { Command } from 'commander';
import { CHECKS } from '../../conformance/checks/index.js';
import type { ListedMutant } from '../../conformance/mutants/list-schema.js';
import { didYouMean } from '../../harness/nearest.js';
import { readSpecification, shippedSpecification } from '../../spec/formal.js';
import { definitionOf } from '../../spec/operators.js';
import { findClause, REQUIREMENTS } from '../../spec/requirements.js';
import {
  type ListedCase,
  type ListedClause,
  type ListedOperator,
  type ListedRemedy,
  type ListedSpecMutant,
  type ListedSpecRemedy,
  listCases,
  listClauses,
  listMutants,
  listOperators,
  listRemedies,
  listSpecMutants,
  listSpecRemedies,
} from '../catalogue.js';
import { Failure } from '../failure.js';
import { addOutputOptions, Output, type OutputOptions, prepareOut, writeOutput } from '../output.js';

type Explained =
  | { readonly kind: 'clause'; readonly item: ListedClause }
  | { readonly kind: 'case'; readonly item: ListedCase }
  | { readonly kind: 'mutant'; readonly item: ListedMutant }
  | { readonly kind: 'remedy'; readonly item: ListedRemedy }
  | { readonly kind: 'operator'; readonly item: ListedOperator }
  | { readonly kind: 'spec-remedy'; readonly item: ListedSpecRemedy }
  | { readonly kind: 'spec-mutant'; readonly item: ListedSpecMutant };

function find(id: string): Explained {
  const wanted = id.toLowerCase().replace(/^check\./, '');
  const same = (item: { id: string }): boolean => item.id.toLowerCase() === wanted;
  const clause = listClauses().find(same);
  if (clause) return { kind: 'clause', item: clause };
  const testCase = listCases().find(same);
  if (testCase) return { kind: 'case', item: testCase };
  const broken = listMutants().find(same);
  if (broken) return { kind: 'mutant', item: broken };
  const remedy = listRemedies().find(same);
  if (remedy) return { kind: 'remedy', item: remedy };
  const operator = listOperators().find(same);
  if (operator) return { kind: 'operator', item: operator };
  const specRemedy = listSpecRemedies().find(same);
  if (specRemedy) return { kind: 'spec-remedy', item: specRemedy };
  const mutant = listSpecMutants().find(same);
  if (mutant) return { kind: 'spec-mutant', item: mutant };
  const known = [
    ...listClauses(),
    ...listCases(),
    ...listMutants(),
    ...listRemedies(),
    ...listOperators(),
    ...listSpecRemedies(),
    ...listSpecMutants(),
  ].map((item) => item.id);
  throw new Failure(
    2,
    `nothing is called '${id}'${didYouMean(id, known)}; see prism list clauses, cases, mutants, operators or remedies`,
  );
}

const clauseLines = (ids: readonly string[]): string[] =>
  ids.map((id) => `  ${id.padEnd(7)} ${findClause(id)?.title ?? ''}`);

function sources(source: string): string[] {
  return Object.entries(REQUIREMENTS.sources)
    .filter(([letter]) => new RegExp(`\\b${letter}(?=[\\d ]|$)`).test(source))
    .map(([letter, text]) => `  ${letter}: ${text}`);
}

function describeClause(clause: ListedClause): string[] {
  const { operators, specMutants, mutants, checks, cases, remedies } = clause.evidence;
  const specification = readSpecification(shippedSpecification());
  const methods = CHECKS.filter((c) => c.clause === clause.id).map(
    (c) => `  from ${c.needs.replace('-', ' ')}: ${c.method}`,
  );
  return [
    `${clause.id}: ${clause.title}`,
    clause.statement,
    '',
    `level:  ${REQUIREMENTS.levels[clause.level]}`,
    `duty:   ${clause.role}`,
    `source: ${clause.source}`,
    ...sources(clause.source),
    '',
    operators.length > 0 ? 'formal counterpart, in spec/Clauses.tla:' : `no formal counterpart: ${clause.unmodelled}`,
    ...operators.flatMap((name) => definitionOf(specification, name)).map((line) => `  ${line}`),
    ...(specMutants.length > 0
      ? ['faults of the specification that it must catch:', ...specMutants.map((id) => `  ${id}`)]
      : []),
    ...(clause.pending === undefined ? [] : [`not judged yet: ${clause.pending}`]),
    checks.length > 0 ? 'passive check, on every capture:' : 'passive check: none yet',
    ...methods,
    cases.length > 0 ? 'cases that exercise it:' : 'cases that exercise it: none yet',
    ...cases.map((id) => `  ${id}`),
    ...(mutants.length > 0 ? ['broken implementations that it must catch:', ...mutants.map((id) => `  ${id}`)] : []),
    ...(remedies.length > 0 ? ['remedies of the reference that keep it:', ...remedies.map((name) => `  ${name}`)] : []),
    ...(operators.length > 0 ? ['', `check it: prism spec check --only ${operators.join(' ')}`] : []),
    ...(cases.length > 0 ? [...(operators.length > 0 ? [] : ['']), `run it:   prism test ${clause.id}`] : []),
    ...(cases.length > 0 ? remedies : [])
      .slice(0, 1)
      .map((name) => `break it: prism test ${clause.id} --without ${name}`),
  ];
}

function describeCase(testCase: ListedCase): string[] {
  return [
    testCase.id,
    testCase.summary,
    '',
    'clauses:',
    ...clauseLines(testCase.clauses),
    `worlds: ${testCase.worlds.join(', ')}`,
    ...(testCase.programs.length > 0 ? [`needs in the Linux world: ${testCase.programs.join(', ')}`] : []),
    '',
    ...testCase.worlds.map((world) => `run it: prism test ${testCase.id} --world ${world}`),
  ];
}

function describeMutant(mutant: ListedMutant): string[] {
  return [
    mutant.id,
    mutant.summary,
    '',
    `a broken ${mutant.role}; must be caught by:`,
    ...clauseLines(mutant.clauses),
    'cases that are run against it, until one of them names that clause:',
    ...mutant.cases.map((id) => `  ${id}`),
    ...(mutant.without.length > 0 ? [`remedies switched off in it: ${mutant.without.join(', ')}`] : []),
    '',
    ...mutant.worlds.map((world) => `run it: prism mutants ${mutant.id} --world ${world}`),
  ];
}

function describeRemedy(remedy: ListedRemedy): string[] {
  return [
    remedy.id,
    remedy.summary,
    '',
    'clauses it keeps:',
    ...clauseLines(remedy.clauses),
    '',
    `see what breaks: prism test ${remedy.clauses[0]} --without ${remedy.id}`,
  ];
}

function describeOperator({ id, clauses, kind, models }: ListedOperator): string[] {
  return [
    `${id}: ${kind === 'invariant' ? 'holds in every state' : 'comes true in the end, given Fairness'}`,
    '',
    ...definitionOf(readSpecification(shippedSpecification()), id).map((line) => `  ${line}`),
    '',
    'clause:',
    ...clauseLines(clauses),
    `models that check it: ${models.join(', ')}`,
    '',
    ...models.slice(0, 1).map((model) => `check it: prism spec check --model ${model} --only ${id}`),
    `see it catch: prism spec mutants ${id}`,
  ];
}

function describeSpecRemedy(remedy: ListedSpecRemedy): string[] {
  return [
    `${remedy.id}: ${remedy.summary}`,
    '',
    `source: ${remedy.source}${remedy.literal ? ' (the paper asks for it)' : ' (the paper does not ask for it)'}`,
    'clause it keeps:',
    ...clauseLines(remedy.clauses),
    ...(remedy.hazards.length > 0 ? [`hazards it closes: ${remedy.hazards.join(', ')} (docs/findings.md)`] : []),
    ...(remedy.reference === null ? [] : [`in the reference: ${remedy.reference}`]),
    '',
    `see what breaks: prism spec check --model ${remedy.model} --without ${remedy.id}`,
  ];
}

function describeSpecMutant(mutant: ListedSpecMutant): string[] {
  return [
    `${mutant.id}: ${mutant.summary}`,
    '',
    `must be caught by: ${mutant.operator}`,
    'clause:',
    ...clauseLines(mutant.clauses),
    '',
    `run it: prism spec mutants ${mutant.id}`,
  ];
}

function describe({ kind, item }: Explained): string[] {
  switch (kind) {
    case 'clause':
      return describeClause(item);
    case 'case':
      return describeCase(item);
    case 'mutant':
      return describeMutant(item);
    case 'remedy':
      return describeRemedy(item);
    case 'operator':
      return describeOperator(item);
    case 'spec-remedy':
      return describeSpecRemedy(item);
    case 'spec-mutant':
      return describeSpecMutant(item);
  }
}

/** A line between two explanations. */
const RULE = '-'.repeat(72);

function explain(ids: readonly string[], options: OutputOptions): void {
  const output = new Output(options, (word) => ids.length > 0 && isKnown(word));
  const explained = ids.map(find);
  const documents = explained.map(({ kind, item }) => ({ schema: 'prism-explain/1', kind, ...item }));
  for (const [i, one] of explained.entries()) {
    if (i > 0) for (const line of ['', RULE, '']) output.line(line);
    for (const line of describe(one)) output.line(line);
  }
  if (options.out !== undefined) {
    const folder = prepareOut(options.out);
    for (const document of documents)
      writeOutput(join(folder, `${document.id}.json`), `${JSON.stringify(document, null, 2)}\n`);
  }
  // One id gives its document, several a list of theirs.
  output.document(documents.length === 1 ? documents[0] : documents);
}

function isKnown(word: string): boolean {
  try {
    find(word);
    return true;
  } catch {
    return false;
  }
}

export function registerExplain(program: Command): void {
  const command = program
    .command('explain')
    .summary('a clause, case, mutant, operator or remedy: what it says, what judges it, how to run it')
    .description(
      'Explains a clause, a conformance case, a broken implementation, an operator of the specification, a remedy or a seeded fault: source, formal counterpart, checks,\n' +
        'cases, and the commands that run them.',
    )
    .argument('<ID...>', 'clause, case, mutant, operator, remedy or seeded fault');
  addOutputOptions(command, {
    out: 'also write ID.json into this folder',
    seed: 'accepted as everywhere; nothing here is random',
  }).addHelpText(
    'after',
    `
Examples:
  prism explain HOF-5
  prism explain RET_2
  prism explain SWT-1 SWT-2 HOF-1       one after the other; --json gives a list
  prism explain header-only-ack`,
  );
  command.action(explain);
}
