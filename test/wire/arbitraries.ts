/** Random frames and their fields, for the property tests of the codecs. */
import fc from 'fast-check';
import type {
  ArpFields,
  EthernetFields,
  Ipv4Fields,
  TcpFields,
  TcpOption,
  UdpFields,
} from '../../reference-impl/wire/index.js';
import { encodeTcpOptions } from '../../reference-impl/wire/index.js';

/** Records as the codecs make them: with the prototype of every object. */
function record<T>(model: { [K in keyof T]: fc.Arbitrary<T[K]> }): fc.Arbitrary<T> {
  return fc.record(model, { noNullPrototype: true }) as unknown as fc.Arbitrary<T>;
}

export const u8 = fc.integer({ min: 0, max: 0xff });
export const u16 = fc.integer({ min: 0, max: 0xffff });
/** Often next to a wrap. */
export const u32 = fc.oneof(
  fc.integer({ min: 0, max: 0xffffffff }),
  fc.constantFrom(0, 1, 0x7fffffff, 0x80000000, 0xffffffff),
);
const mac = fc.integer({ min: 0, max: 2 ** 48 - 1 });
const payload = fc.uint8Array({ maxLength: 64 });

export const ethernetFields: fc.Arbitrary<EthernetFields> = record({ dst: mac, src: mac });

/** Without fields that a fragment has. */
export const ipv4Fields: fc.Arbitrary<Required<Ipv4Fields>> = record({
  src: u32,
  dst: u32,
  ttl: u8,
  id: u16,
  dontFragment: fc.boolean(),
  tos: u8,
  options: fc
    .integer({ min: 0, max: 10 })
    .chain((words) => fc.uint8Array({ minLength: words * 4, maxLength: words * 4 })),
});

const wellFormedOption: fc.Arbitrary<TcpOption> = fc.oneof(
  record({ kind: fc.constant('mss' as const), value: u16 }),
  record({ kind: fc.constant('window-scale' as const), shift: u8 }),
  record({ kind: fc.constant('sack-permitted' as const) }),
  record({
    kind: fc.constant('sack' as const),
    blocks: fc.array(record({ left: u32, right: u32 }), { minLength: 1, maxLength: 4 }),
  }),
  record({ kind: fc.constant('timestamps' as const), value: u32, echo: u32 }),
  record({ kind: fc.constant('nop' as const) }),
  record({
    kind: fc.constant('unknown' as const),
    code: fc.constantFrom(6, 7, 9, 30, 100, 200, 253, 254, 255),
    data: fc.uint8Array({ maxLength: 12 }),
  }),
);

/** As many of them as fit. */
function fitting(options: readonly TcpOption[]): readonly TcpOption[] {
  let fits: readonly TcpOption[] = [];
  for (const option of options) {
    try {
      encodeTcpOptions([...fits, option]);
    } catch {
      break;
    }
    fits = [...fits, option];
  }
  return fits;
}

export const tcpOptions: fc.Arbitrary<readonly TcpOption[]> = fc.array(wellFormedOption, { maxLength: 8 }).map(fitting);

export const tcpFields = record({
  srcPort: u16,
  dstPort: u16,
  seq: u32,
  ack: u32,
  flags: u8,
  window: u16,
  urgentPointer: u16,
  options: tcpOptions,
  payload,
}) satisfies fc.Arbitrary<TcpFields>;

export const udpFields = record({ srcPort: u16, dstPort: u16, payload }) satisfies fc.Arbitrary<UdpFields>;

export const arpFields: fc.Arbitrary<ArpFields> = record({
  operation: u16,
  senderMac: mac,
  senderIp: u32,
  targetMac: mac,
  targetIp: u32,
});
