/** Reports for people: the tables, the blocks of what did not pass, the page. */
import t from 'tap';
import { htmlReport } from '../../conformance/report/html.js';
import type { Report } from '../../conformance/report/matrix.js';
import { clauseTable, countsLine, problemBlocks, summaryText } from '../../conformance/report/text.js';
import { resultDocument } from '../../conformance/result-schema.js';
import type { Result } from '../../conformance/verdict.js';

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
  } as const;
  return {
    document: resultDocument(
      run,
      columns.flatMap((c) => c.results),
    ),
    columns,
    leftOut: ['left out: nothing'],
  };
}

t.test('the table has a row a clause and a column a world', (t) => {
  t.same(clauseTable(reportOf(fail)), [
    'CLAUSE  SIM      LINUX',
    'REQ-2   pass 52  fail 52  Header-only acknowledgement',
  ]);
  t.end();
});

t.test('what did not pass names frames and the command that runs it again', (t) => {
  t.same(problemBlocks(reportOf(fail)), [
    '',
    'FAIL check.REQ-2 in linux: acknowledges 5 bytes behind the header & more',
    '  linux/REQ-2.story/capture.pcapng frame 12: ack 105',
    '  again: prism test REQ-2.story --world linux --seed 1',
  ]);
  t.same(problemBlocks(reportOf(pass)), []);
  t.equal(countsLine(reportOf(fail).document.summary), '2 pass, 1 fail');
  t.match(summaryText(reportOf(fail)), /REQ-2\.story +pass 52/);
  t.end();
});

t.test('the page is self-contained and escapes what it shows', (t) => {
  const page = htmlReport(reportOf(fail));
  t.match(page, /frame 12: ack 105/);
  t.match(page, /covers the request header only, never a byte behind it/, 'the text of the clause');
  t.match(page, /The client &lt;sends&gt;/);
  t.match(page, /header &amp; more/);
  t.notMatch(page, /<script|https?:\/\/|<link|src=/);
  t.match(page, /prefers-color-scheme: dark/);
  t.notMatch(htmlReport(reportOf(pass)), /What did not pass/);
  t.end();
});
