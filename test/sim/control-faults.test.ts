/** What becomes of a control message on its way, and when a role's end has come. */
import t from 'tap';
import { createControlFaults } from '../../harness/control-faults.js';
import { createRoleFaults } from '../../harness/role-faults.js';
import type { ControlFault } from '../../harness/world.js';
import { type ControlMessage, decodeControlLine, encodeControlLine } from '../../reference-impl/control/messages.js';

const conn = { client: { ip: '198.18.1.2', port: 40_000 }, logical: { ip: '198.18.0.80', port: 80 } };
const remove = (id: string): ControlMessage => ({ verb: 'remove', id, conn });
const ok = (re: string): ControlMessage => ({ verb: 'ok', re });
const toSwitch = (message: ControlMessage) => ({ from: 'controller', to: 'switch', message });
const fromSwitch = (message: ControlMessage) => ({ from: 'switch', to: 'controller', message });

/** The verbs, or the raw lines, that arrive, each with its delay. */
function arrives(faults: readonly ControlFault[], ...messages: readonly ReturnType<typeof toSwitch>[]) {
  const control = createControlFaults(faults);
  const seen = messages.map((travelling) => {
    const { deliver, answer } = control.admit(travelling);
    const lines = deliver.map(({ delayMs, line }) => {
      const decoded = decodeControlLine(line);
      return `${decoded.ok ? decoded.message.verb : line}@${delayMs}`;
    });
    return [...lines, ...(answer ? [`${answer.code} for ${answer.re}`] : [])].join(' ');
  });
  return { seen, applied: control.applied };
}

t.test('a message that no fault is about arrives at once, as it was sent', async (t) => {
  const { deliver, answer } = createControlFaults([{ kind: 'drop', match: { verb: 'add' } }]).admit(
    toSwitch(remove('1')),
  );
  t.same(deliver, [{ delayMs: 0, line: encodeControlLine(remove('1')).trimEnd() }]);
  t.equal(answer, undefined);
});

t.test('each kind of fault, and how often it was done', async (t) => {
  const match = { verb: 'remove' } as const;
  const twice = [toSwitch(remove('1')), toSwitch(remove('2'))];
  t.same(arrives([{ kind: 'drop', match, nth: [2] }], ...twice), { seen: ['remove@0', ''], applied: [1] });
  t.same(arrives([{ kind: 'delay', match, ms: 30 }], ...twice), { seen: ['remove@30', 'remove@30'], applied: [2] });
  t.same(arrives([{ kind: 'repeat', match, nth: [1], ms: 5 }], ...twice), {
    seen: ['remove@0 remove@5', 'remove@0'],
    applied: [1],
  });
  t.same(arrives([{ kind: 'refuse', match, nth: [1], code: 'busy' }], ...twice), {
    seen: ['busy for 1', 'remove@0'],
    applied: [1],
  });
  t.same(arrives([{ kind: 'follow', match, nth: [1], line: '{"verb":' }], ...twice), {
    seen: ['remove@0 {"verb":@0', 'remove@0'],
    applied: [1],
  });
  t.same(arrives([{ kind: 'drop', match, nth: [3] }], ...twice).applied, [0], 'a premise that did not happen shows');
});

t.test('several faults of one message: a loss is enough, delays add up, what is added comes behind', async (t) => {
  const match = {};
  const faults: ControlFault[] = [
    { kind: 'delay', match, ms: 10 },
    { kind: 'delay', match, ms: 20 },
    { kind: 'repeat', match, ms: 7 },
    { kind: 'follow', match, line: 'x' },
  ];
  t.same(arrives(faults, toSwitch(remove('1'))).seen, ['remove@30 x@30 remove@37']);
  t.same(arrives([...faults, { kind: 'drop', match }], toSwitch(remove('1'))).seen, ['']);
});

t.test('a repetition under another id', async (t) => {
  const again = { kind: 'repeat', match: {}, ms: 5, as: 'other' } as const;
  const { deliver } = createControlFaults([again]).admit(toSwitch(remove('1')));
  t.same(
    deliver.map(({ line }) => line),
    [remove('1'), remove('other')].map((message) => encodeControlLine(message).trimEnd()),
  );
  const answer = createControlFaults([again]).admit(fromSwitch(ok('1')));
  t.equal(answer.deliver[0]?.line, answer.deliver[1]?.line);
});

t.test('an answer is known by the request it answers, and cannot be refused', async (t) => {
  const faults: ControlFault[] = [{ kind: 'drop', match: { answers: 'remove' } }];
  const { seen } = arrives(faults, toSwitch(remove('1')), fromSwitch(ok('1')), fromSwitch(ok('unknown')));
  t.same(seen, ['remove@0', '', 'ok@0']);
  const refused = arrives([{ kind: 'refuse', match: { verb: 'ok' }, code: 'busy' }], fromSwitch(ok('1')));
  t.same(refused, { seen: [''], applied: [1] });
});

t.test("a role's end comes once, at the matching message", async (t) => {
  const crash = { kind: 'crash', role: 'switch', on: { control: { verb: 'remove' }, nth: 2 } } as const;
  const faults = createRoleFaults([crash]);
  const due = [remove('1'), remove('2'), remove('3')].map((message) => faults.onControl(toSwitch(message)));
  t.same(due, [[], [crash], []]);
  t.same(faults.onFrame({ from: 'client', to: 'backend0', bytes: new Uint8Array(60) }), []);
});

t.test("a role's end comes with a frame that leaves the switch", async (t) => {
  const silence = { kind: 'silence', role: 'backend0', on: { frame: { from: 'backend0', to: 'client' } } } as const;
  const faults = createRoleFaults([silence]);
  const frame = (from: string, to: string) => faults.onFrame({ from, to, bytes: new Uint8Array(60) });
  t.same([frame('client', 'backend0'), frame('backend0', 'client'), frame('backend0', 'client')], [[], [silence], []]);
  t.same(faults.onControl(toSwitch(remove('1'))), []);
});
