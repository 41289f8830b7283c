/** The codecs against scapy, in both directions: what one side builds the other reads as the same fields with the same checksums. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import t, { type Test } from 'tap';
import {
  Scapy,
  type ScapyBuild,
  type ScapyDissection,
  ScapyMissing,
  type ScapyTcpOption,
} from '../../harness/scapy/bridge.js';
import {
  buildArpFrame,
  buildIpv4Frame,
  buildTcpFrame,
  buildUdpFrame,
  type FrameView,
  formatIpv4Address,
  formatMacAddress,
  parseFrame,
  type TcpOption,
  type TcpView,
  writeU16,
} from '../../reference-impl/wire/index.js';
import { arpFields, ethernetFields, ipv4Fields, tcpFields, tcpOptions, u8, u16, udpFields } from './arbitraries.js';

/** Packets in each direction. */
const PACKETS = 10_000;
const BATCH = 500;

const seed = Number(process.env.PRISM_SEED ?? Math.floor(Math.random() * 0x7fffffff));

function startScapy(): Scapy | string {
  try {
    return new Scapy();
  } catch (error) {
    if (error instanceof ScapyMissing) return error.message;
    throw error;
  }
}

function parsed(bytes: Uint8Array): FrameView {
  const result = parseFrame(bytes);
  if (!result.ok) throw new Error(result.error.detail);
  return result.value;
}

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

function describeOption(option: TcpOption): ScapyTcpOption {
  if (option.kind === 'unknown') return { kind: option.kind, code: option.code, data: hex(option.data) };
  if (option.kind === 'malformed') return { kind: option.kind, bytes: hex(option.bytes) };
  return option;
}

/** What we read in a frame, in scapy's terms. */
function describe(frame: FrameView): ScapyDissection {
  const { ethernet, arp, ipv4, tcp, udp } = frame;
  const { etherType, vlanTags } = ethernet;
  return {
    ethernet: { dst: formatMacAddress(ethernet.dst), src: formatMacAddress(ethernet.src), etherType, vlanTags },
    ...(arp && {
      arp: {
        operation: arp.operation,
        senderMac: formatMacAddress(arp.senderMac),
        senderIp: formatIpv4Address(arp.senderIp),
        targetMac: formatMacAddress(arp.targetMac),
        targetIp: formatIpv4Address(arp.targetIp),
      },
    }),
    ...(ipv4 && {
      ipv4: {
        version: 4,
        headerLength: ipv4.headerLength,
        tos: ipv4.tos,
        totalLength: ipv4.totalLength,
        id: ipv4.id,
        dontFragment: ipv4.dontFragment,
        moreFragments: ipv4.moreFragments,
        fragmentOffset: ipv4.fragmentOffset,
        ttl: ipv4.ttl,
        protocol: ipv4.protocol,
        checksum: ipv4.checksum,
        src: formatIpv4Address(ipv4.src),
        dst: formatIpv4Address(ipv4.dst),
        options: hex(ipv4.options),
        checksumValid: ipv4.checksumValid(),
      },
    }),
    ...(ipv4 &&
      tcp && {
        tcp: {
          srcPort: tcp.srcPort,
          dstPort: tcp.dstPort,
          seq: tcp.seq,
          ack: tcp.ack,
          headerLength: tcp.headerLength,
          flags: tcp.flags,
          window: tcp.window,
          checksum: tcp.checksum,
          urgentPointer: tcp.urgentPointer,
          options: tcp.options.map(describeOption),
          payload: hex(tcp.payload),
          checksumValid: tcp.complete && !ipv4.moreFragments ? tcp.checksumValid(ipv4) : null,
        },
      }),
    ...(ipv4 &&
      udp && {
        udp: {
          srcPort: udp.srcPort,
          dstPort: udp.dstPort,
          length: udp.length,
          checksum: udp.checksum,
          payload: hex(udp.payload),
          checksumValid: udp.checksum === 0 || (udp.complete && !ipv4.moreFragments ? udp.checksumValid(ipv4) : null),
        },
      }),
  };
}

/**
 * Options up to one whose length cannot be: there scapy goes on guessing, and hosts stop. Scapy reads 25 as a Pascal string
 * and 29 as a structure and loses bytes of them, so that only their codes can be compared.
 */
function comparableOptions(options: readonly ScapyTcpOption[], tcp: TcpView): readonly ScapyTcpOption[] {
  const last = tcp.options.at(-1);
  const endless = last?.kind === 'malformed' && last.bytes.length !== last.bytes[1];
  return (endless ? options.slice(0, tcp.options.length - 1) : options).map((option) =>
    option.kind === 'unknown' && (option.code === 25 || option.code === 29) ? { ...option, data: '' } : option,
  );
}

/** Throws unless both read the same, as far as both can read: a layer that we name an error for, scapy may still guess at. */
function compare(bytes: Uint8Array, scapy: ScapyDissection): void {
  const parsed = parseFrame(bytes);
  if (!parsed.ok) return;
  const frame = parsed.value;
  const ours = describe(frame);
  assert.deepEqual(ours.ethernet, scapy.ethernet);
  if (frame.error?.layer !== 'arp') assert.deepEqual(ours.arp, scapy.arp);
  if (frame.error?.layer !== 'ipv4') assert.deepEqual(ours.ipv4, scapy.ipv4);
  if (!frame.error) {
    assert.deepEqual(ours.udp, scapy.udp);
    const comparable = ({ tcp }: ScapyDissection) =>
      tcp && frame.tcp && { ...tcp, options: comparableOptions(tcp.options, frame.tcp) };
    assert.equal(ours.tcp === undefined, scapy.tcp === undefined);
    assert.deepEqual(comparable(ours), comparable(scapy));
  }
}

const wrongLength: fc.Arbitrary<TcpOption> = fc
  .tuple(fc.constantFrom([2, 4], [3, 3], [4, 2], [8, 10]), fc.uint8Array({ maxLength: 9 }))
  .filter(([[, length], data]) => data.length + 2 !== length)
  .map(([[code], data]) => ({ kind: 'malformed', bytes: Uint8Array.of(code ?? 0, 2 + data.length, ...data) }));

/** Bytes that look like anything, the last of them perhaps in the middle of an option. */
const anyOptionBytes = fc
  .array(fc.oneof(fc.constantFrom(0, 1, 2, 3, 4, 5, 8, 10), u8), { minLength: 4, maxLength: 40 })
  .map((bytes): readonly TcpOption[] => [{ kind: 'malformed', bytes: Uint8Array.from(bytes) }]);

const buildableOptions = fc.oneof(
  { weight: 4, arbitrary: tcpOptions },
  { weight: 1, arbitrary: wrongLength.map((option) => [option]) },
);

/** TTL, fragments and IP options of every kind; ARP, TCP, UDP and protocols that nobody knows. */
function frames(options: fc.Arbitrary<readonly TcpOption[]>): fc.Arbitrary<Uint8Array> {
  const tcp = fc
    .tuple(ethernetFields, ipv4Fields, tcpFields, options)
    .map(([ethernet, ipv4, tcp, options]) => buildTcpFrame({ ethernet, ipv4, tcp: { ...tcp, options } }));
  const udp = fc
    .tuple(ethernetFields, ipv4Fields, udpFields)
    .map(([ethernet, ipv4, udp]) => buildUdpFrame({ ethernet, ipv4, udp }));
  const arp = fc.tuple(ethernetFields, arpFields).map(([ethernet, arp]) => buildArpFrame({ ethernet, arp }));
  const fragment = fc
    .tuple(
      ethernetFields,
      ipv4Fields,
      // Scapy would look for the next layer in the payload of the protocols that it knows.
      fc.record({
        protocol: fc.constantFrom(6, 17, 200),
        moreFragments: fc.boolean(),
        fragment: fc.integer({ min: 1, max: 0x1fff }),
      }),
      fc.uint8Array({ maxLength: 48 }),
    )
    .map(([ethernet, ipv4, { protocol, moreFragments, fragment }, payload]) =>
      buildIpv4Frame({ ethernet, ipv4: { ...ipv4, protocol, moreFragments, fragmentOffset: fragment * 8 }, payload }),
    );
  const firstFragment = fc
    .tuple(ethernetFields, ipv4Fields, tcpFields, options)
    .map(([ethernet, ipv4, tcp, options]) => {
      const whole = buildTcpFrame({ ethernet, ipv4, tcp: { ...tcp, options } });
      const payload = whole.subarray(parsed(whole).ipv4?.payloadOffset);
      return buildIpv4Frame({ ethernet, ipv4: { ...ipv4, protocol: 6, moreFragments: true }, payload });
    });
  return fc.oneof(
    { weight: 6, arbitrary: tcp },
    { weight: 2, arbitrary: udp },
    { weight: 1, arbitrary: arp },
    { weight: 1, arbitrary: fragment },
    { weight: 1, arbitrary: firstFragment },
  );
}

/** What scapy needs to build the same frame. */
function descriptionOf(bytes: Uint8Array): ScapyBuild {
  const frame = parsed(bytes);
  const { ethernet, ...rest } = describe(frame);
  if (!ethernet) throw new Error('no Ethernet header');
  return { ethernet, ...rest, payload: frame.ipv4 ? hex(bytes.subarray(frame.ipv4.payloadOffset)) : '' } as ScapyBuild;
}

/** Changes bytes behind the Ethernet addresses, cuts some off or adds padding. */
const corruption = fc.record({
  bytes: fc.array(fc.tuple(fc.nat(), u8), { minLength: 1, maxLength: 3 }),
  length: fc.oneof(
    { weight: 4, arbitrary: fc.constant(0) },
    { weight: 1, arbitrary: fc.integer({ min: -60, max: 12 }) },
  ),
});

function corrupt(frame: Uint8Array, how: { bytes: [number, number][]; length: number } | undefined): Uint8Array {
  const { bytes, length } = how ?? { bytes: [], length: 0 };
  const copy = new Uint8Array(Math.max(14, frame.length + length));
  copy.set(frame.subarray(0, copy.length));
  for (const [where, value] of bytes) {
    if (copy.length > 14) copy[14 + (where % (copy.length - 14))] = value;
  }
  return copy;
}

function tagged(frame: Uint8Array, tags: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(frame.length + 4 * tags.length);
  bytes.set(frame.subarray(0, 12));
  tags.forEach((tag, i) => {
    writeU16(bytes, 12 + 4 * i, 0x8100);
    writeU16(bytes, 14 + 4 * i, tag);
  });
  bytes.set(frame.subarray(12), 12 + 4 * tags.length);
  return bytes;
}

const tags = fc.oneof(
  { weight: 5, arbitrary: fc.constant([]) },
  { weight: 1, arbitrary: fc.array(u16, { maxLength: 2 }) },
);

async function inBatches<T, R>(items: readonly T[], ask: (batch: readonly T[]) => Promise<readonly R[]>): Promise<R[]> {
  const results: R[] = [];
  for (let at = 0; at < items.length; at += BATCH) results.push(...(await ask(items.slice(at, at + BATCH))));
  return results;
}

/** One assertion for all frames: the first that does not pass is told with its bytes. */
function checkEach(t: Test, frames: readonly Uint8Array[], check: (frame: Uint8Array, index: number) => void): void {
  for (const [index, frame] of frames.entries()) {
    try {
      check(frame, index);
    } catch (error) {
      t.fail(`packet ${index}, PRISM_SEED=${seed}, ${hex(frame)}: ${error instanceof Error ? error.message : error}`);
      return;
    }
  }
  t.pass(`${frames.length} packets agree`);
}

function compareWith(dissections: readonly ScapyDissection[]): (frame: Uint8Array, index: number) => void {
  return (frame, index) => compare(frame, dissections[index] ?? {});
}

const scapy = startScapy();

if (typeof scapy === 'string') {
  // A continuous-integration run without the oracle would prove nothing.
  t.test('scapy', process.env.CI === 'true' ? {} : { skip: scapy }, async (t) => t.fail(scapy));
} else {
  t.comment(`PRISM_SEED=${seed}, ${scapy.python}`);
  t.teardown(() => scapy.close());

  t.test('what we build, scapy reads', async (t) => {
    const any = frames(fc.oneof({ weight: 3, arbitrary: buildableOptions }, { weight: 1, arbitrary: anyOptionBytes }));
    const samples = fc
      .sample(fc.tuple(any, tags), { seed, numRuns: PACKETS })
      .map(([frame, tags]) => tagged(frame, tags));
    const dissections = await inBatches(samples, (batch) => scapy.dissect(batch));
    checkEach(t, samples, compareWith(dissections));
    const wrong = dissections.findIndex(
      ({ ipv4, tcp, udp }) => ipv4?.checksumValid === false || (tcp ?? udp)?.checksumValid === false,
    );
    t.equal(wrong, -1, 'all checksums are right');
    t.ok(dissections.filter(({ tcp }) => tcp).length > PACKETS / 3, 'many are TCP');
  });

  t.test('what scapy builds, we read', async (t) => {
    const samples = fc.sample(fc.tuple(frames(buildableOptions), tags, corruption), { seed, numRuns: PACKETS });
    const expected = samples.map(([frame, tags]) => tagged(frame, tags));
    const built = await inBatches(expected, (batch) => scapy.build(batch.map(descriptionOf)));
    checkEach(t, built, (frame, index) => assert.equal(hex(frame), hex(expected[index] ?? frame)));

    const corrupted = built.flatMap((frame, i) => (i % 2 === 0 ? [corrupt(frame, samples[i]?.[2])] : []));
    const dissections = await inBatches(corrupted, (batch) => scapy.dissect(batch));
    checkEach(t, corrupted, compareWith(dissections));
    const isCorrupt = ({ ipv4, tcp, udp }: ScapyDissection) =>
      ipv4?.checksumValid === false || (tcp ?? udp)?.checksumValid === false;
    t.ok(dissections.filter(isCorrupt).length > corrupted.length / 3, 'many are corrupt');
  });
}
