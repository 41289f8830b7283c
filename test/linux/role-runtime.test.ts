/** The rim of a role process, with a core that only writes down what it is given: timers, control peers, logs. */
import { readFileSync } from 'node:fs';
import { type AddressInfo, connect, createServer } from 'node:net';
import { join } from 'node:path';
import t from 'tap';
import { type RoleRim, RunningRole } from '../../harness/linux/role-runtime.js';
import { MAX_CONTROL_LINE } from '../../reference-impl/control/messages.js';
import type { RoleInput, RoleOutput } from '../../reference-impl/core/core.js';
import { eventually, hasLinux } from './needs-linux.js';

/** A core that collects its inputs and answers with what `react` says. */
function scribe(initial: readonly RoleOutput[], react: (input: RoleInput) => readonly RoleOutput[] = () => []) {
  const inputs: RoleInput[] = [];
  return {
    inputs,
    core: {
      initial: { state: 0, outputs: initial },
      step: (state: number, input: RoleInput) => {
        inputs.push(input);
        return { state: state + 1, outputs: react(input) };
      },
      idle: (state: number) => state === 0,
    },
  };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

const rimIn = (folder: string, extra: Partial<RoleRim> = {}): RoleRim => ({
  role: 'backend0',
  ports: {},
  connect: [],
  controlLog: join(folder, 'control.ndjson'),
  trace: join(folder, 'trace.ndjson'),
  ...extra,
});

if (await hasLinux()) {
  t.test('timers fire in the order of their deadlines; replaced and cancelled ones do not', async (t) => {
    const soon = Number(process.hrtime.bigint() / 1000n);
    const timer = (key: string, ms: number | null): RoleOutput => ({
      kind: 'timer',
      key,
      at: ms === null ? null : soon + ms * 1000,
    });
    const { core, inputs } = scribe(
      [
        timer('late', 60),
        timer('early', 20),
        timer('cancelled', 30),
        timer('moved', 10),
        timer('cancelled', null),
        timer('moved', 90),
      ],
      (input) => (input.kind === 'timer' && input.key === 'early' ? [timer('late', null), timer('chained', 0)] : []),
    );
    const role = new RunningRole(core, rimIn(t.testdir({})));
    await role.start();
    t.ok(role.idle());
    t.ok(await eventually(() => inputs.length === 3, 2000));
    t.same(inputs, [
      { kind: 'timer', key: 'early' },
      { kind: 'timer', key: 'chained' },
      { kind: 'timer', key: 'moved' },
    ]);
    t.notOk(role.idle());
    role.stop();
  });

  t.test('control lines from the configured peer only; what is no message is reported', async (t) => {
    const folder = t.testdir({});
    const port = await freePort();
    const listen = { address: '127.0.0.1', port, peer: 'controller', peerAddress: '127.0.0.1' };
    const { core, inputs } = scribe([], (input) =>
      input.kind === 'control' && input.message.verb === 'stats'
        ? [
            {
              kind: 'control',
              peer: 'controller',
              message: { verb: 'refused', re: input.message.id, code: 'unsupported', reason: 'no' },
            },
            { kind: 'event', event: { action: 'Refuse', conn: null } },
          ]
        : [],
    );
    const role = new RunningRole(core, rimIn(folder, { listen }));
    await role.start();

    const stranger = connect({ port, host: '127.0.0.1', localAddress: '127.0.0.2' });
    await new Promise((resolve) => stranger.on('error', () => {}).once('close', resolve));
    t.same(inputs, [], 'a stranger is not heard');

    const controller = connect(port, '127.0.0.1');
    let heard = '';
    controller.setEncoding('utf8').on('data', (text) => {
      heard += text;
    });
    controller.write('{"verb":"st');
    setTimeout(() => controller.write('ats","id":"1"}\nnonsense\n'), 20);
    t.ok(await eventually(() => inputs.length === 3 && heard !== '', 2000));
    t.match(inputs, [
      { kind: 'control-up', peer: 'controller' },
      { kind: 'control', peer: 'controller', message: { verb: 'stats', id: '1' } },
      { kind: 'control-invalid', peer: 'controller', error: 'not JSON' },
    ]);
    t.equal(heard, '{"verb":"refused","re":"1","code":"unsupported","reason":"no"}\n');
    controller.write(`${'x'.repeat(2 * MAX_CONTROL_LINE)}\n{"verb":"stats","id":"2"}\n`);
    t.ok(await eventually(() => inputs.length === 5, 10_000));
    t.match(
      inputs.slice(3),
      [
        { kind: 'control-invalid', error: /longer/ },
        { kind: 'control', message: { verb: 'stats', id: '2' } },
      ],
      'a line that is too long ends at its newline, and the channel goes on',
    );
    controller.destroy();
    t.ok(await eventually(() => inputs.length === 6, 10_000));
    t.match(inputs.at(-1), { kind: 'control-down', peer: 'controller' });
    role.stop();
    const lines = (name: string) =>
      readFileSync(join(folder, name), 'utf8')
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line));
    t.match(lines('control.ndjson'), [
      { t: /^\d{19}$/, at: 'backend0', direction: 'received', peer: 'controller', message: { verb: 'stats' } },
      { t: /^\d{19}$/, at: 'backend0', direction: 'sent', peer: 'controller', message: { verb: 'refused' } },
    ]);
    t.match(lines('trace.ndjson'), [{ t: /^\d{19}$/, role: 'backend0', action: 'Refuse', conn: null }]);
  });

  t.test('a peer that is late, or comes back, is connected to', async (t) => {
    const port = await freePort();
    const { core, inputs } = scribe([]);
    const role = new RunningRole(
      core,
      rimIn(t.testdir({}), { connect: [{ peer: 'switch', address: '127.0.0.1', port }] }),
    );
    const started = role.start();
    const server = createServer();
    setTimeout(() => server.listen(port, '127.0.0.1'), 50);
    server.once('connection', (socket) => socket.destroy());
    await started;
    t.ok(await eventually(() => inputs.length === 3, 2000));
    t.same(
      inputs.map((input) => input.kind),
      ['control-up', 'control-down', 'control-up'],
    );
    role.stop();
    await new Promise((resolve) => server.close(resolve));
  });

  t.test('a port in use is an error in one line', async (t) => {
    const taken = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => taken.once('listening', resolve));
    const { port } = taken.address() as AddressInfo;
    const listen = { address: '127.0.0.1', port, peer: 'controller', peerAddress: '127.0.0.1' };
    const role = new RunningRole(scribe([]).core, rimIn(t.testdir({}), { listen }));
    await t.rejects(role.start(), {
      name: 'WorldError',
      message: `port ${port} of 127.0.0.1 is in use by another program`,
    });
    role.stop();
    await new Promise((resolve) => taken.close(resolve));
  });
}
