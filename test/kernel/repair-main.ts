/**
 * In a network namespace of its own: connections are made by TCP_REPAIR, refused, looked into and closed. Prints what was seen, as JSON.
 * `guard`: the guard stands at the interface too, and is given frames.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { interfaceIndex } from '../../harness/linux/packet-socket.js';
import { Guard, guardObject } from '../../kernel/backend/guard.js';
import {
  closeSilently,
  exportConnection,
  importConnection,
  probeRepair,
  unacknowledged,
} from '../../kernel/backend/repair.js';
import { widenDefaultRoute } from '../../kernel/backend/route.js';
import { TestRun } from '../../kernel/bpf/test-run.js';
import type { ConnectionSnapshot } from '../../reference-impl/control/messages.js';
import { buildTcpFrame } from '../../reference-impl/wire/build.js';
import { parseFrame } from '../../reference-impl/wire/frame.js';

const LOCAL = { ip: 0xc6120a02, port: 80 };
const CLIENT = { ip: 0xc6120102, port: 40_000 };
const SNAPSHOT: ConnectionSnapshot = {
  seq: 0xfffffff0,
  ack: 100_000,
  clientWindow: 64_256,
  clientMss: 1400,
  ownMss: 1460,
  windowScale: { client: 7, own: 6 },
  sackPermitted: true,
  timestamps: { value: 0x7fffffff, recent: 77 },
};
const plan = (snapshot: ConnectionSnapshot, client = CLIENT) => ({ local: LOCAL, client, snapshot, buffer: 65_536 });

const run = (...[program = '', ...args]: string[]): string => execFileSync(program, args, { encoding: 'utf8' });
const sent = (): number =>
  Number(
    /^link: *\d+(?: +\d+){7} +\d+ +(\d+)/m.exec(
      readFileSync('/proc/thread-self/net/dev', 'utf8').replace(/^ +/gm, ''),
    )?.[1],
  );
const sockets = (): string => run('ss', '-Htin');

run('ip', 'link', 'add', 'name', 'link', 'type', 'veth', 'peer', 'name', 'far');
for (const command of [
  'link set dev far addrgenmode none up',
  'link set dev link addrgenmode none up',
  'address add 198.18.10.2/24 dev link',
  'neighbour replace 198.18.10.1 lladdr 02:50:52:00:00:01 dev link nud permanent',
  'route add default via 198.18.10.1 dev link',
])
  run('ip', ...command.split(' '));

function refusal(work: () => unknown): string {
  try {
    work();
    return 'taken';
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

function connections() {
  probeRepair();
  const before = sent();
  const fd = importConnection(plan(SNAPSHOT));
  const imported = sockets();
  const refusals = {
    twice: refusal(() => importConnection(plan(SNAPSHOT))),
    mss: refusal(() => importConnection(plan({ ...SNAPSHOT, clientMss: 40 }, { ...CLIENT, port: 40_001 }))),
    route: refusal(() => {
      run('ip', 'route', 'del', 'default');
      try {
        return importConnection(plan(SNAPSHOT, { ip: 0x08080808, port: 40_002 }));
      } finally {
        run('ip', 'route', 'add', 'default', 'via', '198.18.10.1', 'dev', 'link');
      }
    }),
  };
  const waiting = unacknowledged(fd);
  const exported = exportConnection(fd, SNAPSHOT, { ack: SNAPSHOT.ack, recent: 78 });
  closeSilently(fd);
  const plain = importConnection(
    plan({ ...SNAPSHOT, windowScale: null, sackPermitted: false, timestamps: null }, { ...CLIENT, port: 40_003 }),
  );
  const bare = sockets();
  closeSilently(plain);
  const restore = widenDefaultRoute('link', 64);
  const widened = run('ip', '-4', 'route', 'show', 'default').trim();
  restore();
  const restored = run('ip', '-4', 'route', 'show', 'default').trim();
  return { imported, refusals, waiting, exported, bare, left: sockets(), frames: sent() - before, widened, restored };
}

const [SHOT, GOES_ON] = [2, 0xffffffff];
const MACS = { ethernet: { dst: 0x02505200_1002, src: 0x02505200_0001 } };
const segment = (fields: { seq: number; flags: number; window?: number; size?: number }, port = CLIENT.port) =>
  buildTcpFrame({
    ...MACS,
    ipv4: { src: CLIENT.ip, dst: LOCAL.ip },
    tcp: {
      srcPort: port,
      dstPort: 80,
      seq: fields.seq,
      ack: 5000,
      flags: fields.flags,
      window: fields.window ?? 500,
      payload: new Uint8Array(fields.size ?? 0).fill(97),
    },
  });

async function guarded() {
  const guard = new Guard(await guardObject(), LOCAL);
  guard.attach('link');
  const attached =
    run('tc', 'filter', 'show', 'dev', 'link', 'egress') + run('tc', 'filter', 'show', 'dev', 'link', 'ingress');
  const index = interfaceIndex('link');
  const test = new TestRun(guard.programs.ingress);
  const through = (bytes: Uint8Array) => {
    const { verdict, bytes: left } = test.run(bytes, index);
    if (verdict === SHOT) return 'dropped';
    const parsed = parseFrame(left.slice());
    if (verdict !== GOES_ON || !parsed.ok) return `verdict ${verdict}`;
    const { tcp, ipv4 } = parsed.value;
    if (tcp === undefined || ipv4 === undefined) return 'no segment';
    return { seq: tcp.seq, flags: tcp.flags, valid: tcp.checksumValid(ipv4) };
  };
  const ACK = 0x10;
  const [FIN, RST] = [0x01, 0x04];
  const flow = { limit: 1000, acknowledged: 5000, receiving: false, zeroWindow: false, until: null };
  const closed = through(segment({ seq: 1000, flags: ACK }));
  // The socket has taken 500 bytes more than the client was told.
  guard.open(CLIENT, flow, { taken: 1500, echoed: 0 });
  const seen = {
    closed,
    stranger: through(segment({ seq: 1000, flags: ACK }, 40_009)),
    before: through(segment({ seq: 900, flags: ACK, size: 50 })),
    repeated: through(segment({ seq: 1000, flags: ACK, size: 200 })),
    empty: through(segment({ seq: 1000, flags: ACK })),
    next: through(segment({ seq: 1400, flags: ACK, size: 200 })),
    reset: through(segment({ seq: 1000, flags: RST })),
    blindReset: through(segment({ seq: 1200, flags: RST })),
    fin: through(segment({ seq: 1500, flags: ACK | FIN })),
    zeroWindow: through(segment({ seq: 1500, flags: ACK, window: 0 })),
    expired: ((): unknown => {
      guard.open(CLIENT, { ...flow, until: 1n });
      return through(segment({ seq: 1500, flags: ACK }));
    })(),
  };
  const fd = importConnection(plan({ ...SNAPSHOT, timestamps: null }));
  const before = sent();
  // Not in repair mode: it says FIN, and goes on saying so.
  const { libc } = await import('../../harness/linux/libc.js');
  libc().close(fd);
  const escaped = sent() - before;
  guard.forget(CLIENT);
  const entries = guard.size;
  guard.close();
  const left = run('tc', 'qdisc', 'show', 'dev', 'link');
  return { attached, ...seen, escaped, entries, left };
}

const wanted = process.argv[2] === 'guard';
process.stdout.write(`${JSON.stringify(wanted ? await guarded() : connections())}\n`);
