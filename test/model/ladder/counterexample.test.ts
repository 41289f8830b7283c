/** A counterexample that TLC finds in spec/Handoff.tla without one of its remedies: every step of it is drawn, and nothing is left raw. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { ladder } from '../../../model/ladder/ladder.js';
import { ladderText } from '../../../model/ladder/text.js';
import { runTlc } from '../../../model/tlc/run.js';
import { findTools, fixture } from '../tlc/tools.js';

const SPEC = fileURLToPath(new URL('../../../spec', import.meta.url));
const tools = await findTools();

if (tools)
  t.test('without the zero window', async (t) => {
    const cfg = readFileSync(`${SPEC}/MCquick.cfg`, 'utf8').replace(/^( *)ZeroWindow = TRUE/m, '$1ZeroWindow = FALSE');
    const outcome = await runTlc(fixture(tools, 'MC', cfg, { modules: { folder: SPEC }, deadlock: false }));
    t.match(outcome, { kind: 'invariant', name: 'SWT_6' });
    if (outcome.kind !== 'invariant') return;
    const made = ladder(outcome.trace);
    t.strictSame(made.columns, ['client', 'switch', 'controller', 'b1', 'b2']);
    const drawn = new Set(made.rows.filter(({ from }) => from !== null).map(({ step }) => step));
    t.equal(drawn.size, outcome.trace.length - 1, 'all steps but the initial state');
    t.notMatch(ladderText(made).join('\n'), /[{}"[\]]/);
    const crossing = {
      action: 'Forward',
      kind: 'segment',
      from: 'b1',
      to: 'switch',
      changes: ['rule 1: from logical'],
    };
    t.match(made.rows.at(-1), crossing, 'a response crosses with its window open');
  });
