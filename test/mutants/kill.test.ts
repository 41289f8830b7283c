/** The run that kills mutants: a survivor fails, so does one that other clauses name, and nothing is proved where the reference itself fails. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { CASES } from '../../conformance/cases/index.js';
import { judgeEvidence } from '../../conformance/judge.js';
import { type Kill, type KillPlan, killMutants } from '../../conformance/mutants/kill.js';
import { coreOf, type RoleCore } from '../../harness/cores.js';
import { mutantNamed } from '../../harness/mutants/index.js';
import type { Mutant } from '../../harness/mutants/mutant.js';
import { actor } from '../../harness/sim/network.js';
import { createSimWorld, type SimRole, simWorldOf } from '../../harness/sim/world.js';
import type { WorldFactory } from '../../harness/world.js';

function role<State>({ initial, step, held }: RoleCore<State>): SimRole {
  const { state, ...rest } = actor(initial, step);
  return { ...rest, held: () => held(state()) };
}

/** A world of a mutant that stands in no catalogue. */
function worldOf(mutant: Mutant | undefined): WorldFactory {
  if (mutant === undefined) return createSimWorld;
  const { breaks } = mutant;
  return simWorldOf({
    fabric: (topology, options) => coreOf('switch', topology, options, role, breaks),
    controller: (topology, options) => coreOf('controller', topology, options, role, breaks),
    backend: (topology, options, name) => coreOf(name, topology, options, role, breaks),
  });
}

async function kill(t: Test, mutant: Mutant, more: Partial<KillPlan> = {}): Promise<Kill> {
  const [killed] = await killMutants({
    mutants: [mutant],
    cases: CASES,
    world: 'sim',
    worldOf,
    judge: judgeEvidence,
    seed: 1,
    out: t.testdir(),
    isInstalled: () => true,
    ...more,
  });
  if (killed === undefined) throw new Error('no result');
  return killed;
}

function known(id: string): Mutant {
  const mutant = mutantNamed(id);
  if (mutant === undefined) throw new Error(`no mutant ${id}`);
  return mutant;
}

const HARMLESS: Mutant = {
  id: 'swt-5.does-nothing-wrong',
  clause: 'SWT-5',
  role: 'switch',
  summary: 'Nothing is wrong with it.',
  breaks: {},
  cases: ['REQ-6.path-hash', 'RET-4.connection-close'],
};

t.test('an implementation without fault survives, and that is a failure', async (t) => {
  const { result, others, by } = await kill(t, HARMLESS);
  t.match(result, { id: HARMLESS.id, clauses: ['SWT-5'], verdict: 'fail', evidence: [] });
  t.match(result.message, /^survived REQ-6\.path-hash, RET-4\.connection-close: Nothing is wrong with it\.$/);
  t.same([others, by], [[], undefined]);
});

t.test('one that other clauses name is a failure that says which', async (t) => {
  const misnamed: Mutant = { ...known('swt-5.clears-psh'), id: 'swt-2.clears-psh', clause: 'SWT-2' };
  const { result, others } = await kill(t, misnamed);
  t.match(result, {
    verdict: 'fail',
    clauses: ['SWT-2'],
    message: /^SWT-5 named it, not SWT-2 .*flags 0x10 instead of/,
  });
  t.same(others, ['SWT-5']);
  t.ok(result.evidence.length > 0, 'with the frames');
});

for (const [id, by] of [
  ['swt-4.drops-the-carry', 'BKD-5.response-segment-lost'],
  ['req-2.acknowledges-one-byte-more', 'REQ-5.payload-behind-header'],
  ['bkd-9.repeats-after-give-up', 'RET-6.half-close-when-idle'],
  ['ret-4.never-closes', 'RET-4.connection-close'],
] as const)
  t.test(`${id} is killed by its clause`, async (t) => {
    const mutant = known(id);
    const killed = await kill(t, mutant);
    t.match(killed.result, {
      id,
      verdict: 'pass',
      clauses: [mutant.clause],
      replay: `prism mutants ${id} --world sim --seed 1`,
    });
    t.equal(killed.by, by);
    t.ok(killed.result.exercised > 0);
    const [frame] = killed.result.evidence;
    t.match(frame?.capture, new RegExp(`^${id}/sim/`), 'evidence names the capture from the folder of the run');
    t.ok(existsSync(join(t.testdirName, frame?.capture ?? 'nothing')));
  });

t.test('where the unbroken reference does not pass nothing is proved', async (t) => {
  const broken = worldOf(known('swt-5.clears-psh'));
  const { result } = await kill(t, HARMLESS, { worldOf: () => broken });
  t.match(result, {
    verdict: 'error',
    exercised: 0,
    message: /^proves nothing: the unbroken reference ends in fail at REQ-6/,
  });
});

t.test('a mutant whose cases do not exist, or not here, is an error', async (t) => {
  t.match((await kill(t, { ...HARMLESS, cases: ['REQ-6.nonsense'] })).result, {
    verdict: 'error',
    message: 'there is no case REQ-6.nonsense',
  });
  t.match((await kill(t, { ...HARMLESS, cases: [] })).result, { verdict: 'error', message: /no case of it runs/ });
});

t.test('aborted, it rejects with the reason', async (t) => {
  await t.rejects(kill(t, HARMLESS, { signal: AbortSignal.abort(new Error('enough')) }), { message: 'enough' });
});
