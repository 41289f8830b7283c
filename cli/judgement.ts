/** The end of every judging command: the document, the report folder, the words for people, the exit code. */
import { existsSync } from 'node:fs';
import { join, relative, resolve, sep } from 'node:path';
import { htmlReport } from '../conformance/report/html.js';
import { junitReport } from '../conformance/report/junit.js';
import { type LadderSource, laddersOf } from '../conformance/report/ladder/problems.js';
import { type ExtraTable, problems, type Report } from '../conformance/report/matrix.js';
import { tapReport } from '../conformance/report/tap.js';
import { caseTable, clauseTable, countsLine, problemBlocks, summaryText } from '../conformance/report/text.js';
import { exitCodeOf, type RunDescription, resultDocument } from '../conformance/result-schema.js';
import type { Result } from '../conformance/verdict.js';
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

export interface Judgement {
  readonly run: Omit<RunDescription, 'version' | 'finishedAt'>;
  readonly columns: Report['columns'];
  /** What the document lists; the columns' results with ids that are unique over all columns. */
  readonly results: readonly Result[];
  readonly leftOut: readonly string[];
  readonly strict: boolean;
  /** Where result.json, summary.txt, index.html, report.tap and junit.xml go, if anywhere. */
  readonly folder: string | undefined;
  readonly showCases: boolean;
  readonly tables?: readonly ExtraTable[];
  /** Where the evidence lies; no ladders without it. */
  readonly evidence?: LadderSource;
}

/** What the terminal shows of the first problem that frames show: the rest is in the report. */
const TERMINAL_LADDER = { rows: 12, problems: 1 } as const;

/** From a page in `folder` to a file that lies in it, or is named from where the command ran. */
function linksFrom(folder: string): NonNullable<Report['href']> {
  return (file) => {
    const path = [join(folder, file), resolve(file)].find((candidate) => existsSync(candidate));
    return path === undefined ? undefined : relative(folder, path).split(sep).map(encodeURIComponent).join('/');
  };
}

/** Prints and writes everything; answers the exit code. */
export function conclude(output: Output, judgement: Judgement): number {
  const document = resultDocument({ ...judgement.run, version: VERSION, finishedAt: new Date() }, judgement.results);
  const report: Report = {
    document,
    columns: judgement.columns,
    leftOut: judgement.leftOut,
    ...(judgement.tables === undefined ? {} : { tables: judgement.tables }),
    ...(judgement.evidence === undefined ? {} : { ladders: laddersOf(problems(judgement), judgement.evidence) }),
    ...(judgement.folder === undefined ? {} : { href: linksFrom(judgement.folder) }),
  };
  if (judgement.folder !== undefined) {
    writeOutput(join(judgement.folder, 'result.json'), `${JSON.stringify(document, null, 2)}\n`);
    writeOutput(join(judgement.folder, 'summary.txt'), summaryText(report));
    writeOutput(join(judgement.folder, 'index.html'), htmlReport(report));
    writeOutput(join(judgement.folder, 'report.tap'), tapReport(document, judgement.strict));
    writeOutput(join(judgement.folder, 'junit.xml'), junitReport(document, judgement.strict));
  }
  if (judgement.showCases) {
    for (const line of caseTable(report, output.paint)) output.line(line);
    output.line();
  }
  for (const line of clauseTable(report, output.paint)) output.line(line);
  for (const line of problemBlocks(report, output.paint, TERMINAL_LADDER)) output.problem(line);
  for (const line of ['', ...judgement.leftOut]) output.line(line);
  const code = exitCodeOf(document.summary, judgement.strict);
  const why = code === 3 ? ' (strict: what is demanded has to be conclusive)' : '';
  output.line(`${countsLine(document.summary)} in ${(document.durationMs / 1000).toFixed(1)} s${why}`);
  output.document(document);
  output.formatted('tap', () => tapReport(document, judgement.strict));
  output.formatted('junit', () => junitReport(document, judgement.strict));
  return code;
}
