/** A profile of the client's kernel shows on the wire, and nowhere but in the client's namespace. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import t from 'tap';
import { availableProfile, sysctlsOf, unavailableLevels } from '../../harness/linux/client-profile.js';
import { inNamespace, interfaceMtu, segmentsForKernel } from '../../harness/linux/libc.js';
import { PacketSocket } from '../../harness/linux/packet-socket.js';
import { enter } from '../../harness/linux/processes.js';
import { createLinuxWorld } from '../../harness/linux/world.js';
import { defaultPolicy } from '../../harness/topology.js';
import type { ClientJob, StackProfile, WorldOptions } from '../../harness/world.js';
import { TcpFlag } from '../../reference-impl/wire/tcp.js';
import { checksumsHold, optionIn, segmentsOf, synOf } from './captured-segments.js';
import { hasLinux } from './needs-linux.js';

const BODY = { size: 400_000, seed: 6 };
const READ: ClientJob = {
  kind: 'http',
  program: 'curl',
  requests: [{ method: 'GET', path: '/a/64k' }],
  timeoutMs: 60_000,
};
const WRITE: ClientJob = {
  kind: 'http',
  program: 'curl',
  requests: [{ method: 'PUT', path: '/b/w', body: BODY, expectContinue: false }],
  timeoutMs: 60_000,
};

const optionsWith = (clientProfile: StackProfile): WorldOptions => ({
  seed: 1,
  without: [],
  policy: defaultPolicy,
  faults: [],
  clientProfile,
});

t.test('what is not available is left out, and nothing else', async (t) => {
  const missing = [
    { factor: 'congestion', level: 'bbr', reason: 'x' },
    { factor: 'offloads', level: 'on', reason: 'y' },
  ] as const;
  t.same(availableProfile({ congestion: 'bbr', offloads: true, mtu: 576 }, missing), { mtu: 576 });
  t.same(availableProfile({ congestion: 'reno' }, missing), { congestion: 'reno', offloads: false });
  t.same(sysctlsOf({}), []);
});

if (await hasLinux()) {
  const sysctl = (name: string): string =>
    readFileSync(`/proc/sys/net/ipv4/${name}`, 'latin1').trim().replace(/\s+/g, ' ');

  t.test('everything off, on a narrow link with little room', async (t) => {
    const before = ['tcp_timestamps', 'tcp_sack', 'tcp_rmem'].map(sysctl);
    const world = await createLinuxWorld(
      t.testdir({}),
      optionsWith({
        timestamps: false,
        sack: false,
        windowScaling: false,
        ecn: true,
        mtu: 576,
        buffers: 'tiny',
        congestion: 'reno',
        offloads: true,
      }),
    );
    t.teardown(() => world.destroy());
    const inside = inNamespace(world.clientNamespace, () => ({
      rmem: sysctl('tcp_rmem'),
      ecn: sysctl('tcp_ecn'),
      mtu: interfaceMtu('link'),
    }));
    t.same(inside, { rmem: '4096 8192 8192', ecn: '1', mtu: 576 });
    t.same(['tcp_timestamps', 'tcp_sack', 'tcp_rmem'].map(sysctl), before, 'the machine is as it was');
    const [, ...ip] = ['', ...enter(world.clientNamespace, ['ip', 'route', 'show', 'default'])];
    if (!unavailableLevels().some((one) => one.level === 'reno'))
      t.match(spawnSync(ip[0] ?? '', ip.slice(1), { encoding: 'utf8' }).stdout, /congctl reno/);
    t.match(await world.runClients([READ, WRITE]), [{ ok: true }, { ok: true }]);
    const segments = segmentsOf(await world.finish());
    const syn = synOf(segments, true);
    t.equal(optionIn(syn, 'mss')?.value, 536);
    for (const kind of ['timestamps', 'sack-permitted', 'window-scale'] as const) {
      t.equal(optionIn(syn, kind), undefined, `the client offers no ${kind}`);
      t.equal(optionIn(synOf(segments, false), kind), undefined, `nobody answers with ${kind}`);
    }
    const ecn = TcpFlag.ECE | TcpFlag.CWR;
    t.equal(syn.tcp.flags & ecn, ecn, 'ECN is asked for');
    t.ok(syn.tcp.window <= 8192, `a window of ${syn.tcp.window}`);
    const client = segments.filter(({ vantage }) => vantage === 'client');
    t.equal(Math.max(...client.map(({ length }) => length)), 14 + 576, 'full segments, none longer');
    t.ok(segments.every(checksumsHold), 'checksums');
  });

  t.test('a wide path: frames of 9000 bytes in both directions, all captured whole', async (t) => {
    const world = await createLinuxWorld(
      t.testdir({}),
      optionsWith({ mtu: 9000, timestamps: true, sack: true, windowScaling: true, ecn: false }),
    );
    t.teardown(() => world.destroy());
    t.match(await world.runClients([READ, WRITE]), [{ ok: true }, { ok: true }]);
    const evidence = await world.finish();
    t.equal(evidence.captureDrops, 0);
    const segments = segmentsOf(evidence);
    const syn = synOf(segments, true);
    t.equal(optionIn(syn, 'mss')?.value, 8960);
    t.equal(optionIn(synOf(segments, false), 'mss')?.value, 8960);
    t.equal(syn.tcp.flags & (TcpFlag.ECE | TcpFlag.CWR), 0);
    for (const kind of ['timestamps', 'sack-permitted', 'window-scale'] as const) t.ok(optionIn(syn, kind), kind);
    for (const toServer of [true, false]) {
      const longest = Math.max(
        ...segments.filter(({ tcp }) => (tcp.dstPort === 80) === toServer).map(({ length }) => length),
      );
      t.equal(longest, 9014, toServer ? 'from the client' : 'to the client');
    }
    t.ok(segments.every(checksumsHold), 'checksums');
  });

  t.test(
    'offloads: the kernel hands its card what is too long for the link, and the link carries real packets',
    async (t) => {
      if (unavailableLevels().some((one) => one.factor === 'offloads')) {
        if (process.env.CI === 'true') t.fail('no bridge in this kernel');
        else t.comment('skipped: no bridge in this kernel');
        return;
      }
      for (const offloads of [true, false]) {
        const world = await createLinuxWorld(t.testdir({}), optionsWith({ offloads }));
        t.teardown(() => world.destroy());
        t.equal(
          inNamespace(world.clientNamespace, () => segmentsForKernel('link')),
          offloads,
        );
        const tap = inNamespace(
          world.clientNamespace,
          () => new PacketSocket({ interfaceName: 'link', outgoing: true, slots: 2048 }),
        );
        t.match(await world.runClients([WRITE]), [{ ok: true }]);
        let longest = 0;
        tap.receive(2048, (frame) => {
          longest = Math.max(longest, frame.originalLength);
        });
        tap.close();
        t.equal(longest > 1514, offloads, `the client's kernel hands over ${longest} bytes at once`);
        const segments = segmentsOf(await world.finish());
        t.equal(Math.max(...segments.map(({ length }) => length)), 1514);
        t.ok(segments.every(checksumsHold), 'checksums');
      }
    },
  );
}
