/** A run as GitHub Actions shows it: one annotation for each problem, and a summary in Markdown. */
import { findClause } from '../../spec/requirements.js';
import type { ResultDocument } from '../result-schema.js';
import type { Result } from '../verdict.js';
import { countsLine } from './text.js';

/** GitHub shows ten annotations of a kind for a step; the rest is in the report. */
const MOST_ANNOTATIONS = 10;

const data = (text: string): string => text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A');
const property = (text: string): string => data(text).replaceAll(':', '%3A').replaceAll(',', '%2C');

function where({ evidence: [first] }: Result): string {
  return first === undefined ? '' : ` (${first.capture} frame ${first.frame})`;
}

/** Workflow commands, one a line: `error` for what failed, `warning` for what stays open, the gravest first. */
export function githubAnnotations(document: ResultDocument): string[] {
  const commands = (verdicts: readonly Result['verdict'][], kind: 'error' | 'warning'): string[] =>
    document.results
      .filter((r) => verdicts.includes(r.verdict) && r.waiver === undefined)
      .sort((a, b) => verdicts.indexOf(a.verdict) - verdicts.indexOf(b.verdict))
      .slice(0, MOST_ANNOTATIONS)
      .map((r) => `::${kind} title=${property(`${r.verdict}: ${r.id}`)}::${data(r.message + where(r))}`);
  return [...commands(['error', 'fail'], 'error'), ...commands(['inconclusive', 'unsupported'], 'warning')];
}

const cell = (text: string): string => text.replace(/[\r\n]+/g, ' ').replace(/[|\\`<>*_[\]&]/g, '\\$&');

/** Markdown for the job's summary page: the counts, then a table of what did not pass. */
export function githubSummary(document: ResultDocument): string {
  const problems = document.results.filter((r) => r.verdict !== 'pass');
  const rows = problems.map((r) => {
    const clauses = r.clauses.map((id) => `${id} ${findClause(id)?.title ?? ''}`.trim()).join(', ');
    return `| ${r.verdict} | ${cell(r.id)} | ${cell(clauses)} | ${cell(r.message + where(r))} |`;
  });
  return [
    `### Prism conformance of ${cell(document.target)}, world ${document.world}${document.shard ? `, shard ${document.shard}` : ''}`,
    '',
    `${countsLine(document.summary)} in ${(document.durationMs / 1000).toFixed(1)} s`,
    '',
    ...(rows.length > 0
      ? ['| verdict | result | clauses | what was expected, what was seen |', '| --- | --- | --- | --- |', ...rows, '']
      : []),
  ].join('\n');
}
