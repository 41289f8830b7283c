/** Frames: what is built is read back, and any bytes at all give a value or a named error. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import t from 'tap';
import {
  buildArpFrame,
  buildIpv4Frame,
  buildTcpFrame,
  buildUdpFrame,
  EtherType,
  type FrameView,
  findTcpOption,
  parseFrame,
  parseTcpOptions,
  TcpFlag,
} from '../../reference-impl/wire/index.js';
import { arpFields, ethernetFields, ipv4Fields, tcpFields, udpFields } from './arbitraries.js';
import { holds } from './property.js';

const ethernet = { dst: 0x025052000001, src: 0x025052000102 };
const ipv4 = { src: 0xc6120102, dst: 0xc6120050 };
const tcp = { srcPort: 40000, dstPort: 80, seq: 1000, ack: 2000, flags: TcpFlag.ACK, window: 512 };

function parsed(bytes: Uint8Array): FrameView {
  const result = parseFrame(bytes);
  if (!result.ok) throw new Error(result.error.detail);
  return result.value;
}

function withoutOptions<T extends { options: unknown }>({ options, ...rest }: T): Omit<T, 'options'> {
  return rest;
}

/** Reads everything there is to read. */
function readAll(frame: FrameView): unknown[] {
  const values: unknown[] = [];
  for (const view of [frame.ethernet, frame.arp, frame.ipv4, frame.tcp, frame.udp]) {
    if (!view) continue;
    const getters = Object.entries(Object.getOwnPropertyDescriptors(Object.getPrototypeOf(view)));
    for (const [name, { get }] of getters) if (get) values.push(name, get.call(view));
  }
  if (frame.ipv4) {
    values.push(frame.ipv4.checksumValid(), frame.tcp?.checksumValid(frame.ipv4), frame.udp?.checksumValid(frame.ipv4));
  }
  return values;
}

t.test('TCP round trip', async (t) => {
  holds(
    t,
    fc.property(ethernetFields, ipv4Fields, tcpFields, (ethernet, ipv4, tcp) => {
      const frame = parsed(buildTcpFrame({ ethernet, ipv4, tcp }));
      assert.deepEqual({ dst: frame.ethernet.dst, src: frame.ethernet.src }, ethernet);
      assert.equal(frame.ethernet.etherType, EtherType.IPV4);
      if (!frame.ipv4 || !frame.tcp) throw new Error('layers are missing');
      const { src, dst, ttl, id, dontFragment, tos, options } = frame.ipv4;
      assert.deepEqual({ src, dst, ttl, id, dontFragment, tos, options }, ipv4);
      const { srcPort, dstPort, seq, ack, flags, window, urgentPointer, payload } = frame.tcp;
      assert.deepEqual({ srcPort, dstPort, seq, ack, flags, window, urgentPointer, payload }, withoutOptions(tcp));
      assert.deepEqual(frame.tcp.options.slice(0, tcp.options.length), tcp.options);
      assert.ok(frame.tcp.options.slice(tcp.options.length).every(({ kind }) => kind === 'end'));
      assert.ok(frame.ipv4.checksumValid());
      assert.ok(frame.tcp.checksumValid(frame.ipv4));
      assert.equal(frame.tcp.payloadLength, tcp.payload.length);
    }),
    300,
  );
});

t.test('UDP round trip', async (t) => {
  holds(
    t,
    fc.property(ethernetFields, ipv4Fields, udpFields, (ethernet, ipv4, udp) => {
      const frame = parsed(buildUdpFrame({ ethernet, ipv4, udp }));
      if (!frame.ipv4 || !frame.udp) throw new Error('layers are missing');
      const { srcPort, dstPort, payload } = frame.udp;
      assert.deepEqual({ srcPort, dstPort, payload }, udp);
      assert.notEqual(frame.udp.checksum, 0);
      assert.ok(frame.udp.checksumValid(frame.ipv4));
    }),
  );
});

t.test('ARP round trip', async (t) => {
  holds(
    t,
    fc.property(ethernetFields, arpFields, (ethernet, fields) => {
      const { arp } = parsed(buildArpFrame({ ethernet, arp: fields }));
      if (!arp) throw new Error('no ARP');
      const { operation, senderMac, senderIp, targetMac, targetIp } = arp;
      assert.deepEqual({ operation, senderMac, senderIp, targetMac, targetIp }, fields);
    }),
  );
});

t.test('any bytes give a value or a named error', async (t) => {
  holds(
    t,
    fc.property(fc.uint8Array({ maxLength: 120 }), (bytes) => {
      const result = parseFrame(bytes);
      if (result.ok) readAll(result.value);
    }),
  );
});

t.test('so does a frame with bytes changed, cut off or added', async (t) => {
  const changes = fc.array(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 })), { maxLength: 6 });
  holds(
    t,
    fc.property(
      ethernetFields,
      ipv4Fields,
      tcpFields,
      changes,
      fc.integer({ min: -120, max: 20 }),
      (ethernet, ipv4, tcp, changes, extra) => {
        const built = buildTcpFrame({ ethernet, ipv4, tcp });
        for (const [at, value] of changes) built[at % built.length] = value;
        const bytes = new Uint8Array(Math.max(0, built.length + extra));
        bytes.set(built.subarray(0, bytes.length));
        const result = parseFrame(bytes);
        if (result.ok) readAll(result.value);
      },
    ),
    1000,
  );
});

t.test('any bytes are TCP options', async (t) => {
  holds(
    t,
    fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => Array.isArray(parseTcpOptions(bytes))),
  );
});

t.test('Ethernet padding is no payload', async (t) => {
  const built = buildTcpFrame({ ethernet, ipv4, tcp: { ...tcp, payload: Uint8Array.of(7) } });
  const padded = new Uint8Array(60).fill(0xee);
  padded.set(built);
  const frame = parsed(padded);
  t.strictSame(frame.tcp?.payload, Uint8Array.of(7));
  t.equal(frame.ipv4?.payloadEnd, built.length);
  t.equal(frame.ipv4 && frame.tcp?.checksumValid(frame.ipv4), true);
});

t.test('a capture cut short keeps the lengths on the wire', async (t) => {
  const built = buildTcpFrame({
    ethernet,
    ipv4,
    tcp: { ...tcp, flags: TcpFlag.ACK | TcpFlag.FIN, payload: new Uint8Array(100) },
  });
  const frame = parsed(built.subarray(0, 14 + 20 + 20 + 10));
  t.equal(frame.ipv4?.truncated, true);
  t.equal(frame.tcp?.payloadLength, 100);
  t.equal(frame.tcp?.payload.length, 10);
  t.equal(frame.tcp?.segmentLength, 101);
  t.equal(frame.tcp?.complete, false);
  t.equal(frame.ipv4 && frame.tcp?.checksumValid(frame.ipv4), false);
});

t.test('segment length counts SYN and FIN', async (t) => {
  const length = (flags: number) =>
    parsed(buildTcpFrame({ ethernet, ipv4, tcp: { ...tcp, flags, payload: new Uint8Array(5) } })).tcp?.segmentLength;
  t.equal(length(TcpFlag.ACK), 5);
  t.equal(length(TcpFlag.SYN), 6);
  t.equal(length(TcpFlag.FIN | TcpFlag.ACK), 6);
});

t.test('fragments', async (t) => {
  const segment = buildTcpFrame({ ethernet, ipv4, tcp: { ...tcp, payload: new Uint8Array(44) } }).subarray(34);
  const fragment = (fragmentOffset: number, moreFragments: boolean, payload: Uint8Array) =>
    parsed(buildIpv4Frame({ ethernet, ipv4: { ...ipv4, protocol: 6, fragmentOffset, moreFragments }, payload }));
  const first = fragment(0, true, segment.subarray(0, 32));
  t.equal(first.ipv4?.isFragment, true);
  t.equal(first.ipv4?.dontFragment, false);
  t.equal(first.tcp?.srcPort, 40000, 'the first one has the header');
  t.equal(first.ipv4 && first.tcp?.checksumValid(first.ipv4), false, 'but no checksum of its own');
  const last = fragment(32, false, segment.subarray(32));
  t.equal(last.ipv4?.isFragment, true);
  t.equal(last.ipv4?.fragmentOffset, 32);
  t.equal(last.tcp, undefined);
  t.equal(last.error, undefined);
  t.equal(fragment(0, true, segment.subarray(0, 16)).error?.reason, 'length', 'too small for the header');
});

t.test('VLAN tags', async (t) => {
  const built = buildTcpFrame({ ethernet, ipv4, tcp });
  const tags = Uint8Array.of(0x88, 0xa8, 0x00, 0x02, 0x81, 0x00, 0x20, 0x03);
  const frame = parsed(Uint8Array.of(...built.subarray(0, 12), ...tags, ...built.subarray(12)));
  t.strictSame(frame.ethernet.vlanTags, [2, 0x2003]);
  t.equal(frame.tcp?.dstPort, 80);
  t.strictSame(parsed(built).ethernet.vlanTags, []);
});

t.test('errors have names', async (t) => {
  const tcpFrame = buildTcpFrame({ ethernet, ipv4, tcp });
  const udpFrame = buildUdpFrame({ ethernet, ipv4, udp: { srcPort: 1, dstPort: 2, payload: new Uint8Array(4) } });
  const arpFrame = buildArpFrame({
    ethernet,
    arp: { operation: 1, senderMac: 1, senderIp: 2, targetMac: 3, targetIp: 4 },
  });
  const changed = (bytes: Uint8Array, at: number, value: number) => bytes.slice().fill(value, at, at + 1);
  const cases: [string, Uint8Array, string, string][] = [
    ['an empty frame', new Uint8Array(0), 'ethernet', 'truncated'],
    ['a VLAN tag cut', changed(tcpFrame, 12, 0x81).fill(0, 13, 14).subarray(0, 16), 'ethernet', 'truncated'],
    ['an ARP packet cut', arpFrame.subarray(0, 41), 'arp', 'truncated'],
    ['ARP for another hardware', changed(arpFrame, 15, 6), 'arp', 'address-type'],
    ['ARP for another protocol', changed(arpFrame, 17, 6), 'arp', 'address-type'],
    ['an IPv4 header cut', tcpFrame.subarray(0, 33), 'ipv4', 'truncated'],
    ['another IP version', changed(tcpFrame, 14, 0x65), 'ipv4', 'version'],
    ['an IPv4 header length of 4', changed(tcpFrame, 14, 0x41), 'ipv4', 'header-length'],
    ['an IPv4 total length of 19', changed(tcpFrame, 17, 19), 'ipv4', 'length'],
    ['IPv4 options cut', changed(tcpFrame, 14, 0x4f).fill(1, 16, 17).subarray(0, 60), 'ipv4', 'truncated'],
    ['a TCP header cut', tcpFrame.subarray(0, 53), 'tcp', 'truncated'],
    ['a TCP header of 16 bytes', changed(tcpFrame, 46, 0x40), 'tcp', 'header-length'],
    ['a TCP header longer than the segment', changed(tcpFrame, 46, 0x60), 'tcp', 'header-length'],
    ['a segment shorter than its header', changed(tcpFrame, 17, 39), 'tcp', 'length'],
    ['a UDP header cut', udpFrame.subarray(0, 41), 'udp', 'truncated'],
    ['a UDP length of 7', changed(udpFrame, 39, 7), 'udp', 'length'],
    ['a UDP length behind the packet', changed(udpFrame, 39, 13), 'udp', 'length'],
  ];
  for (const [name, bytes, layer, reason] of cases) {
    const result = parseFrame(bytes);
    t.match(result.ok ? result.value.error : result.error, { layer, reason }, name);
  }
});

t.test('malformed options end the decoding or stand for themselves', async (t) => {
  t.strictSame(parseTcpOptions(Uint8Array.of(2, 3, 5, 1)), [
    { kind: 'malformed', bytes: Uint8Array.of(2, 3, 5) },
    { kind: 'nop' },
  ]);
  t.strictSame(parseTcpOptions(Uint8Array.of(1, 8, 10, 0)), [
    { kind: 'nop' },
    { kind: 'malformed', bytes: Uint8Array.of(8, 10, 0) },
  ]);
  t.strictSame(parseTcpOptions(Uint8Array.of(4, 0, 1, 1)), [{ kind: 'malformed', bytes: Uint8Array.of(4, 0, 1, 1) }]);
  t.strictSame(parseTcpOptions(Uint8Array.of(1, 1, 1, 3)), [
    { kind: 'nop' },
    { kind: 'nop' },
    { kind: 'nop' },
    { kind: 'malformed', bytes: Uint8Array.of(3) },
  ]);
  t.strictSame(parseTcpOptions(Uint8Array.of(5, 2, 0, 9)), [
    { kind: 'malformed', bytes: Uint8Array.of(5, 2) },
    { kind: 'end' },
  ]);
});

t.test('finding an option', async (t) => {
  const options = parseTcpOptions(Uint8Array.of(2, 4, 5, 180, 1, 3, 3, 7));
  t.equal(findTcpOption(options, 'mss')?.value, 1460);
  t.equal(findTcpOption(options, 'window-scale')?.shift, 7);
  t.equal(findTcpOption(options, 'timestamps'), undefined);
});

t.test('what has no room cannot be built', async (t) => {
  const build = (ip: object, tcpFields: object) => () =>
    buildTcpFrame({ ethernet, ipv4: { ...ipv4, ...ip }, tcp: { ...tcp, ...tcpFields } });
  t.throws(build({ options: new Uint8Array(41) }, {}), RangeError);
  t.throws(build({}, { options: Array(41).fill({ kind: 'nop' }) }), RangeError);
  t.throws(build({}, { payload: new Uint8Array(65535) }), RangeError);
  t.throws(
    () => buildIpv4Frame({ ethernet, ipv4: { ...ipv4, protocol: 6, fragmentOffset: 4 }, payload: new Uint8Array(0) }),
    RangeError,
  );
});
