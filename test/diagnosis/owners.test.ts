/** Broken controllers and backends whom only a client's disappointment shows: the clause and the frame or line that are named for it. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { CASES } from '../../conformance/cases/index.js';
import { judgeEvidence } from '../../conformance/judge.js';
import { impatient } from '../../conformance/mutants/impatient.js';
import { runCases } from '../../conformance/run.js';
import type { EvidenceFrame } from '../../conformance/verdict.js';
import { readCapture } from '../../harness/capture/pcapng.js';
import { fieldsOf, has } from '../../harness/mutants/edit.js';
import { createSimWorld } from '../../harness/sim/world.js';
import type { WorldFactory } from '../../harness/world.js';
import { fakePlan } from '../report/fakes.js';

/** What `mutant` comes to in that case, and where its evidence lies. */
async function judge(out: string, mutant: string, id: string) {
  const broken: WorldFactory = (folder, options) => createSimWorld(folder, { ...options, mutant });
  const cases = CASES.filter((one) => one.id === id);
  const plan = fakePlan(out, { create: impatient(broken), cases, judge: judgeEvidence });
  const [run] = await runCases(plan);
  if (run === undefined) throw new Error(`${id} has not run`);
  const captured = readCapture(readFileSync(join(out, 'sim', id, 'capture.pcapng')));
  const frameOf = ({ frame }: EvidenceFrame) => {
    const found = captured.ok ? captured.frames[frame - 1] : undefined;
    const vantage = found && captured.ok ? captured.interfaces[found.interfaceIndex]?.name : undefined;
    return { vantage, fields: found && fieldsOf(found.bytes) };
  };
  const lineOf = ({ frame }: EvidenceFrame): unknown => {
    const text = readFileSync(join(out, 'sim', id, 'capture.control.ndjson'), 'utf8').split('\n')[frame - 1];
    return JSON.parse(text ?? 'null');
  };
  return { result: run.result, frameOf, lineOf };
}

t.test('a wrong byte: the frame that carries the first one', async (t) => {
  const { result, frameOf } = await judge(t.testdir(), 'bkd-1.flips-a-byte', 'BKD-5.response-segment-lost');
  t.same(result.clauses, ['BKD-1']);
  const [first] = result.evidence;
  if (first === undefined) throw new Error('no evidence');
  t.match(first.note, /first wrong byte/);
  const { vantage, fields } = frameOf(first);
  t.match(vantage, /^backend/);
  t.ok((fields?.payload.length ?? 0) > 900);
});

t.test('a body of HEAD: its first frame', async (t) => {
  const { result, frameOf } = await judge(t.testdir(), 'bkd-1.answers-head-with-a-body', 'BKD-1.curl-head-and-missing');
  t.same(result.clauses, ['BKD-1']);
  t.match(frameOf(result.evidence[0] as EvidenceFrame).vantage, /^backend/);
});

t.test('a connection that is closed for nothing: its FIN', async (t) => {
  const { result, frameOf } = await judge(t.testdir(), 'ret-4.closes-every-connection', 'REQ-6.path-hash');
  t.same(result.clauses, ['RET-4']);
  const { vantage, fields } = frameOf(result.evidence[0] as EvidenceFrame);
  t.equal(vantage, 'controller');
  t.ok(fields && has(fields, 'FIN'));
});

t.test('a stall: whoever had to act, and the last segment without an answer', async (t) => {
  const folder = t.testdir();
  for (const [mutant, id, clause, role] of [
    ['bkd-1.says-nothing-later', 'RET-7.pipelined-reads', 'BKD-1', /^backend/],
    ['bkd-6.reports-nothing-for-head', 'BKD-1.curl-head-and-missing', 'BKD-6', /^backend/],
    ['hof-3.keeps-later-requests', 'REQ-6.path-hash', 'HOF-3', /^controller$/],
    ['ret-1.overlooks-later-reports', 'REQ-6.path-hash', 'RET-1', /^(controller|backend.)$/],
  ] as const) {
    const { result, frameOf } = await judge(join(folder, mutant), mutant, id);
    t.same(result.clauses, [clause], mutant);
    const named = result.evidence.find(({ note }) => note === 'nobody answers');
    if (named === undefined) throw new Error(`${mutant}: no segment is named`);
    t.match(frameOf(named).vantage, role, mutant);
  }
});

t.test('a lease too short: the line of the hand-off that gave it', async (t) => {
  const { result, lineOf } = await judge(t.testdir(), 'hof-3.leases-for-a-moment', 'REQ-4.expect-and-wait');
  t.ok(result.clauses.includes('HOF-3'), result.message);
  t.match(lineOf(result.evidence[0] as EvidenceFrame), { at: 'controller', message: { verb: 'handoff', leaseMs: 1 } });
});

t.test('a refusal for nothing: the line of the refusal', async (t) => {
  const { result, lineOf } = await judge(t.testdir(), 'bkd-7.refuses-later-hand-offs', 'RET-7.pipelined-reads');
  t.same(result.clauses, ['BKD-7']);
  t.match(lineOf(result.evidence[0] as EvidenceFrame), { message: { verb: 'refused' } });
});

t.test(
  'a role that dies of what the case sends it: the line behind which it came, not what it leaves undone',
  async (t) => {
    const id = 'ERR-4.malformed-lines-at-a-backend';
    const { result, lineOf } = await judge(t.testdir(), 'err-4.backend-dies-of-malformed-lines', id);
    t.same(result.clauses, ['ERR-4']);
    t.match(lineOf(result.evidence[0] as EvidenceFrame), { at: 'controller', message: { verb: 'handoff' } });
  },
);

t.test('a controller that tells a backend wrong is to blame for what the backend does with it', async (t) => {
  const folder = t.testdir();
  for (const mutant of ['hof-3.seq-one-ahead-later', 'hof-3.forgets-what-to-echo', 'hof-3.scale-off-by-one']) {
    const { result, lineOf } = await judge(join(folder, mutant), mutant, 'REQ-6.path-hash');
    t.same(result.clauses, ['HOF-3'], mutant);
    t.match(lineOf(result.evidence[0] as EvidenceFrame), { at: 'controller', message: { verb: 'handoff' } }, mutant);
  }
});

t.test('a backend that reports wrong is to blame for what the controller hands on', async (t) => {
  const folder = t.testdir();
  for (const mutant of ['bkd-6.reports-no-scale', 'bkd-6.reports-nothing-to-echo']) {
    const { result } = await judge(join(folder, mutant), mutant, 'RET-7.pipelined-reads');
    t.same(result.clauses, ['BKD-6'], mutant);
  }
});
