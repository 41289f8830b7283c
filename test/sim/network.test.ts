/** The network alone: links with delay and order, vantages, control channels, timers, with stand-ins for the roles. */
import t from 'tap';
import { createImpairment } from '../../harness/impair.js';
import { VirtualClock } from '../../harness/sim/clock.js';
import { type Actor, actor, Network, type NetworkOptions } from '../../harness/sim/network.js';
import type { ControlMessage } from '../../reference-impl/control/messages.js';
import type { RoleInput, RoleOutput } from '../../reference-impl/core/core.js';

/** A core without state that answers each input with what `react` says. */
function reacting(react: (input: RoleInput, now: number) => readonly RoleOutput[]): Actor {
  return actor({ state: null, outputs: [] }, (_, input, now) => ({ state: null, outputs: react(input, now) }));
}

/** Sends everything from the client to the controller and back. */
const fabric = reacting((input) =>
  input.kind === 'frame'
    ? [{ kind: 'frame', port: input.port === 'client' ? 'controller' : 'client', bytes: input.bytes }]
    : [],
);
const silent = reacting(() => []);

function network(overrides: Partial<NetworkOptions> & { controller?: Actor }): {
  clock: VirtualClock;
  network: Network;
} {
  const clock = new VirtualClock();
  const { controller = silent, ...options } = overrides;
  const made = new Network({
    clock,
    impairment: createImpairment([], 1),
    seed: 1,
    fabric,
    hosts: [{ name: 'controller', actor: controller }],
    client: () => {},
    ...options,
  });
  made.start();
  return { clock, network: made };
}

t.test('frames arrive in order, later by delay and length, and show at both vantages', async (t) => {
  const { clock, network: net } = network({});
  net.sendFromClient(new Uint8Array(1500).fill(1));
  net.sendFromClient(new Uint8Array(60).fill(2));
  while (clock.step());
  const seen = (vantage: string) => net.frames.filter((f) => f.vantage === vantage).map((f) => [f.at, f.bytes[0]]);
  const long = (1500 + 24) * 8;
  const short = (60 + 24) * 8;
  t.same(seen('client'), [
    [long, 1],
    [long + short, 2],
  ]);
  t.same(seen('controller'), [
    [2 * long + 100_000, 1],
    [2 * long + short + 100_000, 2],
  ]);
  t.ok(net.still);
});

t.test('a lost frame shows at its sender only; a delayed one is overtaken; a doubled one arrives twice', async (t) => {
  const match = { to: 'controller' };
  const impairment = createImpairment(
    [
      { kind: 'drop', match, nth: [1] },
      { kind: 'delay', match, nth: [2], ms: 5 },
      { kind: 'duplicate', match, nth: [3] },
    ],
    1,
  );
  const { clock, network: net } = network({ impairment });
  for (const n of [1, 2, 3]) net.sendFromClient(new Uint8Array(60).fill(n));
  while (clock.step());
  const seen = (vantage: string) => net.frames.filter((f) => f.vantage === vantage).map((f) => f.bytes[0]);
  t.same(seen('client'), [1, 2, 3]);
  t.same(seen('controller'), [3, 3, 2]);
});

t.test('control messages arrive in order and are logged at both ends; what is no message is named', async (t) => {
  const received: RoleInput[] = [];
  const good: ControlMessage[] = ['a', 'b', 'c'].map((id) => ({ verb: 'list', id }));
  const bad = { verb: 'list', id: '' } as const;
  const controller = reacting((input) =>
    input.kind === 'control-up' ? [...good, bad].map((message) => ({ kind: 'control', peer: 'switch', message })) : [],
  );
  const listening = reacting((input) => {
    received.push(input);
    return [];
  });
  const { clock, network: net } = network({ controller, fabric: listening });
  while (clock.step());
  t.same(
    received.map((input) => input.kind),
    ['control-up', 'control', 'control', 'control', 'control-invalid'],
  );
  t.same(
    received.flatMap((input) => (input.kind === 'control' ? [input.message] : [])),
    good,
  );
  t.same(
    net.control.map(({ entry }) => [entry.at, entry.direction]),
    [...Array(4).fill(['controller', 'sent']), ...Array(3).fill(['switch', 'received'])],
  );
  t.ok(net.control.every(({ at }, n, all) => at >= (all[n - 1]?.at ?? 0)));
});

t.test('timers fire at their role time, per key, and can be moved and cancelled', async (t) => {
  const fired: [string, number][] = [];
  let begun = 0;
  const controller = reacting((input, now) => {
    if (input.kind === 'control-up') {
      begun = now;
      return [
        { kind: 'timer', key: 'a', at: now + 500 },
        { kind: 'timer', key: 'b', at: now + 100 },
        { kind: 'timer', key: 'a', at: now + 200 },
        { kind: 'timer', key: 'c', at: now + 50 },
        { kind: 'timer', key: 'c', at: null },
      ];
    }
    if (input.kind === 'timer') fired.push([input.key, now - begun]);
    return [];
  });
  const { clock } = network({ controller });
  while (clock.step());
  t.same(fired, [
    ['b', 100],
    ['a', 200],
  ]);
});

t.test('a core that throws fails the world, by name', async (t) => {
  const controller = reacting(() => {
    throw new Error('out of ideas');
  });
  t.throws(() => network({ controller }), { name: 'WorldError', message: /controller failed.*out of ideas/ });
});
