/** The kernel backend on a kernel: what TCP_REPAIR takes and refuses, what the guard lets through, and whole cases. */
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { nodeCommand } from '../../harness/linux/processes.js';
import { hasLinux } from '../linux/needs-linux.js';
import { passes, shipped } from '../linux/under-test.js';

/** As an ordinary user, in a user namespace of his own. */
const ORDINARY = [
  ...['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups', '--'],
  ...['unshare', '--user', '--map-root-user', '--net'],
];

/** What test/kernel/repair-main.ts saw, in a namespace of its own. */
function see(words: readonly string[], cache?: string) {
  const [program = '', ...args] = [
    ...(cache === undefined ? ['unshare', '--net'] : ORDINARY),
    ...nodeCommand('./repair-main', import.meta.url),
    ...words,
  ];
  const env = { ...process.env, ...(cache !== undefined && { XDG_CACHE_HOME: cache }) };
  return spawnSync(program, args, { encoding: 'utf8', timeout: 60_000, env });
}

const CONNECTIONS = {
  imported: /^ESTAB 0 +0 +198\.18\.10\.2:80 198\.18\.1\.2:40000[\s\S]*wscale:7,6 [\s\S]*mss:1388 [\s\S]*snd_wnd:64256/,
  refusals: {
    twice: 'connect: EADDRNOTAVAIL',
    mss: 'a maximum segment of 40 bytes: EINVAL',
    route: 'connect: ENETUNREACH',
  },
  waiting: 0,
  exported: {
    seq: 0xfffffff0,
    ack: 100_000,
    clientWindow: 64_256,
    windowScale: { client: 7, own: 6 },
    sackPermitted: true,
    timestamps: { recent: 78 },
  },
  bare: /wscale:0,0/,
  left: '',
  frames: 0,
  widened: 'default via 198.18.10.1 dev link rtt 334ms initcwnd 64',
  restored: 'default via 198.18.10.1 dev link',
};

if (await hasLinux()) {
  t.test('connections are made, refused, looked into and closed without a frame', (t) => {
    const ran = see([]);
    t.equal(ran.status, 0, ran.stderr);
    const seen = JSON.parse(ran.stdout);
    t.match(seen, CONNECTIONS);
    // The import's value is odd, which goes up by one; the export's is at least what has been sent.
    t.ok(seen.exported.timestamps.value >= 0x80000000 && seen.exported.timestamps.value < 0x80000000 + 60_000);
    t.end();
  });

  t.test('the guard', (t) => {
    const ran = see(['guard']);
    t.equal(ran.status, 0, ran.stderr);
    const ACK = 0x10;
    t.match(JSON.parse(ran.stdout), {
      attached: /prism_guard_out[\s\S]*prism_guard_in/,
      closed: 'dropped',
      stranger: 'dropped',
      before: { seq: 900, flags: ACK, valid: true },
      // Up to where the socket is, so that it looks at the acknowledgement.
      repeated: { seq: 1300, flags: ACK, valid: true },
      empty: { seq: 1500, flags: ACK, valid: true },
      next: { seq: 1400, flags: ACK, valid: true },
      reset: { seq: 1500, flags: 0x04, valid: true },
      blindReset: { seq: 1200, flags: 0x04, valid: true },
      fin: { seq: 1500, flags: ACK, valid: true },
      zeroWindow: { seq: 1500, flags: ACK | 0x80, valid: true },
      expired: 'dropped',
      entries: 0,
      full: 'the eBPF map spoken took no entry: E2BIG (it is full)',
      fullEntries: 2,
    });
    t.notMatch(JSON.parse(ran.stdout).left, /clsact/);
    t.end();
  });

  t.test('what the client of a guarded connection is told', (t) => {
    const ran = see(['wire']);
    t.equal(ran.status, 0, ran.stderr);
    const said = { length: 0, window: true, sack: false, valid: true };
    t.same(JSON.parse(ran.stdout), {
      // The hand-off's echo, which the socket does not have, and the window of a read.
      first: [{ seq: 0, ack: 0, length: 5, window: false, echo: 77, sack: false, valid: true }],
      // The socket has 30 bytes, of which ten are the request's.
      beyond: [{ ...said, seq: 5, ack: 10, echo: 500 }],
      disordered: [{ ...said, seq: 5, ack: 10, echo: 500 }],
      spoken: { taken: 100_030, echoed: 500 },
      within: [{ ...said, seq: 5, ack: 30, echo: 500, sack: true }],
      probe: [{ ...said, seq: 4, ack: 30, echo: 500, sack: true }],
      // Put forward, so that the client looks at what it acknowledges.
      prompted: [{ ...said, seq: 5, ack: 10, echo: 500 }],
      reset: 0,
      finished: 0,
      repeated: 0,
      destroyed: 0,
    });
    t.end();
  });

  t.test('without root: TCP_REPAIR works in a user namespace, the guard says what it lacks', (t) => {
    const [program = '', ...args] = [...ORDINARY, 'ls', import.meta.dirname];
    if (spawnSync(program, args).status !== 0) {
      t.plan(0, 'skipped: no unprivileged user namespaces, or the checkout is private to root');
      return;
    }
    const cache = mkdtempSync(join(tmpdir(), 'prism-nobody-'));
    chmodSync(cache, 0o777);
    t.teardown(() => rmSync(cache, { recursive: true }));
    const repaired = see([], cache);
    t.equal(repaired.status, 0, repaired.stderr);
    t.match(JSON.parse(repaired.stdout), CONNECTIONS);
    const guarded = see(['guard'], cache);
    t.not(guarded.status, 0);
    t.match(guarded.stderr, /the kernel lets this process load no eBPF program: it needs CAP_BPF and CAP_NET_ADMIN/);
    t.end();
  });

  t.test('whole cases', async (t) => {
    await passes(t, shipped('kernel-backend'), [
      'HOF-6.curl-alternates-backends',
      'BKD-2.next-request-behind-payload',
      'HOF-5.request-after-giving-up',
      'RET-5.reset-frees-the-rule',
      'ERR-2.backend-crashes-before-the-first-byte',
    ]);
  });
}
