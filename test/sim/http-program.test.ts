/** The simulated programs against the real ones: the same requests, byte for byte but for version numbers. */
import { spawnSync } from 'node:child_process';
import { createServer, type Socket } from 'node:net';
import t from 'tap';
import { runHttpProgram } from '../../harness/clients/http-programs.js';
import { planRequest } from '../../harness/sim/http-program.js';
import type { ClientProgram, HttpRequestSpec } from '../../harness/world.js';

const small = { size: 3000, seed: 1 };
const large = { size: 1_500_000, seed: 2 };
type Typist = Exclude<ClientProgram, 'scapy' | 'lwip'>;
/** lwIP and scapy send what nc does, from a namespace of their own. */
const stories: Record<Typist, readonly HttpRequestSpec[]> = {
  curl: [
    { method: 'GET', path: '/a/1k' },
    { method: 'HEAD', path: '/a/1k' },
    { method: 'PUT', path: '/a/put', body: small },
    { method: 'PUT', path: '/a/put', body: large },
    { method: 'PUT', path: '/a/put', body: small, expectContinue: true },
    { method: 'PUT', path: '/a/put', body: small, expectContinue: false },
    { method: 'PUT', path: '/a/put' },
    { method: 'POST', path: '/a/post', body: small, headers: { 'X-Test': 'yes' } },
    { method: 'POST', path: '/a/post', body: large },
  ],
  wget: [{ method: 'PUT', path: '/a/put', body: small, headers: { 'X-Test': 'yes' } }],
  python: [
    { method: 'GET', path: '/a/1k', headers: { 'X-Test': 'yes' } },
    { method: 'HEAD', path: '/a/1k' },
    { method: 'PUT', path: '/a/put', body: large },
    { method: 'PUT', path: '/a/put', body: small, expectContinue: true },
    { method: 'POST', path: '/a/post' },
  ],
  nc: [
    { method: 'GET', path: '/a/1k', headers: { 'X-Test': 'yes' } },
    { method: 'HEAD', path: '/a/1k' },
    { method: 'PUT', path: '/a/put', body: small },
    { method: 'POST', path: '/a/post' },
  ],
  node: [
    { method: 'GET', path: '/a/1k', headers: { 'X-Test': 'yes' } },
    { method: 'HEAD', path: '/a/1k' },
    { method: 'PUT', path: '/a/put', body: large },
    { method: 'PUT', path: '/a/put', body: small, expectContinue: true },
    { method: 'POST', path: '/a/post' },
  ],
};

/** Answers every request with an empty 200 (and 100 first, where asked); gathers what arrived, one entry a request. */
function recorder(): { requests: string[]; serve: (socket: Socket) => void } {
  const requests: string[] = [];
  return {
    requests,
    serve(socket) {
      let pending = '';
      let continued = false;
      socket.on('error', () => {});
      socket.on('data', (bytes: Buffer) => {
        pending += bytes.toString('latin1');
        for (;;) {
          const headerEnd = pending.indexOf('\r\n\r\n') + 4;
          if (headerEnd < 4) return;
          const header = pending.slice(0, headerEnd);
          const end = headerEnd + Number(/content-length: (\d+)/i.exec(header)?.[1] ?? 0);
          if (/expect: 100-continue/i.test(header) && !continued) {
            continued = true;
            socket.write('HTTP/1.1 100 Continue\r\n\r\n');
          }
          if (pending.length < end) return;
          requests.push(pending.slice(0, end));
          pending = pending.slice(end);
          continued = false;
          socket.write('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n');
        }
      });
    },
  };
}

const withoutVersion = (request: string): string => request.replace(/(User-Agent: \w+\/)[\d.]+/, '$1x');

for (const program of Object.keys(stories) as Typist[])
  t.test(program, async (t) => {
    const command = program === 'python' ? 'python3' : program;
    if (spawnSync(command, ['--version']).error) {
      if (process.env.CI === 'true') t.fail(`${command} is not installed`);
      else t.comment(`skipped: ${command} is not installed`);
      return;
    }
    const { requests, serve } = recorder();
    const server = createServer(serve);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    if (address === null || typeof address === 'string') throw new Error('no port');
    const folder = t.testdir({});
    const surroundings = {
      signal: new AbortController().signal,
      folder,
      host: '127.0.0.1',
      port: address.port,
      enter: (argv: readonly string[]) => [...argv],
      ownAddress: () => {
        throw new Error('nobody asked for one');
      },
    };
    const result = await runHttpProgram({ program, requests: stories[program] }, surroundings, 20_000);
    await new Promise((resolve) => server.close(resolve));
    t.equal(result.error, undefined);
    const planned = stories[program].map((spec) => {
      const { header, body } = planRequest(program, spec, `127.0.0.1:${address.port}`);
      return header + Buffer.from(body).toString('latin1');
    });
    t.equal(requests.length, planned.length);
    for (const [index, request] of requests.entries()) {
      const wanted = withoutVersion(planned[index] ?? '');
      const seen = withoutVersion(request);
      t.equal(seen.slice(0, 400), wanted.slice(0, 400), `request ${index + 1}`);
      t.ok(seen === wanted, 'to the last byte');
    }
  });
