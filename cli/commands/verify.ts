/** `prism verify`, the main job: the specification, the refinement, conformance of the reference in every world there is here, a report folder. */
import { relative } from 'node:path';
import type { Command } from 'commander';
import { CASES } from '../../conformance/cases/index.js';
import { needless } from '../../conformance/excuses.js';
import { judgeEvidence } from '../../conformance/judge.js';
import { notRunLines, notRunResults, type RunPlan, runUntilStopped, worldResults } from '../../conformance/run.js';
import type { Result } from '../../conformance/verdict.js';
import { isInstalled } from '../../harness/clients/installed.js';
import { CLAUSES } from '../../spec/requirements.js';
import { tellCombinations } from '../combinations.js';
import { interruptedCode, withInterrupt } from '../interrupt.js';
import { commandLine, conclude, strictByDefault, tellFailures } from '../judgement.js';
import { folderSource } from '../ladder-sources.js';
import { addOutputOptions, addReportOptions, Output, type OutputOptions, prepareOut } from '../output.js';
import { verifySpecification } from '../spec/check.js';
import { byClause } from '../spec/results.js';
import { addTargetOption, chosenTarget, type TargetOption, targetOf } from '../target-option.js';
import { linuxAccess, linuxWorld, rerunRootless, simWorld } from '../worlds.js';
import { verifyRefinement } from './refine.js';

interface VerifyOptions extends OutputOptions, TargetOption {
  readonly strict?: boolean;
}

async function verify(options: VerifyOptions): Promise<number> {
  const startedAt = new Date();
  const output = new Output(options);
  const seed = options.seed ?? 1;
  const strict = strictByDefault(options.strict);
  const target = chosenTarget(options);
  const access = await linuxAccess();
  if (access.kind === 'rootless') return rerunRootless();
  const out = prepareOut(options.out ?? 'prism-report');
  const available = [await simWorld(), ...(access.kind === 'here' ? [await linuxWorld()] : [])];
  const worlds = available.filter(({ kind }) => target.worlds.includes(kind));
  return withInterrupt(async (signal) => {
    const plan: RunPlan = {
      // A slow case runs only when it is asked for by name.
      cases: CASES.filter(({ slow }) => slow !== true),
      worlds,
      judge: judgeEvidence,
      seed,
      without: [],
      ...targetOf(target),
      out,
      isInstalled,
      tolerant: true,
      signal,
      onProgress: ({ done, total, world, id }) => output.progress(`[${done + 1}/${total}] ${world} ${id}`),
      onResult: tellFailures(output),
    };
    const specification = await verifySpecification(output, signal);
    const refinement = await verifyRefinement(output, signal);
    const outcome = await runUntilStopped(plan);
    const clauses = new Set(CLAUSES.map((clause) => clause.id));
    const judged = worlds.map(({ kind }) => ({
      name: kind,
      results: [...worldResults(outcome.runs, kind, clauses, plan), ...notRunResults(outcome, kind, plan)],
    }));
    const columns = [{ name: 'spec' as const, results: byClause(specification.results) }, ...judged];
    const results: Result[] = [{ name: 'spec', results: specification.results }, ...judged].flatMap(
      ({ name, results }) => results.map((r) => ({ ...r, id: `${name}/${r.id}` })),
    );
    results.push(...refinement.results);
    const everywhere = judged.flatMap(({ results }) => results);
    if (outcome.notRun.length === 0) results.push(...needless(everywhere, target.waivers));
    const stacks = tellCombinations(judged);
    const leftOut = [...notRunLines(outcome), ...specification.leftOut, ...refinement.leftOut, ...stacks.leftOut];
    if (!target.worlds.includes('sim'))
      leftOut.push(`left out the simulated world: ${target.name} runs programs, which need Linux`);
    if (access.kind === 'missing') {
      const message = `left out the Linux world: ${access.what}; ${access.remedy}`;
      leftOut.push(message);
      results.push({
        id: 'linux/world',
        clauses: [],
        verdict: 'inconclusive',
        exercised: 0,
        message,
        evidence: [],
        replay: 'prism verify',
      });
    }
    const code = conclude(output, {
      run: {
        command: commandLine(),
        startedAt,
        seed,
        target: target.name,
        waivers: target.waivers,
        world: worlds.length === 2 ? 'sim+linux' : (worlds[0]?.kind ?? 'none'),
      },
      columns,
      results,
      leftOut,
      tables: stacks.tables,
      strict,
      folder: out,
      showCases: false,
      evidence: folderSource(out),
    });
    output.line(`report: ${relative('', out) || '.'}/index.html`);
    return interruptedCode(signal) ?? code;
  });
}

export function registerVerify(program: Command): void {
  const command = program
    .command('verify')
    .summary(
      'the main job: check the specification, compare the reference with it, judge it in every world there is here',
    )
    .description(
      'Model-checks the specification (prism spec check), compares the reference with it exhaustively (prism refine), then runs every conformance case in the\n' +
        'simulated network and, where this machine can, on real Linux stacks;\n' +
        'prints a table of clauses with verdicts and writes a report folder with every capture.',
    )
    .option('--strict', 'exit 3 when anything stays inconclusive, a missing world included (the default under CI=true)')
    .option('--no-strict', 'exit 0 then, also under CI=true');
  addReportOptions(command);
  addTargetOption(command);
  addOutputOptions(command, {
    out: 'the report folder (default: prism-report)',
    seed: 'seeds every random choice (default: 1)',
  }).addHelpText(
    'after',
    `
Examples:
  prism verify                          all there is, report in ./prism-report
  prism verify --out /tmp/report        report elsewhere
  prism verify --json | jq .summary     counts only`,
  );
  command.action(async (options: VerifyOptions) => {
    process.exitCode = await verify(options);
  });
}
