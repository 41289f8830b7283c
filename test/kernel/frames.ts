/** Frames for a switch, random and structured: most of them nearly right, so that every test of its way through is passed and failed. */
import type { Random } from '../../harness/random.js';
import type { SwitchConfig } from '../../reference-impl/switch/config.js';
import { BROADCAST_MAC } from '../../reference-impl/wire/addresses.js';
import { ArpOperation } from '../../reference-impl/wire/arp.js';
import { buildArpFrame, buildIpv4Frame, buildTcpFrame, buildUdpFrame } from '../../reference-impl/wire/build.js';
import { checksum } from '../../reference-impl/wire/checksum.js';
import { readU16, writeU16 } from '../../reference-impl/wire/octets.js';

export interface Arriving {
  readonly port: string;
  readonly bytes: Uint8Array;
}

const WORDS = [0, 1, 0xff, 0x100, 0x7fff, 0x8000, 0xfffe, 0xffff];

const pick = <T>(random: Random, list: readonly T[]): T => {
  const chosen = list[random.below(list.length)];
  if (chosen === undefined) throw new Error('nothing to pick from');
  return chosen;
};
const chance = (random: Random, percent: number) => random.below(100) < percent;
const word = (random: Random) => (chance(random, 40) ? pick(random, WORDS) : random.below(0x10000));

/** The addresses and ports that frames and rules are made of: few, so that they meet. */
export interface Cast {
  readonly clients: readonly number[];
  readonly backends: readonly number[];
  readonly logical: number;
  readonly strangers: readonly number[];
  readonly ports: readonly number[];
}

function withTcp(random: Random, config: SwitchConfig, cast: Cast): Uint8Array {
  const everybody = [...cast.clients, ...cast.backends, cast.logical, ...cast.strangers];
  const towards = chance(random, 45);
  const [src, dst] = chance(random, 10)
    ? [pick(random, everybody), pick(random, everybody)]
    : towards
      ? [pick(random, cast.clients), cast.logical]
      : [pick(random, cast.backends), pick(random, cast.clients)];
  const [clientPort, serverPort] = [pick(random, cast.ports), 80];
  const bytes = buildTcpFrame({
    ethernet: { dst: config.mac, src: 0x020000000099 },
    ipv4: {
      src,
      dst,
      ttl: chance(random, 5) ? random.below(3) : 64,
      id: random.below(0x10000),
      ...(chance(random, 15) && { options: new Uint8Array(4 * (1 + random.below(10))).fill(1) }),
    },
    tcp: {
      srcPort: towards ? clientPort : serverPort,
      dstPort: towards ? serverPort : clientPort,
      seq: random.u32(),
      ack: random.u32(),
      flags: random.below(256),
      window: word(random),
      ...(chance(random, 40) && {
        options: [{ kind: 'nop' }, { kind: 'nop' }, { kind: 'timestamps', value: random.u32(), echo: random.u32() }],
      }),
      payload: new Uint8Array(chance(random, 70) ? random.below(40) : random.below(1400)).map(() => random.below(256)),
    },
  });
  const at = 14 + ((bytes[14] ?? 0) & 15) * 4;
  // A checksum that is wrong stays wrong by the same difference.
  if (chance(random, 25)) writeU16(bytes, at + 16, word(random));
  return bytes;
}

/** The header's checksum again, for what was changed in it. */
function withHeaderSum(bytes: Uint8Array): Uint8Array {
  const end = Math.min(14 + ((bytes[14] ?? 0) & 15) * 4, bytes.length);
  if (end < 34) return bytes;
  writeU16(bytes, 24, 0);
  writeU16(bytes, 24, checksum(bytes, 14, end));
  return bytes;
}

function damaged(random: Random, bytes: Uint8Array): Uint8Array {
  switch (random.below(12)) {
    case 0:
      return bytes.subarray(0, 14 + random.below(Math.max(1, bytes.length - 14)));
    case 1: // Padding behind the datagram.
      return Uint8Array.from([...bytes, ...new Uint8Array(1 + random.below(20)).fill(0xaa)]);
    case 2: // Fragments, first and later.
      writeU16(bytes, 20, pick(random, [0x2000, 0x2001, 0x0001, 0x1fff, 0x4000, 0x8000, 0x6000]));
      return withHeaderSum(bytes);
    case 3: // Version and header length.
      bytes[14] = random.below(256);
      return withHeaderSum(bytes);
    case 4: // Total length.
      writeU16(bytes, 16, chance(random, 50) ? random.below(80) : word(random));
      return withHeaderSum(bytes);
    case 5: // Data offset.
      bytes[14 + ((bytes[14] ?? 0) & 15) * 4 + 12] = random.below(256);
      return bytes;
    case 6:
      writeU16(bytes, 24, readU16(bytes, 24) ^ (1 << random.below(16)));
      return bytes;
    case 7: // Protocol.
      bytes[23] = pick(random, [1, 6, 17, 47, 132]);
      return withHeaderSum(bytes);
    case 8: // EtherType.
      writeU16(bytes, 12, pick(random, [0x0800, 0x0806, 0x86dd, 0x8100, 0x88a8, 0x05dc]));
      return bytes;
    case 9: // Destination MAC.
      bytes[random.below(6)] = random.below(256);
      return bytes;
    case 10: {
      const tagged = new Uint8Array(bytes.length + 4);
      tagged.set(bytes.subarray(0, 12));
      tagged.set([0x81, 0, 0, 7], 12);
      tagged.set(bytes.subarray(12), 16);
      return tagged;
    }
    default:
      for (let i = 0; i <= random.below(4); i++) bytes[random.below(bytes.length)] = random.below(256);
      return bytes;
  }
}

function other(random: Random, config: SwitchConfig, cast: Cast): Uint8Array {
  const everybody = [...cast.clients, ...cast.backends, cast.logical, ...cast.strangers];
  const [src, dst] = [pick(random, everybody), pick(random, everybody)];
  const ethernet = { dst: chance(random, 90) ? config.mac : BROADCAST_MAC, src: 0x020000000099 };
  switch (random.below(4)) {
    case 0:
      return buildUdpFrame({
        ethernet,
        ipv4: { src, dst },
        udp: { srcPort: 80, dstPort: pick(random, cast.ports), payload: new Uint8Array(random.below(30)) },
      });
    case 1:
      return buildIpv4Frame({
        ethernet,
        ipv4: { src, dst, protocol: 1 },
        payload: new Uint8Array(8 + random.below(30)),
      });
    case 2:
      return buildArpFrame({
        ethernet: { ...ethernet, dst: chance(random, 50) ? BROADCAST_MAC : config.mac },
        arp: {
          operation: pick(random, [ArpOperation.REQUEST, ArpOperation.REPLY]),
          senderMac: 0x020000000000 + random.below(256),
          senderIp: pick(random, everybody),
          targetMac: 0,
          targetIp: pick(random, [...everybody, ...config.ports.map(({ gateway }) => gateway)]),
        },
      });
    default:
      return new Uint8Array(14 + random.below(100)).map(() => random.below(256));
  }
}

/** A frame, and the port that it arrives at: mostly the right one. */
export function arriving(random: Random, config: SwitchConfig, cast: Cast): Arriving {
  const whole = chance(random, 85) ? withTcp(random, config, cast) : other(random, config, cast);
  const bytes = chance(random, 30) ? damaged(random, whole) : whole;
  return { port: pick(random, config.ports).name, bytes };
}
