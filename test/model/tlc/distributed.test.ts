/** TLC's distributed mode with two local workers. */
import { readdirSync } from 'node:fs';
import t from 'tap';
import { runDistributedTlc } from '../../../model/tlc/distributed.js';
import { eventually } from '../../linux/needs-linux.js';
import { findTools, fixture, ownTemporaryFolder, processesWith } from './tools.js';

const tools = await findTools();

if (tools) {
  const grid = fixture(tools, 'Grid', 'SPECIFICATION Spec\nCONSTANT Edge = 49\nINVARIANT Inside', { workers: 2 });

  t.test('ok, with the right count of states', async (t) => {
    const folder = ownTemporaryFolder(t);
    t.match(await runDistributedTlc(grid), { kind: 'ok', distinct: 2500 });
    t.same(readdirSync(folder), []);
    t.same(processesWith(folder), []);
  });

  t.test('an invariant is named, with the step that violates it', async (t) => {
    const folder = ownTemporaryFolder(t);
    const outcome = await runDistributedTlc({ ...grid, cfg: `${grid.cfg} OffTheCorner` });
    t.match(outcome, { kind: 'invariant', name: 'OffTheCorner', trace: [{ index: 1 }, { state: { x: 3, y: 3 } }] });
    t.same(readdirSync(folder), []);
  });

  t.test('deadlock', async (t) => {
    const request = fixture(tools, 'Stuck', 'SPECIFICATION Spec', { workers: 2 });
    t.match(await runDistributedTlc(request), { kind: 'deadlock', trace: [{ state: { left: 0 } }] });
  });

  t.test('a module that cannot be read', async (t) => {
    const request = fixture(tools, 'Unreadable', 'INIT Init', { workers: 2 });
    t.match(await runDistributedTlc(request), { kind: 'parse-error', module: 'Unreadable', line: 6 });
  });

  t.test('interrupted in the middle', async (t) => {
    const folder = ownTemporaryFolder(t);
    const controller = new AbortController();
    const endless = fixture(tools, 'Endless', 'INIT Init\nNEXT Next', { workers: 2 });
    const outcome = runDistributedTlc(endless, { signal: controller.signal });
    t.ok(
      await eventually(() => processesWith(`${folder}/`).length >= 6, 15_000),
      'a server and two workers with guards',
    );
    controller.abort();
    t.match(await outcome, { kind: 'interrupted' });
    t.same(readdirSync(folder), []);
    t.same(processesWith(folder), []);
  });

  t.test('liveness is refused rather than silently passed', async (t) => {
    const request = fixture(tools, 'Lasso', 'SPECIFICATION Spec\nPROPERTY Settles', { workers: 2 });
    await t.rejects(runDistributedTlc(request), TypeError);
  });
}
