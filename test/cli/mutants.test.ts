/** `prism mutants`, `list mutants`, `explain MUTANT`, as their users run them. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { MutantList } from '../../conformance/mutants/list-schema.js';
import { ResultDocument } from '../../conformance/result-schema.js';
import { prism } from './run-cli.js';

const cwd = t.testdir();

t.test('killed mutants: exit 0, one line each, a document whose results all pass', async (t) => {
  const ended = await prism(['mutants', 'swt-4.stale*', 'REQ-3', '--out', 'killed', '--json', 'killed.json'], { cwd });
  t.match(ended, { code: 0, stderr: '' });
  t.match(ended.stdout, /^killed {2}swt-4\.stale-ip-checksum +SWT-4 by REQ-6\.path-hash, frames \d+/m);
  t.match(ended.stdout, /^4 pass, 0 fail in /m);
  const document = ResultDocument.parse(JSON.parse(readFileSync(join(cwd, 'killed.json'), 'utf8')));
  t.match(document, { target: 'mutants', world: 'sim', seed: 1, summary: { pass: 4, fail: 0, error: 0 } });
  t.same(
    document.results.map(({ id, clauses }) => [id, ...clauses]),
    [
      ['swt-4.stale-tcp-checksum', 'SWT-4'],
      ['swt-4.stale-ip-checksum', 'SWT-4'],
      ['req-3.leaves-window-open', 'REQ-3'],
      ['req-3.leaves-a-window-of-one', 'REQ-3'],
    ],
  );
  t.same(ResultDocument.parse(JSON.parse(readFileSync(join(cwd, 'killed', 'result.json'), 'utf8'))), document);
});

t.test('the list, and one of it explained', async (t) => {
  const listed = await prism(['list', 'mutants', '--json'], { cwd });
  t.equal(listed.code, 0);
  const { mutants } = MutantList.parse(JSON.parse(listed.stdout));
  t.ok(mutants.length >= 50);
  const explained = await prism(['explain', 'swt-5.clears-psh'], { cwd });
  t.match(explained.stdout, /a broken switch; must be caught by:\n {2}SWT-5/);
  t.match(explained.stdout, /run it: prism mutants swt-5\.clears-psh --world linux/);
  t.match((await prism(['explain', 'SWT-5'], { cwd })).stdout, /broken implementations that it must catch:\n {2}swt-5/);
});
