/** The end of a command about the specification: what did not pass, the document, the exit code. */
import { join } from 'node:path';
import { countsLine } from '../../conformance/report/text.js';
import { type exitCodeOf, resultDocument } from '../../conformance/result-schema.js';
import type { Result } from '../../conformance/verdict.js';
import { type Output, writeOutput } from '../output.js';
import { VERSION } from '../version.js';

export interface SpecJudgement {
  readonly command: string;
  readonly startedAt: Date;
  readonly results: readonly Result[];
  readonly leftOut: readonly string[];
  readonly strict: boolean;
  readonly folder: string | undefined;
}

export function concludeSpec(output: Output, judgement: SpecJudgement, exitCode: typeof exitCodeOf): number {
  const { command, startedAt, results, leftOut, strict, folder } = judgement;
  const document = resultDocument(
    {
      version: VERSION,
      command,
      startedAt,
      finishedAt: new Date(),
      seed: null,
      target: 'specification',
      world: 'none',
    },
    results,
  );
  if (folder !== undefined) writeOutput(join(folder, 'result.json'), `${JSON.stringify(document, null, 2)}\n`);
  for (const { id, verdict, message } of results)
    if (verdict === 'fail' || verdict === 'error')
      output.problem(`${output.paint(verdict, verdict.toUpperCase())} ${id}: ${message}`);
  for (const line of leftOut) output.line(line);
  const code = exitCode(results, strict);
  const why = code === 3 ? ' (strict: what is demanded has to be conclusive)' : '';
  output.line(`${countsLine(document.summary)} in ${(document.durationMs / 1000).toFixed(1)} s${why}`);
  output.document(document);
  return code;
}
