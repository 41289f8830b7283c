/** `prism spec mutants`: every remedy switched off and every seeded fault must be reported by the operator that names it. */
import type { Command } from 'commander';
import { exitCodeOf } from '../../conformance/result-schema.js';
import type { Result } from '../../conformance/verdict.js';
import { didYouMean } from '../../harness/nearest.js';
import { checkModel } from '../../model/spec/check.js';
import { faultsOf, type SpecFault, SpecFaultError, violatedOperator } from '../../model/spec/mutants.js';
import type { Toolbox } from '../../model/spec/toolbox.js';
import type { TlcOutcome } from '../../model/tlc/outcome.js';
import { clauseOf, type Specification } from '../../spec/formal.js';
import { Failure } from '../failure.js';
import { withInterrupt } from '../interrupt.js';
import { commandLine, strictByDefault } from '../judgement.js';
import { addOutputOptions, Output, type OutputOptions, prepareOut } from '../output.js';
import { concludeSpec } from './conclude.js';
import { counterexample } from './counterexample.js';
import { noVerdict } from './results.js';
import { openSpecification, openToolbox, parsePositive, processors } from './tools.js';

interface SpecMutantsOptions extends OutputOptions {
  readonly spec?: string;
  readonly heap: number;
  readonly timeLimit: number;
  readonly jobs?: number;
  readonly strict?: boolean;
}

function chosen(faults: readonly SpecFault[], words: readonly string[]): SpecFault[] {
  if (words.length === 0) return [...faults];
  for (const word of words)
    if (!faults.some((fault) => matches(fault, word)))
      throw new Failure(
        2,
        `no fault is called '${word}'${didYouMean(
          word,
          faults.map(({ id }) => id),
        )}; see prism list spec-mutants`,
      );
  return faults.filter((fault) => words.some((word) => matches(fault, word)));
}

/** A fault's id, a remedy's constant, an operator or a clause. */
function matches({ id, operator }: SpecFault, word: string): boolean {
  return id === word || id === `without-${word}` || operator === word || clauseOf(operator) === word;
}

async function judge(
  fault: SpecFault,
  toolbox: Toolbox,
  specification: Specification,
  options: SpecMutantsOptions,
  signal: AbortSignal,
): Promise<{ result: Result; outcome: TlcOutcome }> {
  const { outcome } = await checkModel(toolbox, specification, fault.model, fault.change, {
    // The shortest counterexample, the same one every time.
    workers: 1,
    heapMegabytes: options.heap,
    timeoutMs: options.timeLimit * 1000,
    distributed: false,
    coverage: false,
    signal,
  });
  if (outcome.kind === 'interrupted') throw signal.reason;
  const found = violatedOperator(outcome);
  const failed = noVerdict(outcome, { folder: specification.folder, heapMegabytes: options.heap });
  const result = (verdict: Result['verdict'], exercised: number, message: string): Result => ({
    id: `spec-mutant/${fault.id}`,
    clauses: [clauseOf(fault.operator)],
    verdict,
    exercised,
    message,
    evidence: [],
    replay: `prism spec mutants ${fault.id}`,
  });
  const distinct = Math.max(1, outcome.distinct ?? 1);
  return { outcome, result: verdict() };

  function verdict(): Result {
    if (failed?.code === 4) return result('error', 0, failed.message);
    if (failed) return result('fail', distinct, `instead of violating ${fault.operator}, ${failed.message}`);
    if (found === fault.operator) {
      const steps = 'trace' in outcome ? outcome.trace.length - 1 : 0;
      return result('pass', distinct, `${found} catches it after ${steps} steps`);
    }
    return result(
      'fail',
      distinct,
      found === null
        ? `survived: ${fault.operator} holds in all ${distinct.toLocaleString('en-US')} states (${fault.summary})`
        : `${found} catches it, not ${fault.operator} (${fault.summary})`,
    );
  }
}

/** Runs `work` on each item, `jobs` at a time; the order of the answers is the items'. */
async function sideBySide<T, R>(items: readonly T[], jobs: number, work: (item: T) => Promise<R>): Promise<R[]> {
  const answers = new Array<R>(items.length);
  let next = 0;
  const worker = async (): Promise<void> => {
    for (let i = next++; i < items.length; i = next++) {
      const item = items[i];
      if (item !== undefined) answers[i] = await work(item);
    }
  };
  await Promise.all(Array.from({ length: Math.min(jobs, items.length) }, worker));
  return answers;
}

async function mutants(words: readonly string[], options: SpecMutantsOptions): Promise<number> {
  const startedAt = new Date();
  const output = new Output(options);
  const specification = openSpecification(options.spec);
  const faults = chosen(allFaults(specification), words);
  const folder = options.out === undefined ? undefined : prepareOut(options.out);
  return withInterrupt(async (outer) => {
    output.progress('looking for Java and TLC');
    const finding = await openToolbox(outer);
    output.endProgress();
    if (finding.kind === 'not-tlc') throw new Failure(2, finding.message);
    if (finding.kind === 'no-java') throw new Failure(4, finding.message);
    // What goes wrong in one run ends the others too.
    const inner = new AbortController();
    const signal = AbortSignal.any([outer, inner.signal]);
    let done = 0;
    const width = Math.max(...faults.map(({ id }) => id.length));
    const results = await sideBySide(faults, options.jobs ?? processors(), async (fault) => {
      output.progress(`[${done + 1}/${faults.length}] ${fault.id}`);
      const { result, outcome } = await judge(fault, finding.toolbox, specification, options, signal).catch(
        (error: unknown) => {
          inner.abort(error);
          throw error;
        },
      );
      done++;
      const word = result.verdict === 'pass' ? 'killed' : result.verdict;
      output.line(`${output.paint(result.verdict, word.padEnd(6))}  ${fault.id.padEnd(width)}  ${result.message}`);
      // Who asks for one wants to see it.
      if (faults.length === 1 && 'trace' in outcome) {
        const name = violatedOperator(outcome) ?? outcome.kind;
        for (const line of ['', `VIOLATED ${name}`, '', ...counterexample(outcome), '']) output.line(line);
      }
      return result;
    });
    const strict = strictByDefault(options.strict);
    return concludeSpec(
      output,
      { command: commandLine(), startedAt, results, leftOut: [], strict, folder },
      exitCodeOf,
    );
  });
}

function allFaults(specification: Specification): SpecFault[] {
  try {
    return faultsOf(specification);
  } catch (error) {
    if (error instanceof SpecFaultError) throw new Failure(2, error.message);
    throw error;
  }
}

export function registerSpecMutants(spec: Command): void {
  const command = spec
    .command('mutants')
    .summary('seed faults into the specification: each must be caught by the operator that names it')
    .description(
      'Switches every remedy off, one at a time, with all operators asked: exactly the named one must be reported. Then seeds faults into the\n' +
        "specification's text, with the named operator alone asked. A survivor, or one that another operator catches, fails.",
    )
    .argument('[SELECTOR...]', 'faults, remedies, operators or clauses (default: all)')
    .option('--spec <DIR>', 'the specification in this folder instead of the shipped one')
    .option('--jobs <N>', 'runs of TLC side by side (default: all processors)', parsePositive)
    .option('--heap <MIB>', "limit of each JVM's heap", parsePositive, 2048)
    .option('--time-limit <SECONDS>', 'for each run', parsePositive, 900)
    .option('--strict', 'accepted as everywhere; nothing here is inconclusive')
    .option('--no-strict', 'accepted as everywhere');
  addOutputOptions(command, {
    out: 'also write result.json into this folder',
    seed: 'accepted as everywhere; nothing here is random',
  }).addHelpText(
    'after',
    `
Examples:
  prism spec mutants                 all of them, some minutes
  prism spec mutants HOF-5           those that one clause has to catch
  prism spec mutants --spec my-spec  are the operators of a changed specification still awake?`,
  );
  command.action(async (words: readonly string[], options: SpecMutantsOptions) => {
    process.exitCode = await mutants(words, options);
  });
}
