/** `prism mutants`: the self-test of the judge. Every deliberately broken implementation must be killed by the clause that it names. */
import { join } from 'node:path';
import { type Command, Option } from 'commander';
import { CASES } from '../../conformance/cases/index.js';
import { judgeEvidence } from '../../conformance/judge.js';
import { type Kill, killMutants } from '../../conformance/mutants/kill.js';
import { selectMutants } from '../../conformance/mutants/select.js';
import { countsLine } from '../../conformance/report/text.js';
import { type ExtraTable, exitCodeOf, resultDocument } from '../../conformance/result-schema.js';
import type { Result } from '../../conformance/verdict.js';
import { hasProgram } from '../../harness/linux/probe.js';
import { MUTANTS } from '../../harness/mutants/index.js';
import type { WorldKind } from '../../harness/world.js';
import { Failure } from '../failure.js';
import { withInterrupt } from '../interrupt.js';
import { commandLine } from '../judgement.js';
import { addOutputOptions, Output, type OutputOptions, prepareOut, writeOutput } from '../output.js';
import { VERSION } from '../version.js';
import { enterLinux, linuxWorld, simWorld } from '../worlds.js';

interface MutantsOptions extends OutputOptions {
  readonly world: WorldKind;
}

/** Whether the word selects something, so that `--json WORD` is not taken for a file. */
function isSelector(word: string): boolean {
  return selectMutants([word], MUTANTS, ['sim', 'linux']).ok;
}

async function mutants(words: readonly string[], options: MutantsOptions): Promise<number> {
  const startedAt = new Date();
  const output = new Output(options, isSelector);
  const selected = selectMutants(words, MUTANTS, [options.world]);
  if (!selected.ok) throw new Failure(2, selected.error);
  if (options.world === 'linux') {
    const elsewhere = await enterLinux();
    if (elsewhere !== undefined) return elsewhere;
  }
  const seed = options.seed ?? 1;
  const out = prepareOut(options.out ?? 'prism-report');
  const { kind, create, sideBySide } = options.world === 'linux' ? await linuxWorld() : await simWorld();
  const width = Math.max(...selected.mutants.map(({ id }) => id.length));
  return withInterrupt(async (signal) => {
    const kills = await killMutants({
      mutants: selected.mutants,
      cases: CASES,
      world: kind,
      worldOf: (mutant) => (folder, given) => create(folder, mutant ? { ...given, mutant: mutant.id } : given),
      sideBySide,
      judge: judgeEvidence,
      seed,
      out,
      isInstalled: hasProgram,
      signal,
      onProgress: ({ done, total, id }) => output.progress(`[${done + 1}/${total}] ${kind} ${id}`),
      onResult: (kill) => {
        const line = killLine(kill, width, output.paint);
        if (kill.result.verdict === 'pass') output.line(line);
        else output.problem(line);
      },
    });
    const results = kills.map(({ result }) => result);
    const document = resultDocument(
      {
        version: VERSION,
        command: commandLine(),
        startedAt,
        finishedAt: new Date(),
        seed,
        target: 'mutants',
        world: kind,
        tables: [leadingTable(kills)],
      },
      results,
    );
    writeOutput(join(out, 'result.json'), `${JSON.stringify(document, null, 2)}\n`);
    const alone = kills.filter(({ result, others }) => result.verdict === 'pass' && others.length === 0).length;
    const killed = kills.filter(({ leading }) => leading !== undefined);
    const late = killed.filter(({ leading }) => leading === false);
    output.line(
      `${killed.length - late.length} of ${killed.length} were led by their own clause in one of their cases`,
    );
    for (const { mutant, by, result } of late)
      output.line(`  not ${mutant.id}: ${by} is led by ${ledBy(result)}, not ${mutant.clause}`);
    output.line(`${alone} of ${results.length} were named by their own clause alone`);
    output.line(`${countsLine(document.summary)} in ${(document.durationMs / 1000).toFixed(1)} s`);
    output.document(document);
    // A mutant is killed or it is not: nothing here is inconclusive.
    return exitCodeOf(results, true);
  });
}

const ledBy = ({ leading }: Result): string => leading?.clause ?? 'no clause';

/** Of each mutant that was killed: whether the right clause led in one of its cases at least. */
function leadingTable(kills: readonly Kill[]): ExtraTable {
  return {
    name: 'Whether the right clause led',
    columns: ['mutant', 'clause', 'leading', 'case', 'led by'],
    rows: kills.flatMap(({ mutant, by, leading, result }) =>
      leading === undefined ? [] : [[mutant.id, mutant.clause, String(leading), by ?? '', ledBy(result)]],
    ),
  };
}

/** One line for people; the document says more. */
function killLine({ mutant, result, by, others }: Kill, width: number, paint: Output['paint']): string {
  const id = mutant.id.padEnd(width);
  if (result.verdict !== 'pass') return `${paint(result.verdict, result.verdict.padEnd(6))}  ${id}  ${result.message}`;
  const frames = [...new Set(result.evidence.map(({ frame }) => frame))].slice(0, 3);
  const where = frames.length > 0 ? `, frames ${frames.join(', ')}` : '';
  const also = others.length > 0 ? ` (beside it: ${others.join(', ')})` : '';
  return `${paint('pass', 'killed')}  ${id}  ${mutant.clause} by ${by}${where}${also}`;
}

export function registerMutants(program: Command): void {
  const command = program
    .command('mutants')
    .summary('prove that every deliberately broken implementation is caught')
    .description(
      'Runs broken variants of switch, controller and backend (prism list mutants) against the conformance cases that they name. Each must be\n' +
        'killed by the clause that it breaks: a survivor fails, and so does one that other clauses name only. The same cases must pass with the\n' +
        'unbroken reference.',
    )
    .argument(
      '[SELECTOR...]',
      'mutant id, clause id, role, or glob such as SWT-* or *checksum* (default: all of that world)',
    )
    .addOption(
      new Option('--world <WORLD>', 'where to run: simulated network, or Linux namespaces')
        .choices(['sim', 'linux'])
        .default('sim'),
    );
  addOutputOptions(command, {
    out: 'folder for captures and the report (default: prism-report)',
    seed: 'seeds every random choice (default: 1); the same seed gives the same simulated captures',
  }).addHelpText(
    'after',
    `
Examples:
  prism mutants                          all, in the simulated network
  prism mutants --world linux --json     those that run on Linux too, on real stacks
  prism mutants SWT-4                    is every known way to break a checksum noticed?
  prism explain swt-4.drops-the-carry    what one does, and what runs against it`,
  );
  command.action(async (words: string[], options: MutantsOptions) => {
    process.exitCode = await mutants(words, options);
  });
}
