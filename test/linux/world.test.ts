/** The Linux world from the outside: real clients, what the capture shows to other tools, and that nothing is left behind. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import t from 'tap';
import { readCapture } from '../../harness/capture/pcapng.js';
import { nodeCommand } from '../../harness/linux/processes.js';
import { createRunFolder, isAlive } from '../../harness/linux/run-folder.js';
import { createLinuxWorld } from '../../harness/linux/world.js';
import { generateBody, objectSeed } from '../../harness/objects.js';
import { defaultPolicy } from '../../harness/topology.js';
import { type ClientProgram, type HttpResponse, WorldError, type WorldOptions } from '../../harness/world.js';
import { eventually, hasLinux } from './needs-linux.js';

const options: WorldOptions = { seed: 1, without: [], policy: defaultPolicy, faults: [] };
const PROGRAMS: Readonly<Record<ClientProgram, string>> = {
  curl: 'curl',
  wget: 'wget',
  python: 'python3',
  node: 'node',
  nc: 'nc',
  scapy: 'scapy',
  lwip: 'cc',
};
const installed = (program: string) => spawnSync('sh', ['-c', `command -v ${program}`]).status === 0;
const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');
const objectHash = (path: string, size: number) => sha256(generateBody({ size, seed: objectSeed(path) }));
const gone = (pids: Iterable<number>) => [...pids].every((pid) => !isAlive(pid));

/** tshark's frames that match; TCP streams are not put together, because each segment is in the file once for every link it crossed. */
function tsharkMatches(capture: string, filter: string): string[] {
  const checks = [
    '-o',
    'tcp.check_checksum:TRUE',
    '-o',
    'ip.check_checksum:TRUE',
    '-o',
    'tcp.desegment_tcp_streams:FALSE',
  ];
  const ran = spawnSync('tshark', ['-r', capture, ...checks, '-Y', filter], { encoding: 'utf8', maxBuffer: 1 << 28 });
  if (ran.status !== 0) throw new Error(ran.stderr);
  return ran.stdout.split('\n').filter((line) => line !== '');
}

if (await hasLinux()) {
  t.test('every client program fetches and stores; the capture is sound', async (t) => {
    const folder = t.testdir({});
    const world = await createLinuxWorld(folder, options);
    t.teardown(() => world.destroy());
    const { processes } = world;
    for (const program of ['curl', 'wget', 'python', 'node'] as const) {
      if (!installed(PROGRAMS[program])) {
        if (process.env.CI === 'true') t.fail(`${program} is not installed`);
        else t.comment(`skipped: ${program} is not installed`);
        continue;
      }
      const read = { method: 'GET', path: '/a/8k' } as const;
      const body = { size: 300_000, seed: 7 };
      const jobs = [
        { kind: 'http', program, requests: [read, { ...read, path: '/b/1m' }, { ...read, path: '/none' }] },
        { kind: 'http', program, requests: [{ method: 'PUT', path: `/b/${program}`, body, expectContinue: true }] },
        { kind: 'http', program, requests: [{ method: 'HEAD', path: '/a/1' }] },
      ] as const;
      const [reads, put, head] = await world.runClients(jobs);
      t.match(reads, { ok: true }, `${program} GET: ${reads?.error}`);
      t.match(put, { ok: true }, `${program} PUT: ${put?.error}`);
      t.match(head, { ok: true, responses: [{ status: 200, bodySize: 0 }] }, `${program} HEAD: ${head?.error}`);
      const [a, b, none] = reads?.responses ?? [];
      t.same([a?.status, b?.status, none?.status], [200, 200, 404]);
      t.equal(a?.sha256, objectHash('/a/8k', 8 * 1024));
      t.equal(b?.sha256, objectHash('/b/1m', 1024 * 1024));
      const stored: HttpResponse | undefined = put?.responses[0];
      t.equal(stored?.etag, sha256(generateBody(body)), 'what the backend stored is what was sent');
    }
    await world.settle(5000);
    const evidence = await world.finish();
    t.equal(evidence.captureDrops, 0);
    t.ok(gone(processes.values()), 'no process is left');
    t.notOk(existsSync(world.scratchFolder), 'no temporary folder is left');

    const capture = readCapture(readFileSync(evidence.capture));
    if (!capture.ok) throw new Error(capture.error.detail);
    const stamps = capture.frames.map((frame) => frame.timestampNs);
    t.ok(
      stamps.every((stamp, i) => i === 0 || stamp >= (stamps[i - 1] ?? 0n)),
      'frames are in the order of their stamps',
    );
    for (const file of [evidence.controlLog, evidence.trace]) {
      const times = readFileSync(file, 'utf8')
        .trimEnd()
        .split('\n')
        .map((line) => BigInt(JSON.parse(line).t));
      t.ok(times.length > 0 && times.every((time, i) => i === 0 || time >= (times[i - 1] ?? 0n)), file);
    }
    if (!installed('tshark')) {
      if (process.env.CI === 'true') t.fail('tshark is not installed');
      return;
    }
    t.same(tsharkMatches(evidence.capture, '_ws.malformed || tcp.checksum.status == 0 || ip.checksum.status == 0'), []);
    t.same(
      tsharkMatches(evidence.capture, 'frame.len > 1514'),
      [],
      'offloads are off: no frame is longer than the link',
    );
    t.same(tsharkMatches(evidence.capture, 'not tcp and not arp'), [], 'nobody but client and roles speaks');
    t.ok(tsharkMatches(evidence.capture, 'frame.interface_name == "backend1" and tcp').length > 0);
  });

  t.test('8 MB both ways without a lost frame', async (t) => {
    const world = await createLinuxWorld(t.testdir({}), options);
    t.teardown(() => world.destroy());
    const body = { size: 8 * 1024 * 1024, seed: 3 };
    const [get, put] = await world.runClients([
      { kind: 'http', program: 'curl', requests: [{ method: 'GET', path: '/a/8m' }], timeoutMs: 60_000 },
      { kind: 'http', program: 'curl', requests: [{ method: 'PUT', path: '/b/up', body }], timeoutMs: 60_000 },
    ]);
    t.equal(get?.responses[0]?.sha256, objectHash('/a/8m', 8 * 1024 * 1024), get?.error ?? 'GET');
    t.equal(put?.responses[0]?.etag, sha256(generateBody(body)), put?.error ?? 'PUT');
    t.equal((await world.finish()).captureDrops, 0);
  });

  t.test('scripts are played byte for byte', async (t) => {
    const world = await createLinuxWorld(t.testdir({}), options);
    t.teardown(() => world.destroy());
    const [closed, aborted, late] = await world.runClients([
      {
        kind: 'script',
        steps: [
          { do: 'send', text: 'GET /a/1k HTTP/1.1\r\nHo' },
          { do: 'pause', ms: 20 },
          { do: 'send', text: 'st: x\r\n\r\n' },
          { do: 'response' },
          { do: 'shutdown' },
          { do: 'wait-close' },
        ],
      },
      {
        kind: 'script',
        steps: [{ do: 'send', text: 'GET /a/1k HTTP/1.1\r\nHost: x\r\n\r\n' }, { do: 'response' }, { do: 'abort' }],
      },
      { kind: 'script', steps: [{ do: 'send', text: 'GET ' }, { do: 'response' }], timeoutMs: 1500 },
    ]);
    t.match(closed, { ok: true, closedBy: 'server-fin', responses: [{ status: 200, bodySize: 1024 }] });
    t.match(aborted, { ok: true, closedBy: 'client', responses: [{ status: 200 }] });
    t.match(late, { ok: false, error: /not done after 1500 ms/ });
    const capture = readCapture(readFileSync((await world.finish()).capture));
    if (!capture.ok) throw new Error(capture.error.detail);
    const client = capture.frames.filter((frame) => frame.bytes.length > 54 && frame.bytes[23] === 6);
    const rst = client.filter((frame) => ((frame.bytes[47] ?? 0) & 4) !== 0);
    t.ok(rst.length > 0, 'abort is a RST on the wire');
  });

  t.test('a role that dies is a failure of the world, at once', async (t) => {
    const world = await createLinuxWorld(t.testdir({}), options);
    t.teardown(() => world.destroy());
    const { processes } = world;
    process.kill(processes.get('switch') ?? Number.NaN, 'SIGKILL');
    const job = { kind: 'http', program: 'curl', requests: [{ method: 'GET', path: '/a/8k' }] } as const;
    await t.rejects(world.runClients([job]), new WorldError('switch ended by SIGKILL'));
    await world.destroy();
    await world.destroy();
    t.ok(gone(processes.values()));
  });

  t.test('destroy ends clients that are running', async (t) => {
    const world = await createLinuxWorld(t.testdir({}), options);
    const running = world.runClients([{ kind: 'script', steps: [{ do: 'pause', ms: 60_000 }], timeoutMs: 60_000 }]);
    const rejected = t.rejects(running, { name: 'WorldError' });
    setTimeout(() => void world.destroy(), 300);
    await rejected;
    t.ok(await eventually(() => gone(world.processes.values()), 5000));
  });

  for (const signal of ['SIGKILL', 'SIGTERM', 'SIGINT'] as const)
    t.test(`${signal} of the process that owns the world leaves nothing`, async (t) => {
      const [program = '', ...args] = nodeCommand('./own-a-world', import.meta.url);
      const owner: ChildProcess = spawn(program, [...args, t.testdir({})], { stdio: ['ignore', 'pipe', 'inherit'] });
      if (!owner.stdout) throw new Error('no pipe');
      const [line] = (await new Promise<string[]>((resolve) => {
        if (owner.stdout) createInterface({ input: owner.stdout }).once('line', (text) => resolve([text]));
      })) as [string];
      const { pids, scratch } = JSON.parse(line) as {
        pids: number[];
        scratch: string;
      };
      t.ok(pids.length >= 11 && pids.every(isAlive), `${pids.length} processes run`);
      owner.kill(signal);
      t.ok(await eventually(() => gone(pids), 10_000), `left: ${pids.filter(isAlive)}`);
      // Everything a world starts has its folder as HOME. The namespaces' own numbers tell nothing: the kernel gives them out again.
      const left = spawnSync('sh', ['-c', `grep -lF '${scratch}' /proc/[0-9]*/environ`], { encoding: 'utf8' }).stdout;
      t.equal(left, '', 'no process of the world is left');
      createRunFolder();
      t.notOk(existsSync(scratch), 'the next start removes the temporary folder');
    });

  t.test('run folders of living processes are kept, private, and named after them', (t) => {
    const folder = createRunFolder();
    createRunFolder();
    t.ok(existsSync(folder));
    t.match(folder, `prism-conformance-run-${process.pid}-`);
    t.end();
  });
}
t.teardown(() => {
  // The folders this test itself made; the next start would sweep them too.
  spawnSync('sh', ['-c', `rm -rf "${join(createRunFolder(), '..')}"/prism-conformance-run-${process.pid}-*`]);
});
