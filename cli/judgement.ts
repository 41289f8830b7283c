/** The end of every judging command: the document, the report folder, the words for people, the exit code. */
import { join } from 'node:path';
import { htmlReport } from '../conformance/report/html.js';
import type { Report } from '../conformance/report/matrix.js';
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
  /** Where result.json, summary.txt and index.html go, if anywhere. */
  readonly folder: string | undefined;
  readonly showCases: boolean;
}

/** Prints and writes everything; answers the exit code. */
export function conclude(output: Output, judgement: Judgement): number {
  const document = resultDocument({ ...judgement.run, version: VERSION, finishedAt: new Date() }, judgement.results);
  const report: Report = { document, columns: judgement.columns, leftOut: judgement.leftOut };
  if (judgement.folder !== undefined) {
    writeOutput(join(judgement.folder, 'result.json'), `${JSON.stringify(document, null, 2)}\n`);
    writeOutput(join(judgement.folder, 'summary.txt'), summaryText(report));
    writeOutput(join(judgement.folder, 'index.html'), htmlReport(report));
  }
  if (judgement.showCases) {
    for (const line of caseTable(report, output.paint)) output.line(line);
    output.line();
  }
  for (const line of clauseTable(report, output.paint)) output.line(line);
  for (const line of problemBlocks(report, output.paint)) output.problem(line);
  for (const line of ['', ...judgement.leftOut]) output.line(line);
  const code = exitCodeOf(judgement.results, judgement.strict);
  const why = code === 3 ? ' (strict: what is demanded has to be conclusive)' : '';
  output.line(`${countsLine(document.summary)} in ${(document.durationMs / 1000).toFixed(1)} s${why}`);
  output.document(document);
  return code;
}
