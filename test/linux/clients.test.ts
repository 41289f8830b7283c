/** nc, lwIP, scapy and the load generators on Linux, and what becomes of a program that does not start. */
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { CLIENT_NEEDS, isInstalled } from '../../harness/clients/installed.js';
import { createLinuxWorld } from '../../harness/linux/world.js';
import { defaultPolicy } from '../../harness/topology.js';
import type { ClientProgram, HttpRequestSpec, LoadProgram, WorldOptions } from '../../harness/world.js';
import { parseIpv4Address } from '../../reference-impl/wire/addresses.js';
import { checksumsHold, optionIn, segmentsOf, synOf } from './captured-segments.js';
import { hasLinux } from './needs-linux.js';

const options: WorldOptions = { seed: 1, without: [], policy: defaultPolicy, faults: [] };
const BODY = { size: 30_000, seed: 4 };
const REQUESTS: readonly HttpRequestSpec[] = [
  { method: 'GET', path: '/a/8k' },
  { method: 'HEAD', path: '/b/64k' },
  { method: 'PUT', path: '/b/w', body: BODY },
  { method: 'GET', path: '/b/w' },
  { method: 'GET', path: '/none' },
];

/** What is missing for the program; under CI that is a failure. */
function lacks(
  t: { fail(message: string): unknown; comment(message: string): unknown },
  program: ClientProgram | LoadProgram,
): boolean {
  const missing = CLIENT_NEEDS[program].filter((name) => !isInstalled(name));
  if (missing.length === 0) return false;
  if (process.env.CI === 'true') t.fail(`${missing.join(', ')} not installed`);
  else t.comment(`skipped: ${missing.join(', ')} not installed`);
  return true;
}

if (await hasLinux()) {
  for (const program of ['nc', 'scapy', 'lwip'] as const)
    t.test(`${program} reads, writes and asks for headers over one connection`, async (t) => {
      if (lacks(t, program)) return;
      const world = await createLinuxWorld(t.testdir({}), options);
      t.teardown(() => world.destroy());
      const [result] = await world.runClients([{ kind: 'http', program, requests: REQUESTS, timeoutMs: 60_000 }]);
      t.equal(result?.error, undefined);
      t.same(
        result?.responses.map((r) => [r.status, r.status === 404 ? 0 : r.bodySize]),
        [
          [200, 8192],
          [200, 0],
          [201, 0],
          [200, BODY.size],
          [404, 0],
        ],
      );
      t.equal(result?.responses[2]?.etag, result?.responses[3]?.sha256, 'what was written is what was read');
      await world.settle(5000);
      const evidence = await world.finish();
      const segments = segmentsOf(evidence);
      t.ok(segments.every(checksumsHold), 'checksums');
      const syns = segments.filter(({ vantage, tcp }) => vantage === 'client' && tcp.syn && !tcp.hasAck);
      t.equal(syns.length, 1, 'one connection');
      const syn = synOf(segments, true);
      if (program === 'nc') return;
      // A stack of its own has an address of its own, and offers less than Linux does.
      const clients = evidence.topology.clients ?? [];
      t.equal(clients.at(-1)?.ip, '198.18.1.16');
      t.equal(syn.ipv4.src, parseIpv4Address('198.18.1.16'));
      t.equal(optionIn(syn, 'timestamps'), undefined);
      t.equal(optionIn(syn, 'mss')?.value, program === 'lwip' ? 1460 : undefined);
      t.equal(optionIn(syn, 'window-scale')?.shift, program === 'lwip' ? 1 : undefined);
      const largest = Math.max(...segments.filter((s) => s.ipv4.dst === syn.ipv4.src).map((s) => s.tcp.length));
      t.ok(largest <= 20 + (program === 'lwip' ? 1460 : 536), `at most the client's MSS: ${largest}`);
    });

  t.test('nc pipelines; two lwIP clients at once are two hosts; wrk and ab count', async (t) => {
    const world = await createLinuxWorld(t.testdir({}), options);
    t.teardown(() => world.destroy());
    const requests = REQUESTS.slice(0, 1);
    if (!lacks(t, 'nc')) {
      const [piped, curl] = await world.runClients([
        { kind: 'http', program: 'nc', requests: [...requests, ...requests, ...requests], pipelined: true },
        { kind: 'http', program: 'curl', requests, pipelined: true },
      ]);
      t.match(piped, { ok: true, responses: [{ bodySize: 8192 }, { bodySize: 8192 }, { bodySize: 8192 }] });
      t.match(curl, { ok: false, error: 'curl sends no request before the response to the last one' });
    }
    if (!lacks(t, 'lwip')) {
      const lwip = { kind: 'http', program: 'lwip', requests, timeoutMs: 60_000 } as const;
      t.match(await world.runClients([lwip, lwip]), [{ ok: true }, { ok: true }]);
    }
    if (!lacks(t, 'ab')) {
      const ab = {
        kind: 'load',
        program: 'ab',
        path: '/a/1k',
        connections: 3,
        requests: 30,
        timeoutMs: 60_000,
      } as const;
      const [good, missing] = await world.runClients([ab, { ...ab, path: '/none' }]);
      t.match(good, { ok: true, load: { done: 30, errors: 0, non2xx: 0 } });
      t.ok((good?.load?.bytes ?? 0) > 30 * 1024);
      t.match(missing, { ok: true, load: { done: 30, non2xx: 30 } });
    }
    if (!lacks(t, 'wrk')) {
      const [load] = await world.runClients([
        { kind: 'load', program: 'wrk', path: '/b/1k', connections: 2, durationMs: 1000, timeoutMs: 60_000 },
      ]);
      t.match(load, { ok: true, load: { errors: 0, non2xx: 0 } });
      t.ok((load?.load?.done ?? 0) > 0);
    }
  });

  t.test('a program that does not start is a failure of the world, never of the server', async (t) => {
    const folder = t.testdir({ bin: {}, out: {} });
    const path = process.env.PATH ?? '';
    t.teardown(() => {
      process.env.PATH = path;
    });
    const world = await createLinuxWorld(join(folder, 'out'), options);
    t.teardown(() => world.destroy());
    const install = (name: string, script: string): void => {
      const file = join(folder, 'bin', name);
      writeFileSync(file, `#!/bin/sh\n${script}\n`);
      chmodSync(file, 0o755);
    };
    const lost = 'error while loading shared libraries: libnothing.so: cannot open shared object file';
    install('curl', `echo "curl: ${lost}" >&2; exit 127`);
    install('wget', 'kill -SEGV $$');
    install('python3', `echo "ModuleNotFoundError: No module named 'http'" >&2; exit 1`);
    install('nc', 'exec /nonexistent/nc');
    install('wrk', 'echo "unknown option"; exit 126');
    process.env.PATH = `${join(folder, 'bin')}:${path}`;
    const requests = REQUESTS.slice(0, 1);
    const http = (program: ClientProgram) => world.runClients([{ kind: 'http', program, requests }]);
    await t.rejects(http('curl'), { name: 'WorldError', message: /curl cannot be run: .*libnothing/ });
    await t.rejects(http('wget'), { name: 'WorldError', message: /wget was ended by SIGSEGV/ });
    await t.rejects(http('python'), { name: 'WorldError', message: /python3 did not start: ModuleNotFoundError/ });
    await t.rejects(http('nc'), { name: 'WorldError', message: /nc cannot be run/ });
    const load = { kind: 'load', program: 'wrk', path: '/a/1', connections: 1, durationMs: 1000 } as const;
    await t.rejects(world.runClients([load]), { name: 'WorldError', message: /wrk cannot be run/ });
    await t.resolves(world.settle(100), 'the world goes on');
  });

  t.test('the lwIP client is compiled once, and what is missing for it is said', async (t) => {
    if (lacks(t, 'lwip')) return;
    const folder = t.testdir({ cache: {}, bin: {} });
    const cache = join(folder, 'cache');
    const script =
      "import('./harness/clients/lwip/build.ts').then((m) => m.lwipClient()).then(console.log, (e) => console.log(String(e)))";
    const run = (env: NodeJS.ProcessEnv) =>
      spawnSync(process.execPath, ['--import=tsx', '-e', script], {
        encoding: 'utf8',
        env: { ...process.env, XDG_CACHE_HOME: cache, ...env },
      }).stdout.trim();
    const first = run({});
    t.equal(run({}), first);
    t.same(readdirSync(join(cache, 'prism-conformance')), [first.split('/').at(-1)]);
    mkdirSync(join(folder, 'empty'));
    t.match(run({ PATH: join(folder, 'empty') }), /^WorldError: the lwIP client needs the compiler cc \(Debian: gcc/);
    writeFileSync(
      join(folder, 'bin', 'cc'),
      '#!/bin/sh\n[ "$1" = --version ] && exit 0\necho "x.c:1: error: broken" >&2\nexit 1\n',
    );
    chmodSync(join(folder, 'bin', 'cc'), 0o755);
    t.match(
      run({ PATH: `${join(folder, 'bin')}:${process.env.PATH}` }),
      /^WorldError: the lwIP client cannot be compiled .*broken/,
    );
    t.equal(readdirSync(join(cache, 'prism-conformance')).length, 1, 'half of it is not left');
  });
}
