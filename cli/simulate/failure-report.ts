/** A failing run for people and for programs: recorded once more, drawn, and written where `--out` says. */
import { join } from 'node:path';
import { writeEvidence } from '../../harness/simulate/evidence.js';
import { clauseOfInvariant, INVARIANTS } from '../../harness/simulate/invariants.js';
import type { Plan } from '../../harness/simulate/plan.js';
import type { Recorded, Recorder } from '../../harness/simulate/recorder.js';
import type { FailureReport } from '../../harness/simulate/report-schema.js';
import type { SimulatedRoles } from '../../harness/simulate/roles.js';
import { type Failure as RunFailure, runPlan } from '../../harness/simulate/run.js';
import type { Failing } from '../../harness/simulate/shrink.js';
import { writeSimulationToken } from '../../harness/simulate/token.js';
import { simulatedLadder } from '../../model/ladder/simulated.js';
import { LADDER_LEGEND, ladderText } from '../../model/ladder/text.js';
import { Failure, fileReason } from '../failure.js';
import { type Output, writeOutput } from '../output.js';

/** Columns: what a code fence shows without scrolling. */
const WIDTH = 118;
/** Of a ladder on the terminal; the file has all. */
const SHOWN_ROWS = 40;

/** A run that failed, and how to run it again. */
export interface FailedRun {
  readonly plan: Plan;
  readonly failure: RunFailure;
  readonly token: string;
  readonly faults: FailureReport['faults'];
  readonly connections: number;
  /** What was chosen, in words, where it is a story. */
  readonly story?: readonly string[];
  readonly again: (recorder: Recorder) => void;
}

/** Runs the plan again with everything recorded; `folder`: where the evidence goes, if anywhere. */
export function reportFailure(
  { plan, failure }: Failing,
  roles: SimulatedRoles,
  folder: string | undefined,
): FailureReport {
  const token = writeSimulationToken({ plan, invariant: failure.invariant });
  const again = (recorder: Recorder): void => void runPlan(plan, roles, recorder);
  const connections = plan.connections - plan.skip.length;
  return reportRun({ plan, failure, token, faults: [...plan.faults], connections, again }, folder);
}

export function reportRun(run: FailedRun, folder: string | undefined): FailureReport {
  const { plan, failure, token, faults, connections, story } = run;
  const recorded: Recorded[] = [];
  run.again((row) => recorded.push(row));
  const draw = (rows: number | null): string[] => {
    const { ladder, left } = simulatedLadder(recorded, failure, { rows });
    const before = left === 0 ? [] : [`(${left} rows before; times in microseconds)`];
    return [...before, ...ladderText(ladder, { width: WIDTH })];
  };
  const evidence: string[] = [];
  if (folder !== undefined) {
    try {
      for (const name of writeEvidence(folder, plan, recorded)) evidence.push(join(folder, name));
    } catch (error) {
      throw new Failure(4, `cannot write to ${folder}: ${fileReason(error)}`);
    }
    const path = join(folder, 'ladder.txt');
    writeOutput(
      path,
      `${[...heading(failure), '', ...(story === undefined ? [] : [...storyLines(story), '']), ...draw(null), '', ...LADDER_LEGEND, '', `prism replay ${token}`].join('\n')}\n`,
    );
    evidence.push(path);
  }
  return {
    seed: plan.seed,
    invariant: failure.invariant,
    clauses: [clauseOfInvariant(failure.invariant)],
    message: failure.message,
    conn: failure.conn,
    role: failure.role,
    atMicros: Math.round(failure.at / 1000),
    faults,
    connections,
    token,
    replay: `prism replay ${token}`,
    ...(story === undefined ? {} : { story: [...story] }),
    ladder: draw(SHOWN_ROWS),
    evidence,
  };
}

function heading({ invariant, message, conn }: Failing['failure']): string[] {
  const [clause, statement] = INVARIANTS[invariant];
  return [`${clause} ${invariant}: ${statement}`, `  ${conn === null ? '' : `${conn}: `}${message}`];
}

/** Every choice in a line, in order. */
function storyLines(story: readonly string[]): string[] {
  return [...story, 'then nothing more is chosen'].map((words, i) => `${`${i + 1}`.padStart(4)}. ${words}`);
}

/** The lines of a report: what failed, the ladder, the files, the token. */
export function printFailure(output: Output, report: FailureReport, shrunk: boolean): void {
  const { seed, invariant, message, conn, faults, connections, ladder, evidence, replay } = report;
  const [clause, statement] = INVARIANTS[invariant];
  const many = `${connections} ${connections === 1 ? 'connection' : 'connections'}`;
  const size = `${many}, ${faults.length === 0 ? 'no faults' : faults.join(', ')}`;
  output.problem(`${output.paint('fail', 'FAIL')} seed ${seed}: ${clause} ${invariant}: ${statement}`);
  output.problem(`  ${conn === null ? '' : `${conn}: `}${message}`);
  output.problem(`  with ${size}${shrunk ? ' (the smallest run found that fails alike)' : ''}`);
  if (report.story !== undefined) for (const line of storyLines(report.story)) output.problem(line);
  output.problem('');
  for (const line of ladder) output.problem(line);
  output.problem('');
  for (const line of LADDER_LEGEND) output.line(line);
  for (const path of evidence) output.line(`written: ${path}`);
  output.problem(replay);
}
