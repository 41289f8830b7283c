/** `prism report`: a stored result in the formats for people and builds. */
import { statSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import type { Command } from 'commander';
import { columnsOf } from '../../conformance/report/matrix.js';
import { mergeShards } from '../../conformance/report/merge.js';
import { ResultDocument } from '../../conformance/result-schema.js';
import { readJson } from '../capture-files.js';
import { Failure, fileReason } from '../failure.js';
import { present } from '../judgement.js';
import { folderSource } from '../ladder-sources.js';
import { addOutputOptions, addReportOptions, Output, type OutputOptions, prepareOut } from '../output.js';
import { byClause } from '../spec/results.js';

interface ReportOptions extends OutputOptions {
  readonly strict?: boolean;
}

/** `result.json` of a report folder, or the file itself. */
function resultPath(path: string): string {
  try {
    return statSync(path).isDirectory() ? join(path, 'result.json') : path;
  } catch (error) {
    throw new Failure(2, `${path}: ${fileReason(error)}`);
  }
}

/** Throws a Failure for what is no result document. */
function readResult(path: string): ResultDocument {
  const parsed = ResultDocument.safeParse(readJson(path));
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  const field = issue?.path.join('.') || 'the whole file';
  throw new Failure(2, `${path}: ${field}: ${issue?.message} (the format is schemas/prism-result-1.schema.json)`);
}

/** A document and the folder that its evidence's names are relative to; of several files, the document of the whole run. */
function readRun(files: readonly string[]): { document: ResultDocument; evidenceFolder: string } {
  const [only = ''] = files;
  if (files.length === 1) return { document: readResult(only), evidenceFolder: dirname(resolve(only)) };
  const evidenceFolder = resolve('');
  const shards = files.map((name) => ({
    name,
    document: readResult(name),
    prefix: `${relative(evidenceFolder, dirname(resolve(name))) || '.'}/`,
  }));
  const merged = mergeShards(shards);
  if (!merged.ok) throw new Failure(2, merged.error);
  return { document: merged.document, evidenceFolder };
}

function report(paths: readonly string[], options: ReportOptions): number {
  const output = new Output(options, (word) => /(^|\/)result\.json$/.test(word));
  const { document, evidenceFolder } = readRun(paths.map(resultPath));
  const columns = columnsOf(document).map((column) =>
    column.name === 'spec' ? { ...column, results: byClause(column.results) } : column,
  );
  return present(output, document, {
    columns,
    strict: options.strict === true,
    folder: options.out === undefined ? undefined : prepareOut(options.out),
    showCases: document.world === 'sim' || document.world === 'linux',
    evidence: folderSource(evidenceFolder),
    evidenceFolder,
  });
}

export function registerReport(program: Command): void {
  const command = program
    .command('report')
    .summary('show a stored result again, in any format; make one of the shards of a run')
    .description(
      'Reads the JSON result that a judging command wrote, and prints and writes what that command would have: tables, TAP, JUnit XML, and with --out a\n' +
        'report folder, whose page has ladders where the captures still lie beside the result. Exits as the command did.\n' +
        'Given every shard of a run, it shows the whole run, and exits as that would have.',
    )
    .argument('<RESULT...>', 'a report folder, or the file that --json wrote; or all those of the shards of one run')
    .option('--strict', 'exit 3 when anything stayed inconclusive, and call it not ok');
  addReportOptions(command);
  addOutputOptions(command, {
    out: 'write the whole report into this folder (the one it came from is fine)',
    seed: 'accepted as everywhere; nothing here is random',
  }).addHelpText(
    'after',
    `
Examples:
  prism report prism-report --junit junit.xml     the last run, for a build server
  prism report result.json --out page             index.html and its like from a file
  prism report shard1 shard2 shard3 --out whole   one report of a run in three shards`,
  );
  command.action((paths: string[], options: ReportOptions) => {
    process.exitCode = report(paths, options);
  });
}
