/** The agent of the eBPF switch: what it confirms is in the tables, and what is not in the tables it does not confirm. */
import t from 'tap';
import { BpfMapError } from '../../kernel/bpf/object.js';
import { stepAgent, type Tables } from '../../kernel/switch/agent.js';
import { initSwitch } from '../../reference-impl/switch/switch.js';

const NO_COUNTERS = { frames: 0, rewritten: 0, routed: 0, dropped: 0 };
const initial = initSwitch({
  mac: 0x0200c6120001,
  ports: [
    { name: 'client', gateway: 0xc6120001 },
    { name: 'backend0', gateway: 0xc6120201 },
  ],
  routes: [
    { prefix: 0xc6120000, length: 24, port: 'client' },
    { prefix: 0xc6120200, length: 24, port: 'backend0' },
  ],
  neighbours: [],
  logical: 0xc61200c8,
  ruleCapacity: 10,
  drainMs: 1000,
  without: [],
}).state;
const conn = { client: { ip: '198.18.0.2', port: 40_000 }, logical: { ip: '198.18.0.200', port: 80 } };
const backend = { name: 'backend0', ip: '198.18.2.2', mac: '02:00:00:00:02:02' };
const rule = { conn, backend, zeroWindow: true, clearFin: true };
const told = (message: object) =>
  ({ kind: 'control', peer: 'controller', message }) as Parameters<ReturnType<typeof stepAgent>>[1];

t.test('a rule is in the tables before it is confirmed', (t) => {
  const followed: number[] = [];
  const tables: Tables = {
    follow: (before, after) => followed.push(after.rules.size - before.rules.size),
    counters: () => NO_COUNTERS,
  };
  const { state, outputs } = stepAgent(tables)(initial, told({ verb: 'add', id: '1', rule }), 0);
  t.same(followed, [1]);
  t.equal(state.rules.size, 1);
  t.match(outputs, [{ kind: 'event' }, { kind: 'control', message: { verb: 'ok', re: '1' } }]);
  t.end();
});

t.test('what the kernel has no room for is refused, and leaves no rule', (t) => {
  const full: Tables = {
    follow() {
      throw new BpfMapError('to_backend', 'E2BIG');
    },
    counters: () => NO_COUNTERS,
  };
  const { state, outputs } = stepAgent(full)(initial, told({ verb: 'add', id: '1', rule }), 0);
  t.equal(state, initial);
  t.match(outputs, [
    { kind: 'event', event: { action: 'SwitchRefuseRule' } },
    {
      kind: 'control',
      peer: 'controller',
      message: { verb: 'refused', re: '1', code: 'full', reason: /to_backend.*full/ },
    },
  ]);
  t.end();
});

t.test('frames that the program dealt with are in the statistics', (t) => {
  const tables: Tables = {
    follow: () => undefined,
    counters: () => ({ frames: 7, rewritten: 3, routed: 2, dropped: 1 }),
  };
  const { outputs } = stepAgent(tables)(initial, told({ verb: 'stats', id: '1' }), 0);
  t.match(outputs, [{ message: { verb: 'ok', stats: { rules: 0, frames: 7, rewritten: 3, routed: 2, dropped: 1 } } }]);
  t.end();
});
