/** `prism list`: what there is. */
import { join } from 'node:path';
import type { Command } from 'commander';
import { didYouMean } from '../../harness/nearest.js';
import { listTargets } from '../../harness/target/listing.js';
import {
  listCases,
  listClauses,
  listCombinations,
  listModels,
  listMutants,
  listOperators,
  listRemedies,
  listSpecMutants,
  listSpecRemedies,
} from '../catalogue.js';
import { Failure } from '../failure.js';
import { addOutputOptions, Output, type OutputOptions, prepareOut, writeOutput } from '../output.js';

const KINDS = [
  'clauses',
  'cases',
  'combinations',
  'mutants',
  'remedies',
  'models',
  'operators',
  'spec-remedies',
  'spec-mutants',
  'targets',
] as const;
type Kind = (typeof KINDS)[number];

const isKind = (text: string): text is Kind => KINDS.some((kind) => kind === text);

interface Listing {
  readonly items: readonly { id: string }[];
  readonly lines: readonly (readonly [string, string])[];
  /** What else the document tells. */
  readonly beside?: object;
  /** What is said behind the lines. */
  readonly closing?: readonly string[];
}

function rows(kind: Kind): Listing {
  switch (kind) {
    case 'clauses': {
      const items = listClauses();
      const judged = ({ evidence }: (typeof items)[number]): string => {
        const { cases, checks, operators } = evidence;
        const judges = [
          ...(operators.length > 0 ? ['specified'] : []),
          ...(cases.length > 0 ? [`${cases.length} cases`] : []),
          ...(checks.length > 0 ? ['checked'] : []),
        ];
        return judges.length === 0 ? 'not judged yet' : judges.join(', ');
      };
      return { items, lines: items.map((c) => [`${c.id} ${c.level}`, `${c.title} (${judged(c)})`]) };
    }
    case 'cases': {
      const items = listCases();
      return { items, lines: items.map((c) => [c.id, c.summary]) };
    }
    case 'combinations': {
      const list = listCombinations();
      const { items, beside, closing } = list;
      return { items, beside, closing, lines: items.map((c) => [c.id, Object.values(c.levels).join(' ')]) };
    }
    case 'models': {
      const items = listModels();
      return {
        items,
        lines: items.map((m) => [m.id, `${m.distinct.toLocaleString('en-US')} distinct states: ${m.summary}`]),
      };
    }
    case 'operators': {
      const items = listOperators();
      return {
        items,
        lines: items.map((o) => [o.id, `${o.clauses.join(', ')}: ${o.kind}; models ${o.models.join(', ')}`]),
      };
    }
    case 'spec-remedies': {
      const items = listSpecRemedies();
      return {
        items,
        lines: items.map((r) => [
          r.id,
          `${r.operator}: ${r.summary} (${r.literal ? 'asked for by' : ''}${r.literal ? ' ' : ''}${r.source})`,
        ]),
      };
    }
    case 'spec-mutants': {
      const items = listSpecMutants();
      return { items, lines: items.map((m) => [m.id, `${m.operator}: ${m.summary}`]) };
    }
    case 'targets': {
      const items = listTargets();
      return { items, lines: items.map((t) => [t.id, `${t.summary} (${t.worlds.join(', ')})`]) };
    }
    case 'mutants': {
      const items = listMutants();
      return { items, lines: items.map((m) => [m.id, `${m.clauses.join(', ')}, ${m.role}: ${m.summary}`]) };
    }
    case 'remedies': {
      const items = listRemedies();
      return { items, lines: items.map((r) => [r.id, `${r.clauses.join(', ')}: ${r.summary}`]) };
    }
  }
}

function list(kind: string, options: OutputOptions): void {
  if (!isKind(kind)) {
    const hint = didYouMean(kind, KINDS);
    const missing = `cannot list '${kind}'${hint}`;
    throw new Failure(2, `${missing}; there are: ${KINDS.join(', ')}`);
  }
  const output = new Output(options, isKind);
  const { items, lines, beside, closing = [] } = rows(kind);
  const document = { schema: 'prism-list/1', [kind]: items, ...beside };
  const width = Math.max(...lines.map(([id]) => id.length));
  for (const [id, text] of lines) output.line(`${id.padEnd(width)}  ${text}`);
  for (const line of closing) output.line(line);
  if (options.out !== undefined)
    writeOutput(join(prepareOut(options.out), `${kind}.json`), `${JSON.stringify(document, null, 2)}\n`);
  output.document(document);
}

export function registerList(program: Command): void {
  const command = program
    .command('list')
    .summary('what there is')
    .description(
      'Lists clauses, conformance cases, the combinations of client programs and stacks among them, deliberately broken implementations, the targets that come with it, the remedies of the reference that can be switched off, and what the specification consists of.',
    )
    .argument('<KIND>', KINDS.join(', '));
  addOutputOptions(command, {
    out: 'also write KIND.json into this folder',
    seed: 'accepted as everywhere; nothing here is random',
  }).addHelpText(
    'after',
    `
Examples:
  prism list clauses
  prism list cases --json`,
  );
  command.action(list);
}
