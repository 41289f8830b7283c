/**
 * In a network namespace of its own: connections are made by TCP_REPAIR, refused, looked into and closed. Prints what was seen, as JSON.
 * `guard`: the guard stands at the interface too, and is given frames. `wire`: it stands between a connection and its client.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { libc, setOffloads } from '../../harness/linux/libc.js';
import { interfaceIndex, PacketSocket } from '../../harness/linux/packet-socket.js';
import { Guard, guardObject } from '../../kernel/backend/guard.js';
import {
  closeSilently,
  exportConnection,
  importConnection,
  probeRepair,
  promptSegment,
  unacknowledged,
} from '../../kernel/backend/repair.js';
import { widenDefaultRoute } from '../../kernel/backend/route.js';
import { TestRun } from '../../kernel/bpf/test-run.js';
import type { ConnectionSnapshot } from '../../reference-impl/control/messages.js';
import { buildTcpFrame } from '../../reference-impl/wire/build.js';
import { parseFrame } from '../../reference-impl/wire/frame.js';
import { seqAdd, seqDiff } from '../../reference-impl/wire/seq.js';
import { findTcpOption } from '../../reference-impl/wire/tcp.js';

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

run('ip', 'link', 'add', 'name', 'link', 'address', '02:50:52:00:10:02', 'type', 'veth', 'peer', 'name', 'far');
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
  widenDefaultRoute('link', 64);
  // As after a process that was killed.
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
  // One of a process that was killed stands there.
  new Guard(await guardObject(), LOCAL).attach('link');
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
  guard.forget(CLIENT);
  const entries = guard.size;
  const small = new Guard(await guardObject(), LOCAL, 1);
  small.open(CLIENT, flow, { taken: 1, echoed: 0 });
  const full = refusal(() => small.open({ ...CLIENT, port: 40_001 }, flow, { taken: 1, echoed: 0 }));
  const fullEntries = small.size;
  small.close();
  guard.close();
  const left = run('tc', 'qdisc', 'show', 'dev', 'link');
  return { attached, ...seen, entries, full, fullEntries, left };
}

/** What the far end sees while a connection of this end is spoken to. */
async function onTheWire() {
  setOffloads('link', false);
  const guard = new Guard(await guardObject(), LOCAL);
  guard.attach('link');
  const far = new PacketSocket({ interfaceName: 'far', outgoing: false, slots: 64 });
  const { seq, ack } = SNAPSHOT;
  const flow = { limit: ack + 10, acknowledged: seq, receiving: false, zeroWindow: false, until: null };
  guard.open(CLIENT, flow, { taken: ack, echoed: 77 });
  const fd = importConnection(plan(SNAPSHOT));

  const seen = async () => {
    await new Promise((wake) => setTimeout(wake, 100));
    const segments: object[] = [];
    far.receive(64, ({ bytes }) => {
      const parsed = parseFrame(bytes);
      const { tcp, ipv4 } = parsed.ok ? parsed.value : {};
      if (tcp === undefined || ipv4 === undefined) return;
      const echo = findTcpOption(tcp.options, 'timestamps')?.echo;
      const sack = findTcpOption(tcp.options, 'sack') !== undefined;
      const { payloadLength: length, window } = tcp;
      const place = { seq: seqDiff(tcp.seq, seq), ack: seqDiff(tcp.ack, ack) };
      segments.push({ ...place, length, window: window > 0, echo, sack, valid: tcp.checksumValid(ipv4) });
    });
    return segments;
  };
  const say = (place: number, size: number, value: number): void =>
    far.send(
      buildTcpFrame({
        ...MACS,
        ipv4: { src: CLIENT.ip, dst: LOCAL.ip },
        tcp: {
          srcPort: CLIENT.port,
          dstPort: 80,
          seq: ack + place,
          ack: seqAdd(seq, 5),
          flags: 0x10,
          window: 500,
          options: [{ kind: 'nop' }, { kind: 'nop' }, { kind: 'timestamps', value, echo: 0 }],
          payload: new Uint8Array(size).fill(98),
        },
      }),
    );

  guard.open(CLIENT, { ...flow, zeroWindow: true });
  libc().send(fd, Buffer.from('hello'), 5, 0);
  const first = await seen();
  guard.open(CLIENT, flow);
  say(0, 30, 500);
  const beyond = await seen();
  say(100, 20, 501);
  const disordered = await seen();
  const spoken = guard.spoken(CLIENT);
  guard.open(CLIENT, { ...flow, limit: ack + 200 });
  say(140, 20, 502);
  const within = await seen();
  promptSegment(fd);
  const probe = await seen();
  guard.open(CLIENT, { ...flow, receiving: true, acknowledged: seqAdd(seq, 5) });
  promptSegment(fd);
  const prompted = await seen();
  const before = sent();
  // Not in repair mode, and with bytes that nobody has read: it says RST.
  libc().close(fd);
  const reset = sent() - before;
  const again = importConnection(plan({ ...SNAPSHOT, timestamps: null }));
  libc().close(again);
  // It says FIN, and goes on saying so.
  const finished = sent() - before;
  await new Promise((wake) => setTimeout(wake, 300));
  const repeated = sent() - before;
  const other = { ...CLIENT, port: 40_005 };
  guard.open(other, flow, { taken: ack, echoed: 77 });
  importConnection(plan(SNAPSHOT, other));
  run('ss', '-K', '-t', 'state', 'established');
  const destroyed = sent() - before;
  far.close();
  guard.close();
  return { first, beyond, disordered, spoken, within, probe, prompted, reset, finished, repeated, destroyed };
}

const wanted = { guard: guarded, wire: onTheWire }[process.argv[2] ?? ''] ?? connections;
process.stdout.write(`${JSON.stringify(await wanted())}\n`);
process.exit(0);
