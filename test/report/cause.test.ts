/** Causes before consequences: which of several failures leads. */
import fc from 'fast-check';
import t from 'tap';
import { byCause, type Charge, type MomentOf } from '../../conformance/cause.js';
import {
  besideLines,
  compareFailures,
  headline,
  leads,
  leadsLine,
  offenceLine,
} from '../../conformance/report/headline.js';
import { type EvidenceFrame, NO_SINGLE_FRAME, type Result } from '../../conformance/verdict.js';

/** Frame n is seen at n ms, line n of the log at n ms and a half. */
const momentOf: MomentOf = ({ capture, frame }) =>
  capture === 'log.ndjson'
    ? { t: BigInt(frame) * 1000n + 500n }
    : capture === 'c.pcapng'
      ? { t: BigInt(frame) * 1000n, vantage: 'client' }
      : undefined;

const frame = (n: number): EvidenceFrame => ({ capture: 'c.pcapng', frame: n, note: 'here' });
const line = (n: number): EvidenceFrame => ({ capture: 'log.ndjson', frame: n, note: 'told' });
const charge = (clause: string | null, ...evidence: EvidenceFrame[]): Charge => ({
  clause,
  by: 'check',
  message: `broken ${clause}`,
  evidence,
});
const expectation = (clause: string | null, ...evidence: EvidenceFrame[]): Charge => ({
  ...charge(clause, ...evidence),
  by: 'case',
  message: 'the client did not finish',
});
const order = (charges: readonly Charge[], ...under: ('controller' | 'switch' | 'backend')[]): (string | null)[] =>
  byCause(charges, momentOf, under.length === 0 ? undefined : new Set(under)).map(({ offence }) => offence.clause);

t.test('the earliest evidence leads, of a frame or of a line of the control log', async (t) => {
  t.same(order([charge('SWT-2', frame(9)), charge('BKD-1', frame(4), frame(2)), charge('HOF-1', line(3))]), [
    'BKD-1',
    'HOF-1',
    'SWT-2',
  ]);
  const [first] = byCause([charge('HOF-1', line(3), frame(7))], momentOf);
  t.same(first?.offence.at, { capture: 'log.ndjson', frame: 3 }, 'a line has no vantage');
  const [other] = byCause([charge('SWT-1', frame(8), frame(7))], momentOf);
  t.same(other?.offence.at, { capture: 'c.pcapng', frame: 7, vantage: 'client' });
});

t.test('a frame of the background does not make a failure early', async (t) => {
  const told = charge('HOF-3', line(20), { ...frame(1), background: true });
  t.same(order([told, charge('SWT-3', frame(5))]), ['SWT-3', 'HOF-3']);
});

t.test('clauses of the roles under test come before those that others only seem to break', async (t) => {
  const all = [charge('REQ-1', frame(1)), charge('HOF-4', frame(2)), charge('SWT-8', frame(3))];
  t.same(order(all), ['REQ-1', 'HOF-4', 'SWT-8']);
  t.same(order(all, 'switch'), ['SWT-8', 'HOF-4', 'REQ-1']);
  t.same(order(all, 'controller'), ['REQ-1', 'HOF-4', 'SWT-8']);
});

t.test('consequences come last: what is left over, and what was only expected', async (t) => {
  const all = [expectation('ERR-3'), charge('RET-6', frame(1)), charge('SWT-1', frame(5))];
  t.same(order(all), ['SWT-1', 'RET-6', 'ERR-3']);
  const first: EvidenceFrame = { ...frame(1), note: NO_SINGLE_FRAME };
  t.same(order([expectation('ERR-3', first), charge('SWT-1', frame(5))]), ['SWT-1', 'ERR-3'], 'no frame shows it');
  t.same(order([expectation('SEC-2', frame(2)), charge('SWT-1', frame(5))]), ['SEC-2', 'SWT-1'], 'a frame shows it');
});

t.test('of the same frame, a clause of one role leads one of several, then the catalogue decides', async (t) => {
  t.same(order([charge('HOF-4', frame(5)), charge('BKD-9', frame(5))]), ['BKD-9', 'HOF-4']);
  t.same(order([charge('SWT-2', frame(5)), charge('SWT-1', frame(5))]), ['SWT-1', 'SWT-2']);
});

t.test('the order does not depend on the order of the findings, and loses none', async (t) => {
  const clauses = ['SWT-1', 'REQ-1', 'BKD-9', 'HOF-4', 'RET-6', 'ERR-3', 'EST-1'];
  const some = fc
    .uniqueArray(
      fc.record({ clause: fc.constantFrom(...clauses), at: fc.integer({ min: 1, max: 9 }), known: fc.boolean() }),
      { selector: ({ clause }) => clause },
    )
    .map((rows) =>
      rows.map(({ clause, at, known }) => charge(clause, known ? frame(at) : { ...frame(at), capture: 'other' })),
    );
  fc.assert(
    fc.property(
      some.chain((charges) =>
        fc.tuple(
          fc.constant(charges),
          fc.shuffledSubarray(charges, { minLength: charges.length, maxLength: charges.length }),
        ),
      ),
      ([charges, shuffled]) => {
        t.same(order(shuffled), order(charges));
        t.equal(order(charges).length, charges.length);
      },
    ),
    { numRuns: 60 },
  );
});

const failing = (id: string, clause: string | null, by: 'check' | 'case' = 'check'): Result => ({
  id,
  clauses: clause === null ? [] : [clause],
  verdict: 'fail',
  exercised: 1,
  message: 'everything',
  evidence: [],
  replay: '',
  leading: { clause, by, message: 'wrong', at: { capture: 'c.pcapng', frame: 7, vantage: 'client' } },
});

t.test('the headline names clause, frame and vantage; of what did not fail it is the message', async (t) => {
  const result = failing('A-1.a', 'SWT-1');
  t.equal(headline(result), 'SWT-1 in c.pcapng frame 7 (client): wrong');
  t.equal(headline({ ...result, verdict: 'unsupported', message: 'waived' }), 'waived');
  t.equal(offenceLine({ clause: 'ERR-3', by: 'case', message: 'not reset' }), 'not reset (ERR-3)');
  t.equal(offenceLine({ clause: null, by: 'case', message: 'not reset' }), 'not reset');
  t.equal(
    offenceLine({ clause: 'HOF-1', by: 'check', message: 'late', at: { capture: 'x.ndjson', frame: 4 } }),
    'HOF-1 in x.ndjson line 4: late',
  );
});

t.test('consequences are named up to four, the rest is counted', async (t) => {
  const beside = ['A-1', 'A-2', 'A-3', 'A-4', 'A-5', null].map((clause) => ({
    clause,
    by: 'check' as const,
    message: 'x',
  }));
  const lines = besideLines({ ...failing('A-1.a', 'SWT-1'), beside });
  t.equal(lines.length, 5);
  t.equal(lines.at(-1), 'and 2 more: A-5, an expectation');
});

t.test('over all cases: who leads how many, and the most frequent first', async (t) => {
  const results = [
    failing('A.1', null, 'case'),
    failing('A.2', 'EST-1'),
    failing('A.3', 'SWT-1'),
    failing('A.4', 'SWT-1'),
  ];
  t.equal(leadsLine(results), '4 cases failed, led by SWT-1 in 2, EST-1 in 1, no clause in 1');
  t.equal(leadsLine(results.slice(0, 1)), undefined, 'one speaks for itself');
  t.same(
    [...results].sort(compareFailures(leads(results))).map(({ id }) => id),
    ['A.3', 'A.4', 'A.2', 'A.1'],
  );
});
