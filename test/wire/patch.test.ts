/** Patches: the same as building the changed frame anew; corrupt checksums stay corrupt by the same difference. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import t from 'tap';
import {
  buildArpFrame,
  buildTcpFrame,
  buildUdpFrame,
  checksum,
  clearTcpFlags,
  copyFrame,
  decrementTtl,
  type FrameView,
  IpProtocol,
  parseFrame,
  pseudoHeaderSum,
  readU16,
  setEthernetAddresses,
  setIpv4Destination,
  setIpv4Source,
  setTcpWindow,
  TcpFlag,
  writeU16,
} from '../../reference-impl/wire/index.js';
import { ethernetFields, ipv4Fields, tcpFields, u16, u32, udpFields } from './arbitraries.js';
import { holds } from './property.js';

function parsed(bytes: Uint8Array): FrameView {
  const result = parseFrame(bytes);
  if (!result.ok) throw new Error(result.error.detail);
  return result.value;
}

const changes = fc.record({
  ethernet: ethernetFields,
  src: u32,
  dst: u32,
  window: u16,
  mask: fc.constantFrom(1, 2, 4, 8, 16, 255),
});

function patchAll(
  frame: FrameView,
  change: { ethernet: { dst: number; src: number }; src: number; dst: number; window: number; mask: number },
): void {
  setEthernetAddresses(frame, change.ethernet);
  setIpv4Source(frame, change.src);
  setIpv4Destination(frame, change.dst);
  decrementTtl(frame);
  setTcpWindow(frame, change.window);
  clearTcpFlags(frame, change.mask);
}

t.test('a patched segment is the segment built with the new values', async (t) => {
  holds(
    t,
    fc.property(ethernetFields, ipv4Fields, tcpFields, changes, (ethernet, ipv4, tcp, change) => {
      const frame = parsed(buildTcpFrame({ ethernet, ipv4, tcp }));
      patchAll(frame, change);
      const { src, dst } = change;
      const rebuilt = buildTcpFrame({
        ethernet: change.ethernet,
        ipv4: { ...ipv4, src, dst, ttl: Math.max(0, ipv4.ttl - 1) },
        tcp: { ...tcp, window: change.window, flags: tcp.flags & ~change.mask },
      });
      assert.equal(Buffer.compare(frame.bytes, rebuilt), 0);
    }),
    2000,
  );
});

t.test('so is a patched datagram', async (t) => {
  holds(
    t,
    fc.property(ethernetFields, ipv4Fields, udpFields, changes, (ethernet, ipv4, udp, change) => {
      const frame = parsed(buildUdpFrame({ ethernet, ipv4, udp }));
      patchAll(frame, change);
      const { src, dst } = change;
      const rebuilt = buildUdpFrame({
        ethernet: change.ethernet,
        ipv4: { ...ipv4, src, dst, ttl: Math.max(0, ipv4.ttl - 1) },
        udp,
      });
      assert.equal(Buffer.compare(frame.bytes, rebuilt), 0);
    }),
    1000,
  );
});

/** How far a checksum is from the right one, in the arithmetic of checksums, where 0 and 0xffff are one number. */
function error(actual: number, right: number): number {
  return (((actual - right) % 0xffff) + 0xffff) % 0xffff;
}

t.test('a corrupt checksum stays corrupt by the same difference', async (t) => {
  holds(
    t,
    fc.property(
      ethernetFields,
      ipv4Fields,
      tcpFields,
      changes,
      u16,
      u16,
      (ethernet, ipv4, tcp, change, ipWrong, tcpWrong) => {
        const right = parsed(buildTcpFrame({ ethernet, ipv4, tcp }));
        const wrong = copyFrame(right);
        if (!right.ipv4 || !right.tcp || !wrong.ipv4 || !wrong.tcp) throw new Error('layers are missing');
        writeU16(wrong.bytes, wrong.ipv4.offset + 10, ipWrong);
        writeU16(wrong.bytes, wrong.tcp.offset + 16, tcpWrong);
        const ipError = error(ipWrong, right.ipv4.checksum);
        const tcpError = error(tcpWrong, right.tcp.checksum);
        assert.equal(wrong.ipv4.checksumValid(), ipError === 0);
        assert.equal(wrong.tcp.checksumValid(wrong.ipv4), tcpError === 0);
        patchAll(right, change);
        patchAll(wrong, change);
        assert.equal(error(wrong.ipv4.checksum, right.ipv4.checksum), ipError);
        assert.equal(error(wrong.tcp.checksum, right.tcp.checksum), tcpError);
        assert.equal(wrong.ipv4.checksumValid(), ipError === 0);
        assert.equal(wrong.tcp.checksumValid(wrong.ipv4), tcpError === 0);
      },
    ),
    1000,
  );
});

const ethernet = { dst: 1, src: 2 };
const ipv4 = { src: 0x0a000001, dst: 0x0a000002 };

t.test('a UDP datagram without checksum stays without', async (t) => {
  const frame = parsed(buildUdpFrame({ ethernet, ipv4, udp: { srcPort: 1, dstPort: 2 } }));
  if (!frame.udp || !frame.ipv4) throw new Error('layers are missing');
  writeU16(frame.bytes, frame.udp.offset + 6, 0);
  setIpv4Source(frame, 0x0b000001);
  t.equal(frame.udp.checksum, 0);
  t.ok(frame.udp.checksumValid(frame.ipv4));
  t.ok(frame.ipv4.checksumValid());
});

t.test('a UDP checksum that becomes 0 is sent as 0xffff', async (t) => {
  const frame = parsed(buildUdpFrame({ ethernet, ipv4, udp: { srcPort: 1, dstPort: 2 } }));
  if (!frame.udp || !frame.ipv4) throw new Error('layers are missing');
  // Moves what is left of the checksum into the low half of the source address.
  setIpv4Source(frame, 0x0a000000 + 1 + frame.udp.checksum);
  t.equal(frame.udp.checksum, 0xffff);
  t.ok(frame.udp.checksumValid(frame.ipv4));
});

t.test('a copy leaves the original alone', async (t) => {
  const original = buildTcpFrame({
    ethernet,
    ipv4,
    tcp: { srcPort: 1, dstPort: 2, seq: 3, flags: TcpFlag.FIN, window: 9 },
  });
  const before = original.slice();
  const copy = copyFrame(parsed(original));
  clearTcpFlags(copy, TcpFlag.FIN);
  setTcpWindow(copy, 0);
  setIpv4Destination(copy, 7);
  t.strictSame(original, before);
  t.equal(copy.tcp?.fin, false);
  t.equal(copy.tcp?.window, 0);
  t.equal(copy.ipv4?.dst, 7);
});

t.test('nothing happens without the layer', async (t) => {
  const arp = buildArpFrame({ ethernet, arp: { operation: 1, senderMac: 1, senderIp: 2, targetMac: 3, targetIp: 4 } });
  const before = arp.slice();
  const frame = parsed(arp);
  setIpv4Source(frame, 9);
  setIpv4Destination(frame, 9);
  decrementTtl(frame);
  setTcpWindow(frame, 9);
  clearTcpFlags(frame, 255);
  t.strictSame(arp, before);
});

t.test('a TTL of zero stays', async (t) => {
  const bytes = buildUdpFrame({ ethernet, ipv4: { ...ipv4, ttl: 0 }, udp: { srcPort: 1, dstPort: 2 } });
  const checksum = readU16(bytes, 24);
  decrementTtl(parsed(bytes));
  t.equal(bytes[22], 0);
  t.equal(readU16(bytes, 24), checksum);
});

t.test('a checksum that is left to be completed is completed to the right one afterwards', async (t) => {
  holds(
    t,
    fc.property(ethernetFields, ipv4Fields, tcpFields, changes, (ethernet, ipv4, tcp, change) => {
      const frame = parsed(buildTcpFrame({ ethernet, ipv4, tcp }));
      const { ipv4: ip, tcp: segment } = frame;
      if (!ip || !segment) throw new Error('no segment');
      const length = segment.length;
      // CHECKSUM_PARTIAL: the field holds the pseudo-header's sum until a card sums the segment, this field included.
      writeU16(frame.bytes, segment.offset + 16, pseudoHeaderSum(ip.src, ip.dst, IpProtocol.TCP, length));
      setIpv4Source(frame, change.src, true);
      setIpv4Destination(frame, change.dst, true);
      setTcpWindow(frame, change.window, true);
      clearTcpFlags(frame, change.mask, true);
      writeU16(frame.bytes, segment.offset + 16, checksum(frame.bytes, segment.offset, segment.offset + length));
      assert.ok(segment.checksumValid(ip));
    }),
  );
});
