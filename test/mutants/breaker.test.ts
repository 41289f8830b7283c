/** Breakers are cores themselves: pure, with a memory that a step gives on and never changes. */
import t from 'tap';
import { coreOf, type RoleCore } from '../../harness/cores.js';
import { breaker, framesIn, lateOutput } from '../../harness/mutants/breaker.js';
import { edited, fieldsOf, withIpWord } from '../../harness/mutants/edit.js';
import { MUTANTS } from '../../harness/mutants/index.js';
import { defaultPolicy, defaultTopology } from '../../harness/topology.js';
import type { RoleInput, RoleOutput } from '../../reference-impl/core/core.js';
import { buildTcpFrame } from '../../reference-impl/wire/build.js';
import { parseFrame } from '../../reference-impl/wire/frame.js';

const FRAME = buildTcpFrame({
  ethernet: { dst: 1, src: 2 },
  ipv4: { src: 0xc6120102, dst: 0xc6120050, id: 7, ttl: 9, tos: 4 },
  tcp: {
    srcPort: 40_000,
    dstPort: 80,
    seq: 0xffffffff,
    ack: 5,
    flags: 0x18,
    window: 10,
    urgentPointer: 3,
    options: [{ kind: 'nop' }, { kind: 'nop' }, { kind: 'timestamps', value: 1, echo: 2 }],
    payload: new Uint8Array([1, 2, 3]),
  },
});

/** Sends back what it gets, and counts. */
const ECHO: RoleCore<number> = {
  initial: { state: 0, outputs: [] },
  step: (count, input) => ({
    state: count + 1,
    outputs: input.kind === 'frame' ? [{ kind: 'frame', port: input.port, bytes: input.bytes }] : [],
  }),
  held: (count) => count,
};

const frame = (bytes: Uint8Array = FRAME): RoleInput => ({ kind: 'frame', port: 'link', bytes });

t.test('a segment taken apart and put together again is the same, but for what was asked', async (t) => {
  t.same(
    edited(FRAME, () => ({})),
    FRAME,
  );
  const fields = fieldsOf(edited(FRAME, ({ window }) => ({ window: window + 1, seq: 0 })));
  t.match(fields, { window: 11, seq: 0, ack: 5, urgentPointer: 3, ttl: 9, tos: 4, id: 7 });
  const stranger = new Uint8Array(60);
  t.equal(
    edited(stranger, () => ({ window: 1 })),
    stranger,
    'what is no segment stays',
  );
});

t.test('a changed IP header has the checksum that belongs to it', async (t) => {
  const parsed = parseFrame(withIpWord(FRAME, 4, (id) => id ^ 0xffff));
  t.ok(parsed.ok && parsed.value.ipv4?.checksumValid());
  t.equal(parsed.ok && parsed.value.ipv4?.id, 7 ^ 0xffff);
});

t.test('a step gives its memory on and leaves the one before as it was', async (t) => {
  const broken = breaker(0, (memory, input, inner) => ({
    memory: memory + 1,
    outputs: memory < 1 ? inner(input) : [],
  }))(ECHO);
  const first = broken.step(broken.initial.state, frame(), 0);
  const second = broken.step(first.state, frame(), 0);
  t.equal(first.outputs.length, 1);
  t.equal(second.outputs.length, 0, 'the core inside has not been asked');
  t.equal(broken.held(second.state), 1);
  t.same(broken.step(broken.initial.state, frame(), 0), first, 'the same again from the same state');
});

t.test('an ignored frame does not reach the core, two reach it one after the other', async (t) => {
  const none = framesIn(() => [])(ECHO);
  t.equal(none.held(none.step(none.initial.state, frame(), 0).state), 0);
  const twice = framesIn((bytes) => [bytes, bytes])(ECHO);
  const stepped = twice.step(twice.initial.state, frame(), 0);
  t.equal(twice.held(stepped.state), 2);
  t.equal(stepped.outputs.length, 2);
});

t.test('a late output comes when its timer fires, and once', async (t) => {
  const late = lateOutput(100, () => 'later')(ECHO);
  const sent = late.step(late.initial.state, frame(), 1000);
  const [timer] = sent.outputs;
  t.match(sent.outputs, [{ kind: 'timer', at: 1100 }]);
  const key = timer?.kind === 'timer' ? timer.key : '';
  const early = late.step(sent.state, { kind: 'timer', key }, 1099);
  t.match(early.outputs, [{ kind: 'timer', at: 1100 }], 'firing early changes nothing');
  const due = late.step(early.state, { kind: 'timer', key }, 1100);
  const kinds = (outputs: readonly RoleOutput[]) => outputs.map(({ kind }) => kind);
  t.same(kinds(due.outputs), ['frame', 'timer']);
  t.match(due.outputs, [{}, { at: null }]);
});

t.test('every mutant can be made and steps through any input', async (t) => {
  const topology = defaultTopology(defaultPolicy);
  const options = { seed: 1, without: [], policy: defaultPolicy, faults: [] };
  const inputs: RoleInput[] = [
    frame(),
    frame(new Uint8Array(10)),
    { kind: 'control-up', peer: 'controller' },
    { kind: 'control', peer: 'controller', message: { verb: 'stats', id: '1' } },
    { kind: 'control-invalid', peer: 'controller', error: 'not JSON' },
    { kind: 'timer', key: 'nobody' },
    { kind: 'control-down', peer: 'controller' },
  ];
  for (const { id, breaks } of MUTANTS)
    for (const role of ['switch', 'controller', 'backend0'])
      coreOf(
        role,
        topology,
        options,
        (core) => {
          let { state } = core.initial;
          for (const [i, input] of inputs.entries()) state = core.step(state, input, i).state;
          t.equal(core.held(state), 0, `${id}: ${role}`);
        },
        breaks,
      );
});
