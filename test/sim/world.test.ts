/** Whole runs of the reference in the simulated world: bodies, programs, scripts, faults, determinism. */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import t, { type Test } from 'tap';
import { readCapture } from '../../harness/capture/pcapng.js';
import { generateBody, objectCatalogue } from '../../harness/objects.js';
import { createSimWorld, referenceRoles, type SimWorld, simWorldOf } from '../../harness/sim/world.js';
import { defaultPolicy } from '../../harness/topology.js';
import type { BodySpec, ClientJob, Evidence, JobResult, ScriptStep, WorldOptions } from '../../harness/world.js';
import { parseFrame } from '../../reference-impl/wire/frame.js';

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
const digest = (spec: BodySpec): string => sha256(generateBody(spec));
const object = (path: string): BodySpec => {
  const spec = objectCatalogue().get(path);
  if (spec === undefined) throw new Error(`no object ${path}`);
  return spec;
};

async function world(t: Test, options: Partial<WorldOptions> = {}): Promise<SimWorld> {
  return createSimWorld(t.testdir({}), { seed: 1, without: [], policy: defaultPolicy, faults: [], ...options });
}

/** Runs jobs in one world; the run must leave nothing behind. */
async function run(
  t: Test,
  jobs: readonly ClientJob[],
  options: Partial<WorldOptions> = {},
): Promise<{ results: readonly JobResult[]; evidence: Evidence }> {
  const w = await world(t, options);
  const results = await w.runClients(jobs);
  await w.settle(30_000);
  t.same(w.held(), {});
  return { results, evidence: await w.finish() };
}

const get = (...paths: string[]): ClientJob => ({
  kind: 'http',
  program: 'curl',
  requests: paths.map((path) => ({ method: 'GET', path })),
});
const header = (line: string, ...fields: string[]): string => [line, 'Host: p', ...fields, '', ''].join('\r\n');

function expectOk(t: Test, result: JobResult | undefined): JobResult {
  if (result === undefined) throw new Error('no result');
  t.equal(result.error, undefined);
  t.ok(result.ok);
  return result;
}

t.test('every program gets every object', async (t) => {
  for (const program of ['curl', 'wget', 'python', 'node'] as const) {
    const paths = [...objectCatalogue().keys()].filter((path) => !path.endsWith('8m'));
    const requests = paths.map((path) => ({ method: 'GET', path }) as const);
    const { results } = await run(t, [{ kind: 'http', program, requests }]);
    const { responses, closedBy } = expectOk(t, results[0]);
    t.equal(closedBy, 'client');
    t.same(
      responses.map((r) => [r.status, r.sha256]),
      paths.map((path) => [200, digest(object(path))]),
    );
  }
});

t.test('8 MB to the client, fast', async (t) => {
  const begun = performance.now();
  const { results } = await run(t, [get('/b/8m')]);
  const took = performance.now() - begun;
  t.equal(expectOk(t, results[0]).responses[0]?.sha256, digest(object('/b/8m')));
  t.comment(`${Math.round(took)} ms`);
  t.ok(took < 10_000);
});

t.test('writes from every program, with and without 100 Continue', async (t) => {
  const whole = 8 * 1024 * 1024;
  for (const [program, expectContinue, size] of [
    ['curl', undefined, whole],
    ['curl', false, 300_000],
    ['curl', true, 300_000],
    ['python', undefined, 300_000],
    ['node', undefined, 300_000],
    ['node', true, 300_000],
    ['wget', undefined, 300_000],
  ] as const) {
    const body = { size, seed: 5 };
    const requests = [
      { method: 'PUT', path: '/b/put', body, ...(expectContinue !== undefined && { expectContinue }) },
      { method: 'GET', path: '/b/put' },
    ] as const;
    const { results } = await run(t, [{ kind: 'http', program, requests }]);
    const { responses } = expectOk(t, results[0]);
    t.equal(responses[0]?.etag, digest(body), `${program} ${expectContinue}`);
    t.equal(responses[1]?.sha256, digest(body));
  }
});

t.test('HEAD, POST, 404 and an empty PUT', async (t) => {
  const requests = [
    { method: 'HEAD', path: '/a/8k' },
    { method: 'GET', path: '/a/nothing' },
    { method: 'POST', path: '/a/posted', body: { size: 3000, seed: 1 } },
    { method: 'PUT', path: '/a/empty' },
  ] as const;
  const { results } = await run(t, [{ kind: 'http', program: 'curl', requests }]);
  const { responses } = expectOk(t, results[0]);
  t.same(
    responses.map((r) => [r.status < 300, r.status === 404]),
    [
      [true, false],
      [false, true],
      [true, false],
      [true, false],
    ],
  );
  t.equal(responses[0]?.bodySize, 0);
});

t.test('scripts: split, pipelined, half-closed, closed, aborted', async (t) => {
  const ask = (path: string): ScriptStep => ({ do: 'send', text: header(`GET ${path} HTTP/1.1`) });
  const text = header('GET /a/8k HTTP/1.1');
  const stories: Record<string, readonly ScriptStep[]> = {
    split: [...text].flatMap((c): ScriptStep[] => [{ do: 'send', text: c }]).concat({ do: 'response' }),
    paused: [
      { do: 'send', text: text.slice(0, 9) },
      { do: 'pause', ms: 40 },
      { do: 'send', text: text.slice(9) },
      { do: 'response' },
    ],
    pipelined: [ask('/a/8k'), ask('/b/1k'), { do: 'response' }, { do: 'response' }],
    halfClosed: [ask('/a/1k'), { do: 'shutdown' }, { do: 'response' }, { do: 'wait-close' }],
    closed: [ask('/a/1k'), { do: 'response' }, { do: 'close' }],
    aborted: [ask('/a/64k'), { do: 'pause', ms: 1 }, { do: 'abort' }],
  };
  const closings = {
    split: 'client',
    paused: 'client',
    pipelined: 'client',
    halfClosed: 'server-fin',
    closed: 'client',
    aborted: 'client',
  };
  for (const [name, steps] of Object.entries(stories)) {
    const { results } = await run(t, [{ kind: 'script', steps }]);
    const result = expectOk(t, results[0]);
    t.equal(result.closedBy, closings[name as keyof typeof closings], name);
    t.equal(result.responses.length, steps.filter((step) => step.do === 'response').length);
  }
});

t.test('many clients side by side', async (t) => {
  const jobs = Array.from({ length: 12 }, (_, n) => get(n % 2 ? '/a/64k' : '/b/64k', n % 3 ? '/b/1k' : '/a/0'));
  const { results } = await run(t, jobs);
  for (const result of results) t.equal(expectOk(t, result).responses.length, 2);
});

t.test('the same seed gives the same bytes, another seed others', async (t) => {
  const faults = [
    { kind: 'lose', match: {}, rate: 0.02 },
    { kind: 'reorder', match: {}, rate: 0.05, ms: 2 },
  ] as const;
  const once = async (seed: number): Promise<string[]> => {
    const { evidence } = await run(t, [get('/a/64k', '/b/8k'), get('/b/64k')], { seed, faults });
    return [evidence.capture, evidence.controlLog, evidence.trace].map((file) => sha256(readFileSync(file)));
  };
  const [first, second, third] = [await once(3), await once(3), await once(4)];
  t.same(first, second);
  for (const [index, hash] of third.entries()) t.not(hash, first[index]);
});

t.test('transfers survive loss, duplication and reordering', async (t) => {
  for (let seed = 1; seed <= 8; seed++) {
    const faults = [
      { kind: 'lose', match: {}, rate: 0.03 },
      { kind: 'reorder', match: {}, rate: 0.05, ms: 3 },
      { kind: 'duplicate', match: {}, nth: [5, 9, 20, 33] },
    ] as const;
    const { results } = await run(t, [get('/a/64k', '/b/64k', '/a/1k')], { seed, faults });
    const { responses } = expectOk(t, results[0]);
    t.same(
      responses.map((r) => r.sha256),
      ['/a/64k', '/b/64k', '/a/1k'].map((path) => digest(object(path))),
      `seed ${seed}`,
    );
  }
});

t.test('captures: in order of time, at every vantage, every checksum valid', async (t) => {
  const requests = [
    { method: 'GET', path: '/a/8k' },
    { method: 'PUT', path: '/b/x', body: { size: 9999, seed: 1 } },
  ] as const;
  const { evidence } = await run(t, [{ kind: 'http', program: 'curl', requests }]);
  const capture = readCapture(readFileSync(evidence.capture));
  if (!capture.ok) throw new Error(capture.error.detail);
  t.same(
    capture.interfaces.map((i) => i.name),
    ['client', 'controller', 'backend0', 'backend1'],
  );
  for (const index of [0, 1, 2, 3]) t.ok(capture.frames.some((f) => f.interfaceIndex === index));
  t.ok(capture.frames.every((f, n, all) => f.timestampNs >= (all[n - 1]?.timestampNs ?? 0n)));
  for (const frame of capture.frames) {
    const parsed = parseFrame(frame.bytes);
    if (!parsed.ok || parsed.value.error) throw new Error('a frame that does not parse');
    const { arp, ipv4, tcp } = parsed.value;
    t.ok(arp !== undefined || (ipv4?.checksumValid() && tcp?.checksumValid(ipv4)));
  }
  for (const file of [evidence.controlLog, evidence.trace]) {
    const lines = readFileSync(file, 'utf8').trimEnd().split('\n');
    const times = lines.map((line) => BigInt(JSON.parse(line).t));
    t.ok(times.length > 10);
    t.ok(times.every((at, n) => at >= (times[n - 1] ?? 0n)));
  }
  const bad = '_ws.malformed || ip.checksum.status == 0 || tcp.checksum.status == 0';
  const checked = ['-o', 'ip.check_checksum:TRUE', '-o', 'tcp.check_checksum:TRUE'];
  const tshark = spawnSync('tshark', ['-r', evidence.capture, ...checked, '-Y', bad], { encoding: 'utf8' });
  if (tshark.error) {
    if (process.env.CI === 'true') t.fail('tshark is not installed');
    else t.comment('skipped: tshark is not installed');
    return;
  }
  t.equal(tshark.status, 0, tshark.stderr);
  t.equal(tshark.stdout, '');
});

t.test('a client that nobody answers times out in virtual time', async (t) => {
  const faults = [{ kind: 'drop', match: { from: 'controller' } }] as const;
  const results = await (await world(t, { faults })).runClients([{ ...get('/a/1k'), timeoutMs: 5000 }]);
  t.match(results[0], { ok: false, responses: [], error: /timed out after 5000 ms, waiting for the connection/ });
});

t.test('a network that never rests is an error of the world, and an ended world says so', async (t) => {
  const restless = simWorldOf({
    ...referenceRoles,
    controller: () => ({
      initial: [],
      held: () => 1,
      feed: (input, now) =>
        input.kind === 'control-up' || input.kind === 'timer' ? [{ kind: 'timer', key: 'x', at: now }] : [],
    }),
  });
  const options = { seed: 1, without: [], policy: defaultPolicy, faults: [] };
  const w = await restless(t.testdir({}), options);
  await t.rejects(w.runClients([get('/a/1k')]), { name: 'WorldError' });
  await w.destroy();
  await w.destroy();
  await t.rejects(w.finish(), { name: 'WorldError' });
});
