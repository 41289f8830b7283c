/** Real runs of TLC, one for each way in which a model can end. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import type { Progress } from '../../../model/tlc/messages.js';
import { runTlc } from '../../../model/tlc/run.js';
import { probeTlcVersion } from '../../../model/tlc/version.js';
import { findViolatedProperty } from '../../../model/tlc/violated-property.js';
import { FIXTURES, findTools, fixture, ownTemporaryFolder } from './tools.js';

const COUNTER = 'SPECIFICATION Spec\nCONSTANTS Owner = o1\n';
const ended = { durationMs: Number };
const tools = await findTools();

if (tools) {
  const run = (...request: [string, string, object?]) => runTlc(fixture(tools, ...request));

  t.test('the jar tells its version', async (t) => {
    t.match(await probeTlcVersion(tools.java, tools.jar), { kind: 'found', version: /^\d+\.\d+$/ });
    t.match(await probeTlcVersion(tools.java, join(FIXTURES, 'Counter.tla')), {
      kind: 'unknown',
      message: /Counter\.tla/,
    });
  });

  t.test('ok, with counts, coverage and prints', async (t) => {
    const progress: Progress[] = [];
    const request = fixture(tools, 'Covered', 'SPECIFICATION Spec\n', { coverage: true });
    const outcome = await runTlc(request, { onProgress: (now) => progress.push(now) });
    t.match(outcome, {
      ...ended,
      kind: 'ok',
      generated: 5,
      distinct: 4,
      depth: 4,
      prints: ['<<"STARTED", 0>>', '"back"'],
    });
    t.same(
      outcome.coverage.map(({ action, distinct, generated }) => [action, distinct, generated]),
      [
        ['Init', 1, 1],
        ['Forward', 3, 3],
        ['Never', 0, 0],
        ['Back', 0, 1],
      ],
    );
    t.match(outcome.coverage[2]?.location, { module: 'Covered', line: 7, column: 1 });
    t.match(progress.at(-1), { depth: 4, generated: 5, distinct: 4, queue: 0 });
  });

  t.test('an invariant', async (t) => {
    const outcome = await run('Counter', `${COUNTER}CONSTANT Limit = 2\nINVARIANT Small`);
    t.match(outcome, { ...ended, kind: 'invariant', name: 'Small', generated: 3, distinct: 3 });
    t.strictSame(outcome.kind === 'invariant' && outcome.trace, [
      { index: 1, action: null, location: null, state: { count: 0, log: { owner: 'o1', seen: [] } } },
      ...[1, 2].map((count) => ({
        index: count + 1,
        action: 'Step',
        location: { module: 'Counter', line: 8, column: 9, endLine: 8, endColumn: 89 },
        state: { count, log: { owner: 'o1', seen: count === 1 ? [0] : [0, 1] } },
      })),
    ]);
  });

  t.test('an action property', async (t) => {
    const outcome = await run('Counter', `${COUNTER}CONSTANT Limit = 99\nPROPERTY NeverFour`);
    t.match(outcome, { kind: 'action-property', name: 'NeverFour', trace: { length: 5 } });
  });

  t.test('a lasso back to a state, and one that stutters', async (t) => {
    t.match(await run('Lasso', 'SPECIFICATION FairSpec\nPROPERTY Settles'), {
      kind: 'liveness',
      property: 'Settles',
      trace: [{ state: { at: 0 } }, { action: 'Stem', state: { at: 1 } }, { action: 'Round' }, { state: { at: 3 } }],
      lasso: { kind: 'back-to', index: 2 },
    });
    t.match(await run('Lasso', 'SPECIFICATION Spec\nPROPERTY Leaves'), {
      kind: 'liveness',
      property: 'Leaves',
      trace: [{ state: { at: 0 } }],
      lasso: { kind: 'stuttering' },
    });
  });

  t.test('which of several temporal properties', async (t) => {
    const request = fixture(tools, 'Lasso', 'SPECIFICATION FairSpec\nPROPERTIES Leaves Settles');
    const outcome = await runTlc(request);
    if (outcome.kind !== 'liveness') throw new Error(outcome.kind);
    t.match(outcome, {
      property: null,
      candidates: ['Leaves', 'Settles'],
      trace: { length: 4 },
      stateTexts: ['at = 0\n', 'at = 1\n', 'at = 2\n', 'at = 3\n'],
      lasso: { kind: 'back-to', index: 2 },
    });
    t.strictSame(await findViolatedProperty(request, outcome), { ...outcome, property: 'Settles' }, 'the same lasso');
    for (const candidates of [
      ['Home', 'Settles'],
      ['Absent', 'Home'],
    ])
      t.match(await findViolatedProperty(request, { ...outcome, candidates }), { property: 'Home' }, 'the first');
    const innocent = { ...outcome, candidates: ['Leaves', 'Returns'] };
    t.equal(await findViolatedProperty(request, innocent), innocent, 'none of them');
    t.match(
      await findViolatedProperty(request, outcome, { signal: AbortSignal.abort() }),
      { kind: 'liveness', property: null },
      'interrupted',
    );
  });

  t.test('which of several, of a specification with values of every kind and awkward names', async (t) => {
    const folder = ownTemporaryFolder(t);
    const check = async (more: string) => {
      const request = fixture(tools, 'Circling', `CONSTANTS Servers = {s1, s2}\nNobody = Print\n${more}`);
      const outcome = await runTlc(request);
      t.match(outcome, { kind: 'liveness', property: null });
      return { request, outcome, named: await findViolatedProperty(request, outcome) };
    };
    const stuttering = await check('SPECIFICATION Spec\nPROPERTIES SameLog SameTable Taken');
    t.strictSame(stuttering.named, { ...stuttering.outcome, property: 'Taken' });
    t.match(stuttering.named, { trace: { length: 1 }, lasso: { kind: 'stuttering' } });
    const { request, outcome, named } = await check('SPECIFICATION FairSpec\nVIEW vars\nPROPERTIES SameLog Taken Kept');
    t.match(named, { property: 'Kept', lasso: { kind: 'back-to' } });
    const conjunction = { ...outcome, candidates: ['Frame'] };
    t.match(await findViolatedProperty(request, conjunction), { property: 'Frame' });
    const hidden = { ...request, cfg: `ALIAS Shown\n${request.cfg}` };
    t.equal(await findViolatedProperty(hidden, outcome), outcome, 'states shown otherwise than they are');
    t.same(readdirSync(folder), []);
  });

  t.test('deadlock, where it is one', async (t) => {
    t.match(await run('Stuck', 'SPECIFICATION Spec'), { kind: 'deadlock', trace: { length: 4 }, distinct: 4 });
    t.match(await run('Stuck', 'SPECIFICATION Spec', { deadlock: false }), { kind: 'ok', distinct: 4 });
  });

  t.test('modules and configurations that cannot be read', async (t) => {
    for (const [root, cfg, error] of [
      ['Unreadable', 'INIT Init', { module: 'Unreadable', line: 6, column: 1, message: /^Encountered "===="/ }],
      ['Undefined', 'INIT Init', { module: 'Undefined', line: 4, column: 13, message: "Unknown operator: `Missing'." }],
      ['Absent', 'INIT Init', { module: 'Absent', line: null, message: /Cannot find source file/ }],
      ['Stuck', 'SPECIFICATION Specs', { module: 'Stuck.cfg', line: null, message: /Specs/ }],
      ['Stuck', 'SPECIFICATION Spec\nINVARIANTT X', { module: 'Stuck.cfg', line: 2 }],
    ] as const)
      t.match(await run(root, cfg), { ...ended, kind: 'parse-error', ...error });
  });

  t.test('evaluation errors', async (t) => {
    t.match(await run('Partial', 'INIT Init\nNEXT Next'), {
      kind: 'evaluation-error',
      message: /^Attempted to apply function:[\s\S]*to argument 2/,
      positions: [/^Line 7, column 9/, /^Line 7, column 14/],
      trace: [{ state: { x: 0 } }, { state: { x: 1 } }, { action: 'Look', state: { x: 2 } }],
    });
    const contrary = 'INIT Init\nNEXT Next\nCONSTANT Assumed = TRUE\n';
    t.match(await run('Contrary', `${contrary}INVARIANT Polite`), {
      kind: 'evaluation-error',
      message: /<<"not", 1>>[\s\S]*Polite/,
      trace: { length: 2 },
    });
    t.match(await run('Contrary', `${contrary}INVARIANT Typed`), {
      kind: 'evaluation-error',
      trace: [{ state: { x: 0 } }],
    });
    t.match(await run('Contrary', `${contrary}INVARIANT Positive`), {
      kind: 'invariant',
      trace: [{ state: { x: 0 } }],
    });
    const assumption = await run('Contrary', contrary.replace('TRUE', 'FALSE'));
    t.match(assumption, { kind: 'assumption', message: /^Assumption line 5/ });
  });

  t.test('every kind of value', async (t) => {
    const cfg = 'INIT Init\nNEXT Next\nINVARIANT Inv\nCONSTANTS a = a\nb = b\nServers = {s1, s2}';
    const outcome = await run('Values', cfg);
    const trace = outcome.kind === 'invariant' ? outcome.trace : [];
    t.strictSame(trace[0]?.state.v, {
      neg: -5,
      bool: true,
      mv: 'a',
      int: [1, 2, 3],
      none: [],
      str: 'q"uo\\te\n\ttab @!@!@ \\/ x = 1',
      empty: [],
      set: [1, 2, 3],
      seq: [1, [], 'x'],
      fun: { a: 1, b: 2 },
      same: { s1: 's1', s2: 's2' },
      sparse: { 1: 1, 3: 3 },
      squares: { 2: 4, 3: 9, 4: 16 },
      nested: [[1], [2, 3]],
      byBool: [
        [false, false],
        [true, true],
      ],
      byPair: [
        [
          [1, 1],
          [1, 1],
        ],
        [
          [2, 1],
          [2, 1],
        ],
      ],
      funs: [{ x: 1, y: 1 }],
      subsets: [[], [1], [2], [1, 2]],
      product: [
        [1, 3],
        [2, 3],
      ],
      records: [
        { p: 1, q: 3 },
        { p: 2, q: 3 },
      ],
      nothing: [],
      joined: [1, 2],
      some: [9, 10],
      one: ['x'],
    });
    t.match(trace[0]?.state.w, { length: 40, 39: { name: 'a name that is long', port: -40 } });
    t.strictSame(trace[1]?.state.w, { s1: 's1', s2: 's2', a_b: { x: 'a_b' }, c: { x: 'c' } });
  });

  t.test('simulation repeats itself', async (t) => {
    const simulate = { traces: 20, depth: 10, seed: 7 };
    const first = await run('Lasso', 'SPECIFICATION FairSpec', { simulate });
    t.match(first, { kind: 'ok', generated: Number, distinct: null, depth: null });
    t.equal((await run('Lasso', 'SPECIFICATION FairSpec', { simulate })).generated, first.generated);
    t.match(await run('Counter', `${COUNTER}CONSTANT Limit = 3\nINVARIANT Small`, { simulate }), {
      kind: 'invariant',
      trace: { length: 4 },
    });
  });

  t.test('texts instead of a folder, a dump, a kept folder', async (t) => {
    const folder = t.testdir({});
    const texts = { 'Stuck.tla': readFileSync(join(FIXTURES, 'Stuck.tla'), 'utf8') };
    const keepFolder = join(folder, 'kept');
    const dump = { dot: join(folder, 'graph.dot') };
    t.match(await run('Stuck', 'SPECIFICATION Spec', { modules: { texts }, dump, keepFolder }), { kind: 'deadlock' });
    t.match(readFileSync(dump.dot, 'utf8'), /-> -?\d+ \[label="Spend"/);
    for (const name of ['Stuck.tla', 'Stuck.cfg', 'tlc-output.txt']) t.ok(existsSync(join(keepFolder, name)), name);
  });

  t.test('what onProgress throws', async (t) => {
    const onProgress = () => {
      throw new Error('enough');
    };
    await t.rejects(runTlc(fixture(tools, 'Covered', 'SPECIFICATION Spec'), { onProgress }), { message: 'enough' });
  });

  t.test('a request that is none', async (t) => {
    await t.rejects(run('Stuck', '', { workers: 0 }), RangeError);
    await t.rejects(run('Stuck', '', { timeoutMs: 2 ** 31 }), RangeError);
    await t.rejects(run('../Stuck', ''), TypeError);
    await t.rejects(run('Stuck', '', { modules: { texts: { '../x.tla': '' } } }), TypeError);
    await t.rejects(run('Stuck', '', { jar: 'relative.jar' }), TypeError);
  });
}
