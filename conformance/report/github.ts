/** A run as GitHub Actions shows it: one annotation for each problem, and a summary in Markdown. */
import { findClause } from '../../spec/requirements.js';
import type { ResultDocument } from '../result-schema.js';
import type { Result } from '../verdict.js';
import { compareFailures, headline, leads, leadsLine, placeOf } from './headline.js';
import { SEVERITY } from './matrix.js';
import { countsLine } from './text.js';

/** GitHub shows ten annotations of a kind for a step; the rest is in the report. */
const MOST_ANNOTATIONS = 10;

const data = (text: string): string => text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A');
const property = (text: string): string => data(text).replaceAll(':', '%3A').replaceAll(',', '%2C');

/** A leading failure says itself where it is seen. */
function words(result: Result): string {
  const [first] = result.evidence;
  const told = headline(result);
  const placed = told !== result.message || first === undefined;
  return placed ? told : `${told} (${placeOf(first)})`;
}

/** Workflow commands, one a line: `error` for what failed, `warning` for what stays open, the gravest first. */
export function githubAnnotations(document: ResultDocument): string[] {
  const byLead = compareFailures(leads(document.results));
  const commands = (verdicts: readonly Result['verdict'][], kind: 'error' | 'warning'): string[] =>
    document.results
      .filter((r) => verdicts.includes(r.verdict) && r.waiver === undefined)
      .sort(
        (a, b) =>
          verdicts.indexOf(a.verdict) - verdicts.indexOf(b.verdict) || (a.verdict === 'fail' ? byLead(a, b) : 0),
      )
      .slice(0, MOST_ANNOTATIONS)
      .map((r) => `::${kind} title=${property(`${r.verdict}: ${r.id}`)}::${data(words(r))}`);
  return [...commands(['error', 'fail'], 'error'), ...commands(['inconclusive', 'unsupported'], 'warning')];
}

const cell = (text: string): string => text.replace(/[\r\n]+/g, ' ').replace(/[|\\`<>*_[\]&]/g, '\\$&');

/** Markdown for the job's summary page: the counts, then a table of what did not pass. */
export function githubSummary(document: ResultDocument): string {
  const byLead = compareFailures(leads(document.results));
  const problems = document.results
    .filter((r) => r.verdict !== 'pass')
    .sort((a, b) => SEVERITY[a.verdict] - SEVERITY[b.verdict] || (a.verdict === 'fail' ? byLead(a, b) : 0));
  const led = leadsLine(document.results);
  const rows = problems.map((r) => {
    const clauses = r.clauses.map((id) => `${id} ${findClause(id)?.title ?? ''}`.trim()).join(', ');
    return `| ${r.verdict} | ${cell(r.id)} | ${cell(clauses)} | ${cell(words(r))} |`;
  });
  return [
    `### Prism conformance of ${cell(document.target)}, world ${document.world}${document.shard ? `, shard ${document.shard}` : ''}`,
    '',
    `${countsLine(document.summary)} in ${(document.durationMs / 1000).toFixed(1)} s`,
    '',
    ...(led === undefined ? [] : [cell(led), '']),
    ...(rows.length > 0
      ? ['| verdict | result | clauses | what was expected, what was seen |', '| --- | --- | --- | --- |', ...rows, '']
      : []),
  ].join('\n');
}
