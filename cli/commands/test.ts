/** `prism test`: active conformance cases in one world. */
import { type Command, InvalidArgumentError, Option } from 'commander';
import { CASES } from '../../conformance/cases/index.js';
import { needless } from '../../conformance/excuses.js';
import { judgeEvidence } from '../../conformance/judge.js';
import { notRunLines, notRunResults, type RunPlan, runUntilStopped, worldResults } from '../../conformance/run.js';
import { select } from '../../conformance/select.js';
import { parseShard, type Shard, shardOf } from '../../conformance/shard.js';
import type { Result } from '../../conformance/verdict.js';
import { isInstalled } from '../../harness/clients/installed.js';
import { didYouMean } from '../../harness/nearest.js';
import type { WorldKind } from '../../harness/world.js';
import { isRemedyName, REMEDY_NAMES, type RemedyName } from '../../reference-impl/core/remedies.js';
import { CLAUSES } from '../../spec/requirements.js';
import { tellCombinations } from '../combinations.js';
import { Failure } from '../failure.js';
import { interruptedCode, withInterrupt } from '../interrupt.js';
import { commandLine, conclude, strictByDefault, tellFailures } from '../judgement.js';
import { folderSource } from '../ladder-sources.js';
import { addOutputOptions, addReportOptions, Output, type OutputOptions, prepareOut } from '../output.js';
import { addTargetOption, chosenTarget, demandWorld, type TargetOption, targetOf } from '../target-option.js';
import { enterLinux, linuxWorld, simWorld } from '../worlds.js';

interface TestOptions extends OutputOptions, TargetOption {
  readonly world: WorldKind;
  readonly without?: readonly string[];
  readonly strict?: boolean;
  readonly shard?: Shard;
  readonly jobs?: number;
  readonly bail?: number;
}

function shardOption(text: string): Shard {
  const shard = parseShard(text);
  if (shard === undefined) throw new InvalidArgumentError('it is i/n with 1 <= i <= n <= 256, such as 2/3.');
  return shard;
}

/** Each Linux case is six processes and four namespaces: more side by side than this only make each other late. */
const MOST_JOBS = 64;

function jobsOption(text: string): number {
  const jobs = Number(text);
  if (!/^\d{1,2}$/.test(text) || jobs < 1 || jobs > MOST_JOBS)
    throw new InvalidArgumentError(`it is a whole number from 1 to ${MOST_JOBS}.`);
  return jobs;
}

function bailOption(text: string): number {
  const bail = Number(text);
  if (!/^\d{1,6}$/.test(text) || bail < 1) throw new InvalidArgumentError('it is a whole number from 1 to 999999.');
  return bail;
}

const CLAUSE_IDS: readonly string[] = CLAUSES.map((clause) => clause.id);

function isSelector(word: string): boolean {
  return select([word], CASES, CLAUSE_IDS, ['sim', 'linux']).ok;
}

/** `--without a b SELECTOR`: words behind it that are no remedies but select something are selectors. */
function splitRemedies(words: readonly string[]): { remedies: RemedyName[]; selectors: string[] } {
  const remedies = new Set<RemedyName>();
  const selectors: string[] = [];
  for (const word of words.flatMap((w) => w.split(','))) {
    if (isRemedyName(word)) remedies.add(word);
    else if (isSelector(word)) selectors.push(word);
    else
      throw new Failure(2, `no remedy is called '${word}'${didYouMean(word, REMEDY_NAMES)}; see prism list remedies`);
  }
  return { remedies: REMEDY_NAMES.filter((name) => remedies.has(name)), selectors };
}

async function test(words: readonly string[], options: TestOptions): Promise<number> {
  const startedAt = new Date();
  const output = new Output(options, isSelector);
  const { remedies, selectors } = splitRemedies(options.without ?? []);
  const selected = select([...words, ...selectors], CASES, CLAUSE_IDS, [options.world]);
  if (!selected.ok) throw new Failure(2, selected.error);
  const { shard } = options;
  const cases = shard === undefined ? selected.selection.cases : shardOf(selected.selection.cases, shard);
  if (shard !== undefined && cases.length === 0)
    throw new Failure(
      2,
      `shard ${shard.index}/${shard.of} is empty: only ${selected.selection.cases.length} cases are selected; cut the run into fewer`,
    );
  const target = chosenTarget(options);
  demandWorld(target, options.world);
  if (options.world === 'linux') {
    const elsewhere = await enterLinux();
    if (elsewhere !== undefined) return elsewhere;
  }
  const seed = options.seed ?? 1;
  const out = prepareOut(options.out ?? 'prism-report');
  const chosen = options.world === 'linux' ? await linuxWorld() : await simWorld();
  const world = options.jobs === undefined ? chosen : { ...chosen, sideBySide: options.jobs };
  return withInterrupt(async (signal) => {
    const plan: RunPlan = {
      cases,
      worlds: [world],
      judge: judgeEvidence,
      seed,
      without: remedies,
      ...targetOf(target),
      out,
      isInstalled,
      signal,
      ...(options.bail === undefined ? {} : { bail: options.bail }),
      onProgress: ({ done, total, id }) => output.progress(`[${done + 1}/${total}] ${world.kind} ${id}`),
      onResult: tellFailures(output),
    };
    const { clauses } = selected.selection;
    const outcome = await runUntilStopped(plan);
    const everything = [
      ...worldResults(outcome.runs, world.kind, clauses, plan),
      ...notRunResults(outcome, world.kind, plan),
    ];
    // What stays open here because another shard exercises it is that shard's to judge.
    const own = new Set(cases.flatMap((c) => c.clauses));
    const elsewhere = ({ id, verdict, clauses: [clause = ''] }: Result): boolean =>
      shard !== undefined && id === `check.${clause}` && !own.has(clause) && verdict !== 'pass' && verdict !== 'fail';
    const judged = everything.filter((result) => !elsewhere(result));
    // A part of a run cannot know whether the rest still needs them.
    const whole = words.length + selectors.length === 0 && shard === undefined && outcome.notRun.length === 0;
    const results = whole ? [...judged, ...needless(judged, target.waivers)] : judged;
    const columns = [{ name: world.kind, results }];
    const stacks = tellCombinations(columns);
    const code = conclude(output, {
      run: {
        command: commandLine(),
        startedAt,
        seed,
        target: target.name,
        world: world.kind,
        waivers: target.waivers,
        ...(shard === undefined ? {} : { shard: `${shard.index}/${shard.of}` }),
      },
      columns,
      results,
      leftOut: [
        ...notRunLines(outcome),
        ...(remedies.length > 0 ? [`switched off: ${remedies.join(', ')}`] : []),
        ...stacks.leftOut,
      ],
      tables: stacks.tables,
      strict: strictByDefault(options.strict),
      folder: out,
      showCases: true,
      evidence: folderSource(out),
    });
    return interruptedCode(signal) ?? code;
  });
}

export function registerTest(program: Command): void {
  const command = program
    .command('test')
    .summary('run conformance cases in a world')
    .description(
      'Runs conformance cases against a target (the reference unless told), each in a fresh world, and judges every capture clause by clause.\n' +
        'SELECTOR is a case id, a clause id, or a glob over both; without one, every case of that world runs.',
    )
    .argument('[SELECTOR...]', 'case id, clause id, or glob such as HOF-* or *pipelined*')
    .addOption(
      new Option('--world <WORLD>', 'where to run: simulated network, or Linux namespaces')
        .choices(['sim', 'linux'])
        .default('sim'),
    )
    .option('--without <REMEDY...>', 'switch remedies of the reference off, to see what breaks (prism list remedies)')
    .option('--shard <I/N>', 'run the I-th of N parts of the selection, as one of N machines does', shardOption)
    .option(
      '--jobs <N>',
      'cases side by side, each in a world of its own (default: 3 on Linux, 1 simulated)',
      jobsOption,
    )
    .addOption(
      new Option('--bail [N]', 'begin no further case when N have failed; the others are reported as not run')
        .preset('1')
        .argParser(bailOption),
    )
    .option('--strict', 'exit 3 when anything stays inconclusive (the default under CI=true)')
    .option('--no-strict', 'exit 0 then, also under CI=true');
  addReportOptions(command);
  addTargetOption(command);
  addOutputOptions(command, {
    out: 'folder for captures and the report (default: prism-report)',
    seed: 'seeds every random choice (default: 1); the same seed gives the same simulated captures',
  }).addHelpText(
    'after',
    `
Examples:
  prism test                                  every case in the simulated network
  prism test --world linux --json out.json    every case on real Linux stacks
  prism test --world linux --shard 2/3        the second third, as one of three machines does
  prism test REQ-2 'HOF-*'                     what bears on these clauses
  prism test --world linux --target prism-target.jsonc   an implementation of your own
  prism test --target prism-target.jsonc --bail 5   no further case once five have failed
  prism test REQ-2 --without header-only-ack  see REQ-2 broken, by which frame`,
  );
  command.action(async (words: string[], options: TestOptions) => {
    process.exitCode = await test(words, options);
  });
}
