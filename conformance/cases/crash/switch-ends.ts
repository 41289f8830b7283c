/** The switch falls silent before it has confirmed a rule: nobody hands the connection off (ERR-3). */
import type { ConformanceCase } from '../case.js';
import { logged } from '../evidence.js';
import { abort, header, pause, runOne, script, send } from '../vocabulary.js';

export const switchFallsSilent: ConformanceCase = {
  id: 'ERR-3.switch-falls-silent',
  clauses: ['ERR-3'],
  summary:
    'The switch falls silent when it is asked for a rule: no backend is told to take over, however long it takes.',
  worlds: ['sim', 'linux'],
  needs: ['crash'],
  options: {
    roleFaults: [{ kind: 'silence', role: 'switch', on: { control: { verb: 'add' } } }],
    // It must not be quick enough to answer.
    controlFaults: [{ kind: 'drop', match: { verb: 'add' } }],
  },
  async run(context) {
    // Nothing reaches the client any more, whatever the controller does: it can only give up.
    await runOne(context, script(send(header('GET', '/a/8k')), pause(1200), abort));
  },
  afterwards({ control, expect }) {
    const added = logged(control, 'add', 'sent', 'controller').length;
    expect(added > 0, 'expected the controller to ask for a rule, it did not');
    const handed = logged(control, 'handoff', 'sent').length;
    expect(handed === 0, `expected no hand-off without a confirmed rule, saw ${handed}`);
  },
};
