/** The ways in which a role under test can be plugged in: an adapter, lines on stdio, programs in every role, a module, a kernel. */
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { createLinuxWorld } from '../../harness/linux/world.js';
import { hasLinux } from './needs-linux.js';
import { EXAMPLES, optionsOf, passes, shipped, targetOf } from './under-test.js';

if (await hasLinux()) {
  t.test('an adapter, beside the role and in its stead', async (t) => {
    await passes(t, shipped(join(EXAMPLES, 'adapter/prism-target.json')), [
      'HOF-7.two-curls',
      'RET-3.fin-behind-write-payload',
    ]);
    // One program that speaks on its standard input and output.
    const command = [
      'sh',
      '-c',
      'python3 text_switch.py "$1" "$2" "$3" & exec python3 adapter.py "$3"',
      'sh',
      '{topology}',
      '{ifaces}',
      '{control}',
    ];
    await passes(t, targetOf({ switch: { command, control: 'stdio' } }, join(EXAMPLES, 'adapter')), [
      'HOF-7.two-curls',
    ]);
  });

  t.test('a stranger who cannot reach the role proves nothing about it', async (t) => {
    const world = await createLinuxWorld(t.testdir(), optionsOf(shipped(join(EXAMPLES, 'adapter/prism-target.json'))));
    t.teardown(() => world.destroy());
    await world.runClients([{ kind: 'stranger', to: 'switch', lines: ['{}'] }]);
    t.match((await world.finish()).missedFaults, [/^no stranger can reach switch/]);
  });

  t.test('the reference as programs, its controller behind an adapter', async (t) => {
    const { roles } = shipped('reference-processes');
    const peers = 'switch=127.0.0.1:7501,backend0=127.0.0.1:7502,backend1=127.0.0.1:7503';
    const controller = targetOf({
      controller: {
        command: [
          '{prism}',
          'role',
          'controller',
          '--topology',
          '{topology}',
          '--policy',
          '{policy}',
          '--interfaces',
          '{iface}',
          '--peers',
          peers,
        ],
        ready: { control: true, timeoutMs: 60_000 },
        control: { adapter: ['python3', '-u', 'envelope_bridge.py', peers] },
      },
    });
    await passes(t, { ...shipped('reference-processes'), roles: { ...roles, ...controller.roles } }, [
      'HOF-7.two-curls',
      'ERR-4.hand-off-lost',
      'ERR-2.backend-crashes-within-the-response',
    ]);
  });

  t.test('a module plays on Linux too', async (t) => {
    const module = fileURLToPath(new URL('../target/role-module-fixture.ts', import.meta.url));
    await passes(t, targetOf({ switch: { module } }), ['HOF-7.two-curls']);
    await t.rejects(createLinuxWorld(t.testdir(), optionsOf(targetOf({ switch: { module: 'none.mjs' } }))), {
      name: 'WorldError',
      message: /none\.mjs cannot be loaded/,
    });
  });

  t.test('a kernel that speaks for a role', async (t) => {
    const router = targetOf({ switch: { command: ['sleep', '1000'], control: 'none', network: 'kernel' } });
    const world = await createLinuxWorld(t.testdir(), optionsOf(router));
    t.teardown(() => world.destroy());
    // What needs no rule: the controller refuses it.
    const steps = [{ do: 'send', text: 'nonsense\r\n\r\n' }, { do: 'response' }, { do: 'wait-close' }] as const;
    const [refused] = await world.runClients([{ kind: 'script', steps }]);
    t.match(refused, { ok: true, responses: [{ status: 400 }] }, refused?.error ?? 'answered');
  });
}
