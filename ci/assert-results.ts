/** `assert-results.ts WHAT COLUMN FILE [CLAUSE...]`: reads a result document and says whether it shows what ci/test wants of it. */
import { readFileSync } from 'node:fs';
import { CHECKS } from '../conformance/checks/index.js';
import { ResultDocument } from '../conformance/result-schema.js';

const [what, column, file, ...clauses] = process.argv.slice(2);
const document = ResultDocument.parse(JSON.parse(readFileSync(file ?? '', 'utf8')));
/** `prism verify` puts the world before each id. */
const results = document.results.map((r) => ({ ...r, id: r.id.replace(new RegExp(`^${column}/`), '') }));
const passive = new Map(results.filter((r) => r.id.startsWith('check.')).map((r) => [r.id.slice('check.'.length), r]));
const complaints: string[] = [];

switch (what) {
  case 'all-pass':
    for (const { clause, incidental } of CHECKS) {
      const result = passive.get(clause);
      // Where frames alone leave it open, cases that make its premise come about have to pass.
      const told = results.filter(({ id, clauses }) => !id.startsWith('check.') && clauses.includes(clause));
      if (incidental && result === undefined && told.some(({ verdict }) => verdict === 'pass')) continue;
      if (result?.verdict !== 'pass')
        complaints.push(`${clause}: ${result ? `${result.verdict}: ${result.message}` : 'not judged'}`);
    }
    break;
  case 'captures-alone':
    for (const { clause, needs, incidental } of CHECKS) {
      const result = passive.get(clause);
      const open = result?.verdict === 'inconclusive' && (needs === 'control-log' || incidental === true);
      if (result?.verdict !== 'pass' && !open)
        complaints.push(`${clause}: ${result ? `${result.verdict}: ${result.message}` : 'not judged'}`);
    }
    break;
  case 'violated': {
    const named = results.filter(
      (r) => r.verdict === 'fail' && r.evidence.length > 0 && r.clauses.some((id) => clauses.includes(id)),
    );
    if (named.length === 0) complaints.push(`no frame shows ${clauses.join(' or ')} violated`);
    break;
  }
  default:
    complaints.push(`cannot assert '${what}'`);
}
for (const complaint of complaints) process.stdout.write(`${complaint}\n`);
process.exitCode = complaints.length === 0 ? 0 : 1;
