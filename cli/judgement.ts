/** The end of every judging command: the document, the report folder, the words for people, the exit code. */
import { appendFileSync, existsSync } from 'node:fs';
import { join, relative, resolve, sep } from 'node:path';
import { githubAnnotations, githubSummary } from '../conformance/report/github.js';
import { headline } from '../conformance/report/headline.js';
import { htmlReport } from '../conformance/report/html.js';
import { junitReport } from '../conformance/report/junit.js';
import { type LadderSource, laddersOf } from '../conformance/report/ladder/problems.js';
import { type Column, problems, type Report } from '../conformance/report/matrix.js';
import { tapReport } from '../conformance/report/tap.js';
import { caseTable, clauseTable, countsLine, problemBlocks, summaryText } from '../conformance/report/text.js';
import {
  type ExtraTable,
  exitCodeOf,
  type ResultDocument,
  type RunDescription,
  resultDocument,
} from '../conformance/result-schema.js';
import type { CaseRun } from '../conformance/run.js';
import type { Result } from '../conformance/verdict.js';
import { Failure, fileReason } from './failure.js';
import { type Output, writeOutput } from './output.js';
import { VERSION } from './version.js';

/** Under CI=true what was demanded has to be conclusive, unless --no-strict says otherwise. */
export function strictByDefault(asked: boolean | undefined): boolean {
  return asked ?? process.env.CI === 'true';
}

/** The command as it was typed, for the record. */
export function commandLine(): string {
  return ['prism', ...process.argv.slice(2)].join(' ');
}

/** Says each failed case when it has finished, with what led. */
export function tellFailures(output: Output): (run: CaseRun) => void {
  return ({ world, result }) => {
    if (result.verdict !== 'fail' && result.verdict !== 'error') return;
    output.failure(`${result.verdict.toUpperCase()} ${world} ${result.id}: ${headline(result)}`);
  };
}

/** How a document is shown. */
export interface Presentation {
  readonly columns: readonly Column[];
  readonly strict: boolean;
  /** Where result.json, summary.txt, index.html, report.tap and junit.xml go, if anywhere. */
  readonly folder: string | undefined;
  readonly showCases: boolean;
  /** Where the evidence lies; no ladders without it. */
  readonly evidence?: LadderSource;
  /** The folder that the evidence's names are relative to, where it is not `folder`. */
  readonly evidenceFolder?: string;
}

export interface Judgement extends Presentation {
  readonly run: Omit<RunDescription, 'version' | 'finishedAt' | 'leftOut' | 'tables'>;
  /** What the document lists; the columns' results with ids that are unique over all columns. */
  readonly results: readonly Result[];
  readonly leftOut: readonly string[];
  readonly tables?: readonly ExtraTable[];
}

/** Prints and writes everything; answers the exit code. */
export function conclude(output: Output, judgement: Judgement): number {
  const { run, leftOut, tables = [], results } = judgement;
  const document = resultDocument({ ...run, leftOut, tables, version: VERSION, finishedAt: new Date() }, results);
  return present(output, document, judgement);
}

/** What the terminal shows of the first problem that frames show: the rest is in the report. */
const TERMINAL_LADDER = { rows: 12, ladders: 1 } as const;

/** As `conclude`, of a document that is there already. */
export function present(output: Output, document: ResultDocument, shown: Presentation): number {
  const { columns, strict, folder, evidence } = shown;
  const report: Report = {
    document,
    columns,
    ...(evidence === undefined ? {} : { ladders: laddersOf(problems({ columns, document }), evidence) }),
    ...(folder === undefined ? {} : { href: linksFrom(folder, shown.evidenceFolder ?? folder) }),
  };
  if (folder !== undefined) {
    writeOutput(join(folder, 'result.json'), `${JSON.stringify(document, null, 2)}\n`);
    writeOutput(join(folder, 'summary.txt'), summaryText(report));
    writeOutput(join(folder, 'index.html'), htmlReport(report));
    writeOutput(join(folder, 'report.tap'), tapReport(document, strict));
    writeOutput(join(folder, 'junit.xml'), junitReport(document, strict));
  }
  const code = exitCodeOf(document.results, strict);
  // A run that proves nothing begins with the reason; its tables would only bury it.
  if (code !== 4) {
    if (shown.showCases) {
      for (const line of caseTable(report, output.paint)) output.line(line);
      output.line();
    }
    for (const line of clauseTable(report, output.paint)) output.line(line);
  }
  for (const line of problemBlocks(report, output.paint, TERMINAL_LADDER)) output.problem(line);
  // A table's name sums it up; its rows are in the report.
  for (const line of ['', ...(document.tables ?? []).map(({ name }) => name), ...(document.leftOut ?? [])])
    output.line(line);
  const why = code === 3 ? ' (strict: what is demanded has to be conclusive)' : '';
  if (code === 4 && folder !== undefined)
    output.line(`the tables are in ${join(relative('', folder) || '.', 'summary.txt')}`);
  output.line(`${countsLine(document.summary)} in ${(document.durationMs / 1000).toFixed(1)} s${why}`);
  output.document(document);
  output.formatted('tap', () => tapReport(document, strict));
  output.formatted('junit', () => junitReport(document, strict));
  tellGithub(document);
  return code;
}

/** Inside a job of GitHub Actions: its annotations, and a piece of its summary page. */
function tellGithub(document: ResultDocument): void {
  if (process.env.GITHUB_ACTIONS !== 'true') return;
  // On stderr, where the runner looks too: stdout may carry a document.
  for (const line of githubAnnotations(document)) process.stderr.write(`${line}\n`);
  const summary = process.env.GITHUB_STEP_SUMMARY;
  if (summary === undefined || summary === '') return;
  try {
    appendFileSync(summary, githubSummary(document));
  } catch (error) {
    throw new Failure(4, `cannot write the job's summary ${summary}: ${fileReason(error)}`);
  }
}

/** From a page in `folder` to a file of the evidence, or one that is named from where the command runs. */
function linksFrom(folder: string, evidenceFolder: string): NonNullable<Report['href']> {
  return (file) => {
    const path = [join(evidenceFolder, file), resolve(file)].find((candidate) => existsSync(candidate));
    return path === undefined ? undefined : relative(folder, path).split(sep).map(encodeURIComponent).join('/');
  };
}
