/** What the switch makes of frames: SWT-1 to SWT-8 and SWT-10. */
import fc from 'fast-check';
import t from 'tap';
import { initSwitch, stepSwitch } from '../../reference-impl/switch/switch.js';
import {
  buildArpFrame,
  buildIpv4Frame,
  buildTcpFrame,
  buildUdpFrame,
  clearTcpFlags,
  copyFrame,
  decrementTtl,
  type FrameView,
  setEthernetAddresses,
  setIpv4Destination,
  setIpv4Source,
  setTcpWindow,
  TcpFlag,
  updateChecksum32,
  writeU16,
} from '../../reference-impl/wire/index.js';
import { tcpFields, u8 } from '../wire/arbitraries.js';
import { holds } from '../wire/property.js';
import {
  BACKENDS,
  Bench,
  CLIENT,
  CONTROLLER,
  config,
  eventsOf,
  fromBackend,
  fromClient,
  ip,
  LOGICAL,
  MAC,
  rule,
  view,
} from './fixture.js';

function withRule(changes: ConstructorParameters<typeof Bench>[0] = {}): Bench {
  const bench = new Bench(changes);
  bench.add(rule());
  return bench;
}

function valid({ ipv4, tcp }: FrameView): boolean {
  return ipv4 !== undefined && tcp !== undefined && ipv4.checksumValid() && tcp.checksumValid(ipv4);
}

t.test('SWT-1: a matching client segment goes to the backend', async (t) => {
  const out = withRule().frame('client', fromClient({ payload: Buffer.from('GET') }));
  t.equal(out?.port, 'backend0');
  t.equal(out?.frame.ethernet.dst, MAC.backend0);
  t.equal(out?.frame.ethernet.src, MAC.fabric);
  t.equal(out?.frame.ipv4?.dst, ip(BACKENDS[0]));
  t.equal(out?.frame.ipv4?.src, ip(CLIENT));
  t.equal(out?.frame.ipv4?.ttl, 63);
  t.ok(out && valid(out.frame));
});

t.test('SWT-2: the backend answers as the logical address', async (t) => {
  const out = withRule().frame('backend0', fromBackend(0, { payload: Buffer.from('200') }));
  t.equal(out?.port, 'client');
  t.equal(out?.frame.ethernet.dst, MAC.client);
  t.equal(out?.frame.ethernet.src, MAC.fabric);
  t.equal(out?.frame.ipv4?.src, ip(LOGICAL));
  t.equal(out?.frame.ipv4?.dst, ip(CLIENT));
  t.equal(out?.frame.ipv4?.ttl, 63);
  t.ok(out && valid(out.frame));
});

t.test('SWT-3: without a rule, the default table, unchanged above layer 2 but for the TTL', async (t) => {
  const udp = buildUdpFrame({
    ethernet: { dst: MAC.fabric, src: MAC.client },
    ipv4: { src: ip(CLIENT), dst: ip(BACKENDS[1]) },
    udp: { srcPort: 40000, dstPort: 80, payload: Buffer.from('x') },
  });
  const cases: [string, Uint8Array, string, number][] = [
    ['client', fromClient(), 'controller', MAC.controller],
    ['client', fromClient({}, { dst: ip(CONTROLLER) }), 'controller', MAC.controller],
    ['client', fromClient({}, { dst: ip(BACKENDS[1]) }), 'backend1', MAC.backend1],
    ['backend0', fromBackend(), 'client', MAC.client],
    ['controller', fromClient({}, { src: ip(LOGICAL), dst: ip(CLIENT) }), 'client', MAC.client],
    ['client', udp, 'backend1', MAC.backend1],
  ];
  for (const [from, bytes, to, dst] of cases) {
    const out = new Bench().frame(from, bytes);
    const expected = copyFrame(view(bytes));
    setEthernetAddresses(expected, { dst, src: MAC.fabric });
    decrementTtl(expected);
    t.equal(out?.port, to);
    t.strictSame(out?.frame.bytes, expected.bytes);
    t.equal(out?.frame.ipv4?.checksumValid(), true);
  }
});

t.test('SWT-3: the longest prefix wins, in whatever order the table was given', async (t) => {
  const routes = [{ prefix: 0, length: 0, port: 'backend1', nextHop: ip(BACKENDS[1]) }, ...config.routes];
  for (const order of [routes, routes.toReversed()]) {
    const bench = new Bench({ routes: order });
    t.equal(bench.frame('client', fromClient())?.port, 'controller');
    t.equal(bench.frame('client', fromClient({}, { dst: ip('203.0.113.9') }))?.port, 'backend1');
  }
});

t.test('SWT-4, SWT-5: nothing else changes, and a corrupt segment stays corrupt', async (t) => {
  holds(
    t,
    fc.property(
      tcpFields,
      u8,
      fc.uint8Array({ maxLength: 12 }),
      fc.boolean(),
      fc.nat(0xfffe),
      (tcp, tos, options, toBackend, error) => {
        const bench = withRule();
        const ipv4 = { tos, ttl: 17, id: 4711, options };
        const ports = toBackend ? { srcPort: 40000, dstPort: 80 } : { srcPort: 80, dstPort: 40000 };
        const bytes = toBackend ? fromClient({ ...tcp, ...ports }, ipv4) : fromBackend(0, { ...tcp, ...ports }, ipv4);
        const given = view(bytes);
        if (given.tcp) writeU16(bytes, given.tcp.offset + 16, (given.tcp.checksum + error) % 0xffff);
        const corrupt = !valid(given);
        const expected = copyFrame(given);
        setEthernetAddresses(expected, { dst: toBackend ? MAC.backend0 : MAC.client, src: MAC.fabric });
        decrementTtl(expected);
        if (toBackend) {
          setIpv4Destination(expected, ip(BACKENDS[0]));
          clearTcpFlags(expected, TcpFlag.FIN);
        } else {
          setIpv4Source(expected, ip(LOGICAL));
          setTcpWindow(expected, 0);
        }
        const out = bench.frame(toBackend ? 'client' : 'backend0', bytes);
        return (
          out !== undefined && Buffer.compare(out.frame.bytes, expected.bytes) === 0 && valid(out.frame) === !corrupt
        );
      },
    ),
    500,
  );
});

t.test('SWT-6: the window towards the client is zero for a read, kept for a write', async (t) => {
  const window = (bench: Bench) => bench.frame('backend0', fromBackend())?.frame.tcp?.window;
  t.equal(window(withRule()), 0);
  const write = new Bench();
  write.add(rule(40000, 0, { zeroWindow: false }));
  t.equal(window(write), 512);
  t.equal(window(withRule({ without: ['window-closing'] })), 512, 'the remedy can be switched off');
  t.equal(withRule().frame('client', fromClient())?.frame.tcp?.window, 512, "the client's own window is kept");
});

t.test("SWT-7: the client's FIN is cleared, the backend's is kept", async (t) => {
  const fin = { flags: TcpFlag.FIN | TcpFlag.ACK | TcpFlag.PSH };
  const flags = (bench: Bench) => bench.frame('client', fromClient(fin))?.frame.tcp?.flags;
  t.equal(flags(withRule()), TcpFlag.ACK | TcpFlag.PSH);
  const keeping = new Bench();
  keeping.add(rule(40000, 0, { clearFin: false }));
  t.equal(flags(keeping), fin.flags);
  t.equal(flags(withRule({ without: ['fin-suppression'] })), fin.flags, 'the remedy can be switched off');
  t.equal(withRule().frame('backend0', fromBackend(0, fin))?.frame.tcp?.flags, fin.flags);
});

t.test('SWT-8: a rule touches its own connection only', async (t) => {
  const bench = withRule();
  bench.add(rule(40001, 1));
  t.equal(bench.frame('client', fromClient({ srcPort: 40001 }))?.port, 'backend1');
  t.equal(bench.frame('client', fromClient())?.port, 'backend0');
  const untouched: [string, Uint8Array, string][] = [
    ['another client port', fromClient({ srcPort: 40002 }), 'controller'],
    ['another logical port', fromClient({ dstPort: 81 }), 'controller'],
    ['another client', fromClient({}, { src: ip('198.18.1.3') }), 'controller'],
    ["the backend's own address", fromClient({}, { dst: ip(BACKENDS[1]) }), 'backend1'],
  ];
  for (const [name, bytes, to] of untouched) {
    const out = bench.frame('client', bytes);
    t.equal(out?.port, to, name);
    t.equal(out?.frame.ipv4?.dst, view(bytes).ipv4?.dst, name);
  }
  const fromOther = bench.frame('backend1', fromBackend(1));
  t.equal(fromOther?.frame.ipv4?.src, ip(BACKENDS[1]), 'a backend that does not own the connection');
  const otherPort = bench.frame('backend0', fromBackend(0, { srcPort: 22 }));
  t.equal(otherPort?.frame.ipv4?.src, ip(BACKENDS[0]), 'another port of the backend');
});

t.test('SWT-10: a packet with IP options matches, a fragment never does', async (t) => {
  const bench = withRule();
  const withOptions = bench.frame('client', fromClient({}, { options: Uint8Array.of(148, 4, 0, 0) }));
  t.equal(withOptions?.port, 'backend0');
  t.ok(withOptions && valid(withOptions.frame));
  const segment = fromClient({ payload: new Uint8Array(24) }).subarray(34);
  const fragments = [
    { moreFragments: true, fragmentOffset: 0 },
    { moreFragments: true, fragmentOffset: 24 },
    { moreFragments: false, fragmentOffset: 24 },
  ];
  for (const fragment of fragments) {
    const ipv4 = { src: ip(CLIENT), dst: ip(LOGICAL), protocol: 6, ...fragment };
    const out = bench.frame(
      'client',
      buildIpv4Frame({ ethernet: { dst: MAC.fabric, src: MAC.client }, ipv4, payload: segment }),
    );
    t.equal(out?.port, 'controller');
    t.equal(out?.frame.ipv4?.dst, ip(LOGICAL));
  }
});

t.test('SWT-10: any bytes leave the rules alone and never crash the switch', async (t) => {
  const bench = withRule();
  const frames = fc.oneof(
    fc.uint8Array({ maxLength: 100 }),
    fc
      .tuple(
        fc.array(fc.tuple(fc.nat(), u8), { maxLength: 4 }),
        fc.nat(80),
        fc.constantFrom(fromClient(), fromBackend()),
      )
      .map(([changes, cut, frame]) => {
        const bytes = frame.slice(0, Math.max(0, frame.length - cut + 40));
        for (const [at, value] of changes) if (bytes.length > 6) bytes[6 + (at % (bytes.length - 6))] = value;
        return bytes;
      }),
  );
  holds(
    t,
    fc.property(frames, fc.constantFrom('client', 'backend0', 'nowhere'), (bytes, port) => {
      bench.step({ kind: 'frame', port, bytes });
      return bench.rules().length === 1;
    }),
    1000,
  );
});

t.test('what is dropped, and why', async (t) => {
  const toFabric = { dst: MAC.fabric, src: MAC.client };
  const badHeader = fromClient();
  writeU16(badHeader, 24, 0x1234);
  const tag = fromClient();
  const tagged = Uint8Array.of(...tag.subarray(0, 12), 0x81, 0, 0, 7, ...tag.subarray(12));
  const unknown = fromClient({}, { dst: ip('198.18.1.77') });
  const ipv6 = new Uint8Array(60);
  ipv6.set(fromClient().subarray(0, 12));
  writeU16(ipv6, 12, 0x86dd);
  const cases: [string, Uint8Array][] = [
    ['ttl', fromClient({}, { ttl: 1 })],
    ['ttl', fromClient({}, { ttl: 0 })],
    ['ipv4-checksum', badHeader],
    ['ipv4-truncated', fromClient({ payload: new Uint8Array(100) }).subarray(0, 100)],
    ['ethernet-truncated', fromClient().subarray(0, 13)],
    ['vlan-tag', tagged],
    ['not-ipv4', ipv6],
    ['no-route', fromClient({}, { dst: ip('203.0.113.9') })],
    ['own-address', fromClient({}, { dst: ip('198.18.2.1') })],
    ['unknown-neighbour', unknown],
    [
      'arp-truncated',
      buildArpFrame({
        ethernet: toFabric,
        arp: { operation: 1, senderMac: 1, senderIp: 2, targetMac: 3, targetIp: 4 },
      }).subarray(0, 40),
    ],
  ];
  for (const [reason, bytes] of cases) {
    const bench = withRule();
    t.match(bench.events('client', bytes), [{ action: 'SwitchDrop', reason, port: 'client', conn: null }], reason);
    t.equal(bench.state.counters.dropped, 1);
  }
});

t.test('frames for others are ignored', async (t) => {
  const bench = withRule();
  const frame = copyFrame(view(fromClient()));
  for (const dst of [MAC.backend0, 0xffffffffffff, 0x01005e000001]) {
    setEthernetAddresses(frame, { dst });
    t.strictSame(bench.step({ kind: 'frame', port: 'client', bytes: frame.bytes }), []);
  }
});

function arp(operation: number, senderMac: number, senderIp: string, targetIp: string): Uint8Array {
  return buildArpFrame({
    ethernet: { dst: 0xffffffffffff, src: senderMac },
    arp: { operation, senderMac, senderIp: ip(senderIp), targetMac: 0, targetIp: ip(targetIp) },
  });
}

t.test(
  'ARP: the gateway answers on its port, the logical address on every port that does not lead to it',
  async (t) => {
    const asked: [string, string, string, boolean][] = [
      ['client', CLIENT, '198.18.1.1', true],
      ['client', CLIENT, LOGICAL, true],
      ['backend0', BACKENDS[0], LOGICAL, true],
      ['controller', CONTROLLER, LOGICAL, false],
      ['controller', CONTROLLER, '198.18.2.1', true],
      ['client', CLIENT, '198.18.2.1', false],
      ['client', CLIENT, '198.18.1.9', false],
      ['client', '198.18.1.1', '198.18.1.1', false],
    ];
    for (const [port, sender, target, answered] of asked) {
      const out = new Bench().frame(port, arp(1, 0x020000000099, sender, target));
      t.equal(out !== undefined, answered, `${target} asked on ${port}`);
      if (!out) continue;
      t.equal(out.port, port);
      t.equal(out.frame.ethernet.dst, 0x020000000099);
      const { operation, senderMac, senderIp, targetMac, targetIp } = out.frame.arp ?? {};
      t.strictSame({ operation, senderMac, senderIp }, { operation: 2, senderMac: MAC.fabric, senderIp: ip(target) });
      t.strictSame({ targetMac, targetIp }, { targetMac: 0x020000000099, targetIp: ip(sender) });
    }
  },
);

t.test('ARP: an unknown next hop is asked for and then known', async (t) => {
  const bench = new Bench();
  const toNew = fromClient({}, { dst: ip('198.18.10.9') });
  const request = bench.frame('client', toNew);
  t.equal(request?.port, 'backend0');
  t.equal(request?.frame.arp?.operation, 1);
  t.equal(request?.frame.arp?.senderIp, ip('198.18.10.1'));
  t.equal(request?.frame.arp?.targetIp, ip('198.18.10.9'));
  const reply = buildArpFrame({
    ethernet: { dst: MAC.fabric, src: 0x020000000009 },
    arp: {
      operation: 2,
      senderMac: 0x020000000009,
      senderIp: ip('198.18.10.9'),
      targetMac: MAC.fabric,
      targetIp: ip('198.18.10.1'),
    },
  });
  t.equal(bench.frame('backend0', reply), undefined);
  t.equal(bench.frame('client', toNew)?.frame.ethernet.dst, 0x020000000009);
});

t.test('ARP: nobody takes over an address of another port or of the configuration', async (t) => {
  const bench = new Bench();
  bench.frame('client', arp(1, 0x020000000666, BACKENDS[0], '198.18.1.1'));
  bench.frame('backend0', arp(1, 0x020000000666, BACKENDS[0], '198.18.10.1'));
  bench.frame('client', arp(1, 0x020000000666, '198.18.1.1', '198.18.1.1'));
  bench.frame('client', arp(1, 0x020000000666, '0.0.0.0', '198.18.1.1'));
  t.strictSame([...bench.state.neighbours], [...new Bench().state.neighbours]);
});

t.test("SEC-1: who takes a backend's address at another port is not that backend", async (t) => {
  for (const port of ['client', 'controller', 'backend1']) {
    const out = withRule().frame(port, fromBackend(0, { payload: Buffer.from('forged') }));
    t.not(out?.frame.ipv4?.src, ip(LOGICAL), port);
  }
  t.equal(withRule().frame('backend0', fromBackend(0))?.frame.ipv4?.src, ip(LOGICAL));
});

t.test('rewriting towards a client that is not known yet asks for it', async (t) => {
  const bench = new Bench({ neighbours: [] });
  bench.add(rule());
  t.equal(bench.frame('client', fromClient())?.port, 'backend0', "the rule itself knows the backend's MAC");
  const outputs = bench.step({ kind: 'frame', port: 'backend0', bytes: fromBackend() });
  t.match(eventsOf(outputs), [{ action: 'SwitchDrop', reason: 'unknown-neighbour' }]);
  t.match(outputs[0], { kind: 'frame', port: 'client' });
});

t.test('a malformed TCP header goes by the default table', async (t) => {
  const bytes = buildTcpFrame({
    ethernet: { dst: MAC.fabric, src: MAC.client },
    ipv4: { src: ip(CLIENT), dst: ip(LOGICAL) },
    tcp: { srcPort: 40000, dstPort: 80, seq: 1, flags: TcpFlag.ACK, window: 1 },
  });
  bytes[46] = 0xf0;
  const out = withRule().frame('client', bytes);
  t.equal(out?.port, 'controller');
  t.equal(out?.frame.ipv4?.dst, ip(LOGICAL));
});

t.test('a super-segment goes on as unfinished as it came, its payload unseen', async (t) => {
  const whole = fromClient({ payload: new Uint8Array(40_000) });
  const head = whole.subarray(0, 74);
  const offload = { checksumPending: true, behind: whole.length - head.length };
  const initial = initSwitch(config);
  const added = stepSwitch(
    initial.state,
    { kind: 'control', peer: 'controller', message: { verb: 'add', id: '1', rule: rule() } },
    0,
  );
  const step = (behind: number) =>
    stepSwitch(added.state, { kind: 'frame', port: 'client', bytes: head, offload: { ...offload, behind } }, 0);
  const { outputs } = step(offload.behind);
  t.match(outputs, [{ kind: 'frame', port: 'backend0', offload }]);
  const [out] = outputs;
  if (out?.kind !== 'frame') throw new Error('no frame');
  const { ipv4, tcp } = view(out.bytes);
  t.equal(ipv4?.dst, ip(BACKENDS[0]));
  t.equal(out.bytes.length, head.length);
  const [src, dst] = [ip(CLIENT), ip(LOGICAL)];
  // Only the address changed the pending sum: by as much as it differs.
  const before = view(head).tcp?.checksum ?? 0;
  t.equal(tcp?.checksum, ~updateChecksum32(~before & 0xffff, dst, ip(BACKENDS[0])) & 0xffff);
  t.equal(ipv4?.src, src);
  t.match(
    step(offload.behind - 1).outputs,
    [{ kind: 'event', event: { reason: 'ipv4-truncated' } }],
    'shorter than it says',
  );
});
