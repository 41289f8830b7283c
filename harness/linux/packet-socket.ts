/** Raw Ethernet frames through an AF_PACKET socket with a memory-mapped receive ring (TPACKET_V2: per-frame, kernel stamped, no block delay). */
import koffi from 'koffi';
import { WorldError } from '../world.js';
import { checked, errnoName, libc } from './libc.js';

const AF_PACKET = 17;
const SOCK_RAW = 3;
const SOCK_CLOEXEC = 0x80000;
const ETH_P_ALL = 0x0003;
const SOL_PACKET = 263;
const PACKET_RX_RING = 5;
const PACKET_STATISTICS = 6;
const PACKET_VERSION = 10;
export const PACKET_IGNORE_OUTGOING = 23;
const TPACKET_V2 = 1;
const MSG_DONTWAIT = 0x40;
const PROT_READ_WRITE = 3;
const MAP_SHARED = 1;

/** One slot of this size holds any frame of a 1500-byte link beside its 66 bytes of header. */
const SLOT = 2048;
/** What a slot needs beside the IP datagram: the ring's header, Ethernet's, and a VLAN tag. */
const SLOT_OVERHEAD = 100;
const BLOCK = 64 * 1024;
const STATUS_KERNEL = 0;
const STATUS_USER = 1;
const STATUS_VLAN_VALID = 0x10;
const STATUS_VLAN_TPID_VALID = 0x40;

// struct tpacket2_hdr, and the sockaddr_ll 32 bytes behind its start.
const OFFSET_LEN = 4;
const OFFSET_SNAPLEN = 8;
const OFFSET_MAC = 12;
const OFFSET_SEC = 16;
const OFFSET_NSEC = 20;
const OFFSET_VLAN_TCI = 24;
const OFFSET_VLAN_TPID = 26;
const OFFSET_IFINDEX = 36;

export interface ReceivedFrame {
  /** A copy; the ring's slot is free again. */
  readonly bytes: Uint8Array;
  /** Length on the wire; more than `bytes` when the frame was cut. */
  readonly originalLength: number;
  readonly interfaceIndex: number;
  /** CLOCK_REALTIME, nanoseconds. */
  readonly timestampNs: bigint;
}

export interface PacketSocketOptions {
  /** Interface of the current namespace; absent: all of them. */
  readonly interfaceName?: string;
  /** Whether frames that this host sends are received too (a capture wants them). */
  readonly outgoing: boolean;
  /** Ring slots of 2 KiB, a multiple of 32; a link of longer frames gets fewer and larger ones of the same memory. */
  readonly slots: number;
  /** Longest IP datagram of the links, in bytes; 1500 when absent. */
  readonly mtu?: number;
  /**
   * The one EtherType that is received; all when absent. A socket for all of them lies in front of tc ingress, one for a single
   * EtherType behind it, where only that arrives which no program took.
   */
  readonly etherType?: number;
}

/** Opens a packet socket that receives nothing yet. Throws a WorldError without CAP_NET_RAW. */
export function openPacketSocket(): number {
  // Protocol 0 receives nothing until bind.
  return checked(libc().socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0), 'AF_PACKET socket');
}

/** From now on it receives: of one interface (0: of all), one EtherType (all when absent). */
export function bindPacketSocket(fd: number, index: number, etherType = ETH_P_ALL): void {
  const address = new DataView(new ArrayBuffer(20));
  address.setUint16(0, AF_PACKET, true);
  address.setUint16(2, etherType, false);
  address.setInt32(4, index, true);
  checked(libc().bind(fd, new Uint8Array(address.buffer), 20), 'binding a packet socket');
}

/** Sets an option of a packet socket to these 32-bit words. */
export function setPacketOption(fd: number, option: number, words: readonly number[], what: string): void {
  checked(
    libc().setsockopt(fd, SOL_PACKET, option, new Uint8Array(new Uint32Array(words).buffer), words.length * 4),
    what,
  );
}

/** Frames lost at a packet socket since the last time it was asked. */
export function packetDrops(fd: number): number {
  const statistics = new Uint32Array(2);
  const length = new Uint32Array([8]);
  checked(
    libc().getsockopt(fd, SOL_PACKET, PACKET_STATISTICS, new Uint8Array(statistics.buffer), length),
    'PACKET_STATISTICS',
  );
  return statistics[1] ?? 0;
}

/** Index of an interface in the current namespace; throws a WorldError when there is none of that name. */
export function interfaceIndex(name: string): number {
  const index = libc().if_nametoindex(name);
  if (index === 0) throw new WorldError(`no interface ${name} here: ${errnoName()}`);
  return index;
}

export class PacketSocket {
  readonly #fd: number;
  readonly #status: Int32Array;
  readonly #view: DataView;
  readonly #bytes: Uint8Array;
  readonly #slots: number;
  readonly #slotBytes: number;
  #next = 0;
  #poll: ReturnType<typeof koffi.node.poll> | undefined;
  #drops = 0;
  /** Frames that the kernel would not take for sending. */
  sendFailures = 0;

  /** Throws a WorldError without CAP_NET_RAW or without memory for the ring. */
  constructor(options: PacketSocketOptions) {
    const c = libc();
    const index = options.interfaceName === undefined ? 0 : interfaceIndex(options.interfaceName);
    this.#fd = openPacketSocket();
    let slotBytes = SLOT;
    while (slotBytes < (options.mtu ?? 1500) + SLOT_OVERHEAD) slotBytes *= 2;
    if (slotBytes > BLOCK) throw new WorldError(`no packet ring for an MTU of ${options.mtu}`);
    const ringLength = options.slots * SLOT;
    this.#slotBytes = slotBytes;
    this.#slots = ringLength / slotBytes;
    setPacketOption(this.#fd, PACKET_VERSION, [TPACKET_V2], 'PACKET_VERSION');
    if (!options.outgoing) setPacketOption(this.#fd, PACKET_IGNORE_OUTGOING, [1], 'PACKET_IGNORE_OUTGOING');
    setPacketOption(this.#fd, PACKET_RX_RING, [BLOCK, ringLength / BLOCK, slotBytes, this.#slots], 'PACKET_RX_RING');
    const ring = c.mmap(null, ringLength, PROT_READ_WRITE, MAP_SHARED, this.#fd, 0);
    if (BigInt.asIntN(64, koffi.address(ring)) === -1n) throw new WorldError(`mapping a packet ring: ${errnoName()}`);
    const memory = koffi.view(ring, ringLength);
    this.#status = new Int32Array(memory);
    this.#view = new DataView(memory);
    this.#bytes = new Uint8Array(memory);
    bindPacketSocket(this.#fd, index, options.etherType);
  }

  /** Calls back whenever frames wait in the ring; the callback drains with `receive`. Keeps the process alive. */
  onReadable(callback: () => void): void {
    this.#poll = koffi.node.poll(this.#fd, { readable: true }, callback);
  }

  /** Takes up to `limit` frames out of the ring; returns how many there were. */
  receive(limit: number, take: (frame: ReceivedFrame) => void): number {
    let count = 0;
    while (count < limit) {
      const slot = this.#next * this.#slotBytes;
      const status = Atomics.load(this.#status, slot / 4);
      if ((status & STATUS_USER) === 0) break;
      const mac = slot + this.#view.getUint16(slot + OFFSET_MAC, true);
      const captured = this.#bytes.subarray(mac, mac + this.#view.getUint32(slot + OFFSET_SNAPLEN, true));
      const tagged = (status & STATUS_VLAN_VALID) !== 0;
      const frame: ReceivedFrame = {
        bytes: tagged ? this.#withVlanTag(slot, status, captured) : captured.slice(),
        originalLength: this.#view.getUint32(slot + OFFSET_LEN, true) + (tagged ? 4 : 0),
        interfaceIndex: this.#view.getInt32(slot + OFFSET_IFINDEX, true),
        timestampNs:
          BigInt(this.#view.getUint32(slot + OFFSET_SEC, true)) * 1_000_000_000n +
          BigInt(this.#view.getUint32(slot + OFFSET_NSEC, true)),
      };
      Atomics.store(this.#status, slot / 4, STATUS_KERNEL);
      this.#next = (this.#next + 1) % this.#slots;
      count++;
      take(frame);
    }
    return count;
  }

  /** The kernel takes a VLAN tag out of the frame; this puts it back where it was on the wire. */
  #withVlanTag(slot: number, status: number, captured: Uint8Array): Uint8Array {
    const bytes = new Uint8Array(captured.length + 4);
    bytes.set(captured.subarray(0, 12));
    const tpid = (status & STATUS_VLAN_TPID_VALID) !== 0 ? this.#view.getUint16(slot + OFFSET_VLAN_TPID, true) : 0x8100;
    new DataView(bytes.buffer).setUint16(12, tpid, false);
    new DataView(bytes.buffer).setUint16(14, this.#view.getUint16(slot + OFFSET_VLAN_TCI, true), false);
    bytes.set(captured.subarray(12), 16);
    return bytes;
  }

  /** Sends one frame as it is, at once. A frame that the kernel refuses is lost, as on a full link, and counted. */
  send(bytes: Uint8Array): void {
    if (Number(libc().send(this.#fd, bytes, bytes.length, MSG_DONTWAIT)) < 0) this.sendFailures++;
  }

  /** Frames lost so far because the ring was full. */
  drops(): number {
    this.#drops += packetDrops(this.#fd);
    return this.#drops;
  }

  /** Stops polling and closes the socket; the ring stays mapped until the process ends, because views of it may still be held. */
  close(): void {
    this.#poll?.close();
    libc().close(this.#fd);
  }
}
