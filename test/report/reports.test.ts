/** Reports for people: the arrangement by clause, the tables, the blocks of what did not pass, the page's text. */
import t from 'tap';
import { htmlReport } from '../../conformance/report/html.js';
import { clauseRows, columnsOf, notJudged, problems, type Report } from '../../conformance/report/matrix.js';
import { clauseTable, countsLine, problemBlocks, summaryText } from '../../conformance/report/text.js';
import { ResultDocument, resultDocument } from '../../conformance/result-schema.js';
import type { Result } from '../../conformance/verdict.js';
import { CLAUSES } from '../../spec/requirements.js';
import { documentOf, resultOf } from './documents.js';

const pass: Result = {
  id: 'check.REQ-2',
  clauses: ['REQ-2'],
  verdict: 'pass',
  exercised: 52,
  message: 'ok',
  evidence: [],
  replay: 'r',
};
const story: Result = { ...pass, id: 'REQ-2.story', message: 'The client <sends>.' };
const fail: Result = {
  ...pass,
  verdict: 'fail',
  message: 'acknowledges 5 bytes behind the header & more',
  evidence: [{ capture: 'linux/REQ-2.story/capture.pcapng', frame: 12, note: 'ack 105' }],
  replay: 'prism test REQ-2.story --world linux --seed 1',
};

function reportOf(linux: Result): Report {
  const columns: Report['columns'] = [
    { name: 'sim', results: [story, pass] },
    { name: 'linux', results: [linux] },
  ];
  const run = {
    version: '0',
    command: 'prism verify',
    startedAt: new Date(0),
    finishedAt: new Date(1),
    seed: 1,
    target: 'reference',
    world: 'sim+linux',
    leftOut: ['left out: nothing'],
    tables: [{ name: 'combinations', columns: ['client', 'MTU'], rows: [['curl', '576']] }],
  } as const;
  const results = columns.flatMap(({ name, results }) => results.map((r) => ({ ...r, id: `${name}/${r.id}` })));
  return { document: resultDocument(run, results), columns };
}

t.test('the table has a row a clause that was judged and a column a world', async (t) => {
  t.same(clauseTable(reportOf(fail)).slice(0, 2), [
    'CLAUSE  SIM      LINUX',
    'REQ-2   pass 52  fail 52  Header-only acknowledgement',
  ]);
});

t.test(
  'a clause that no check judges has the verdict of its cases; every other one says why it has none',
  async (t) => {
    const cases = [
      resultOf('ERR-1.a', 'pass', { clauses: ['ERR-1', 'HOF-3'] }),
      resultOf('ERR-1.b', 'pass', { clauses: ['ERR-1'] }),
      resultOf('REQ-5.c', 'fail', { clauses: ['REQ-5'] }),
      resultOf('check.REQ-5', 'pass', { clauses: ['REQ-5'] }),
      resultOf('check.EST-1', 'inconclusive', { clauses: ['EST-1'] }),
      resultOf('EST-1.d', 'pass', { clauses: ['EST-1'] }),
    ];
    const columns = [{ name: 'sim', results: cases }];
    const rows = clauseRows({ columns, document: documentOf(cases) });
    t.same(
      rows.map(({ clause }) => clause.id),
      CLAUSES.map(({ id }) => id),
      'every clause of the catalogue',
    );
    const cell = (id: string) => rows.find(({ clause }) => clause.id === id)?.cells[0];
    t.match(cell('ERR-1'), { kind: 'judged', verdict: 'pass', by: 'cases', count: 2 });
    t.match(cell('HOF-3'), { kind: 'judged', verdict: 'pass', count: 1 });
    t.match(cell('REQ-5'), { verdict: 'fail', by: 'cases' }, 'what a client misses counts though frames look right');
    t.match(
      cell('EST-1'),
      { verdict: 'inconclusive', by: 'check' },
      'a case does not make up for a check that saw nothing',
    );
    t.match(cell('KNI-1'), { kind: 'not-judged', reason: 'KNITS is not judged yet' });
    t.match(cell('RET-1'), { kind: 'not-judged', reason: 'none of its cases was run' });
    const judged = rows.filter(({ cells }) => cells[0]?.kind === 'judged').length;
    t.equal([...notJudged(rows).values()].flat().length, CLAUSES.length - judged);
  },
);

t.test('what did not pass names frames and the command that runs it again', async (t) => {
  t.same(problemBlocks(reportOf(fail)), [
    '',
    'FAIL check.REQ-2 in linux: acknowledges 5 bytes behind the header & more',
    '  linux/REQ-2.story/capture.pcapng frame 12: ack 105',
    '  again: prism test REQ-2.story --world linux --seed 1',
  ]);
  t.same(problemBlocks(reportOf(pass)), []);
  t.equal(countsLine(reportOf(fail).document.summary), '2 pass, 1 fail');
  t.match(summaryText(reportOf(fail)), /REQ-2\.story +pass 52/);
  t.match(summaryText(reportOf(fail)), /^combinations\nclient {2}MTU\ncurl {4}576$/m);
});

t.test('what the document lists beside the columns is a problem, too, once', async (t) => {
  const refine = resultOf('refine/one', 'fail', { clauses: [] });
  const spec = resultOf('spec/ci/REQ_2', 'fail');
  const { columns, document } = reportOf(fail);
  const whole = documentOf([...document.results, refine, spec], 'sim+linux');
  t.same(
    problems({ columns, document: whole }).map(({ column, result }) => `${column}/${result.id}`),
    ['linux/check.REQ-2', 'refine/one', 'spec/ci/REQ_2'],
  );
  const specColumn = { name: 'spec', results: [resultOf('check.REQ-2', 'fail')] };
  t.same(
    problems({ columns: [specColumn, ...columns], document: whole }).map(
      ({ column, result }) => `${column}/${result.id}`,
    ),
    ['spec/check.REQ-2', 'linux/check.REQ-2', 'refine/one'],
  );
});

t.test('a stored document has its columns again', async (t) => {
  const { document, columns } = reportOf(fail);
  const stored = ResultDocument.parse(JSON.parse(JSON.stringify(document)));
  t.same(columnsOf(stored), columns);
  t.same(stored.leftOut, ['left out: nothing']);
});

t.test('the page is self-contained and escapes what it shows', async (t) => {
  const page = htmlReport(reportOf(fail));
  t.match(page, /frame 12: ack 105/);
  t.match(page, /covers the request header only, never a byte behind it/, 'the text of the clause');
  t.match(page, /Prism, SoCC&#39;17, section 2\.2/, 'where it comes from, in full');
  t.match(page, /The client &lt;sends&gt;/);
  t.match(page, /header &amp; more/);
  t.match(page, /<section id="table-1"><h2>combinations<\/h2>/);
  t.match(page, /<a href="#table-1">combinations<\/a>/);
  t.notMatch(page, /https?:\/\/|<link|<img|src=|@import|url\(| style=| on[a-z]+=/);
  t.match(page, /prefers-color-scheme: dark/);
  t.notMatch(htmlReport(reportOf(pass)), /What did not pass/);
  for (const { id } of CLAUSES) t.ok(page.includes(`<tr id="${id}"`), `a row for ${id}`);
});
