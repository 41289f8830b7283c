/**
 * Frames of a link whose offloads are on, through an AF_PACKET socket: super-segments of 64 KB with what the kernel left undone about
 * them (PACKET_VNET_HDR), many to a system call (recvmmsg, sendmmsg). Payload stays where the kernel put it and is sent from there.
 */
import koffi from 'koffi';
import type { Offload } from '../../reference-impl/core/core.js';
import { checked, errnoName, libc, type NativePointer } from './libc.js';
import {
  bindPacketSocket,
  interfaceIndex,
  openPacketSocket,
  PACKET_IGNORE_OUTGOING,
  packetDrops,
  setPacketOption,
} from './packet-socket.js';

const PACKET_VNET_HDR = 15;
const MSG_DONTWAIT = 0x40;
const SOL_SOCKET = 1;
const SO_RCVBUFFORCE = 33;
const RECEIVE_BUFFER = 16 << 20;

/** struct virtio_net_hdr. */
const VNET_HEADER = 10;
const NEEDS_CSUM = 1;
/** Longest IPv4 datagram behind an Ethernet header with a VLAN tag. */
const LONGEST = 65_535 + 18;
const SLOT = 65_600;
/** Ethernet, and the longest IPv4 and TCP headers: what a core looks at. */
const HEAD = 14 + 60 + 60;

// struct mmsghdr: a msghdr of 56 bytes (iov at 16, its length at 24), the received length, padding.
const MMSGHDR = 64;
const MSG_IOV = 16;
const MSG_IOVLEN = 24;
const MSG_LEN = 56;
const IOVEC = 16;

/** One receive slot's frame on its way through a core. */
interface SlotOffload extends Offload {
  /** Where the undone work is told, and where the payload behind the head lies. */
  readonly header: bigint;
  readonly rest: bigint;
}

class Memory {
  readonly pointer: NativePointer;
  readonly address: bigint;
  readonly bytes: Uint8Array;
  readonly view: DataView;

  constructor(size: number) {
    this.pointer = koffi.alloc('uint8_t', size) as unknown as NativePointer;
    this.address = koffi.address(this.pointer);
    const buffer = koffi.view(this.pointer, size);
    this.bytes = new Uint8Array(buffer);
    this.view = new DataView(buffer);
  }

  /** An I/O vector entry at `at`. */
  iovec(at: number, address: bigint, length: number): void {
    this.view.setBigUint64(at, address, true);
    this.view.setBigUint64(at + 8, BigInt(length), true);
  }

  /** The message number `index` has `count` I/O vector entries from `iovecs` on. */
  message(index: number, iovecs: bigint, count: number): void {
    this.view.setBigUint64(index * MMSGHDR + MSG_IOV, iovecs, true);
    this.view.setBigUint64(index * MMSGHDR + MSG_IOVLEN, BigInt(count), true);
  }
}

export interface OffloadFrame {
  /** The headers, and of a short frame all: good until the batch ends. */
  readonly bytes: Uint8Array;
  readonly offload: Offload;
}

/** Frames to a system call: as many as wait, up to this; one that waits alone does not wait for others. */
const BATCH = 32;

export class OffloadSocket {
  readonly #fd: number;
  readonly #slots = new Memory(BATCH * SLOT);
  readonly #received = new Memory(BATCH * MMSGHDR);
  readonly #receivedParts = new Memory(BATCH * IOVEC);
  readonly #heads = new Memory(BATCH * (VNET_HEADER + HEAD));
  readonly #sent = new Memory(BATCH * MMSGHDR);
  readonly #sentParts = new Memory(BATCH * 3 * IOVEC);
  #waiting = 0;
  #drops = 0;
  #poll: ReturnType<typeof koffi.node.poll> | undefined;
  /** Frames that the kernel would not take for sending. */
  sendFailures = 0;

  /** Throws a WorldError without CAP_NET_RAW. */
  constructor(interfaceName: string) {
    const index = interfaceIndex(interfaceName);
    this.#fd = openPacketSocket();
    setPacketOption(this.#fd, PACKET_VNET_HDR, [1], 'PACKET_VNET_HDR');
    setPacketOption(this.#fd, PACKET_IGNORE_OUTGOING, [1], 'PACKET_IGNORE_OUTGOING');
    // Without CAP_NET_ADMIN it is as large as the kernel lets it be.
    libc().setsockopt(
      this.#fd,
      SOL_SOCKET,
      SO_RCVBUFFORCE,
      new Uint8Array(new Uint32Array([RECEIVE_BUFFER]).buffer),
      4,
    );
    for (let i = 0; i < BATCH; i++) {
      this.#receivedParts.iovec(i * IOVEC, this.#slots.address + BigInt(i * SLOT), VNET_HEADER + LONGEST);
      this.#received.message(i, this.#receivedParts.address + BigInt(i * IOVEC), 1);
    }
    bindPacketSocket(this.#fd, index);
  }

  /** Calls back whenever frames wait; the callback drains with `receive`. Keeps the process alive. */
  onReadable(callback: () => void): void {
    this.#poll = koffi.node.poll(this.#fd, { readable: true }, callback);
  }

  /** Takes what waits, at most one batch. Whatever of it is to be sent has to have left (`flush`) before the next is taken. */
  receive(take: (frame: OffloadFrame) => void): number {
    const count = libc().recvmmsg(this.#fd, this.#received.pointer, BATCH, MSG_DONTWAIT, null);
    if (count < 0) {
      if (errnoName() === 'EAGAIN' || errnoName() === 'ENETDOWN') return 0;
      return checked(count, 'recvmmsg');
    }
    for (let i = 0; i < count; i++) {
      const length = this.#received.view.getUint32(i * MMSGHDR + MSG_LEN, true) - VNET_HEADER;
      if (length < 0) continue;
      const start = i * SLOT + VNET_HEADER;
      const head = Math.min(length, HEAD);
      const address = this.#slots.address + BigInt(start);
      const offload: SlotOffload = {
        checksumPending: ((this.#slots.bytes[i * SLOT] ?? 0) & NEEDS_CSUM) !== 0,
        behind: length - head,
        header: address - BigInt(VNET_HEADER),
        rest: address + BigInt(head),
      };
      take({ bytes: this.#slots.bytes.subarray(start, start + head), offload });
    }
    return count;
  }

  /** Sends with the next `flush`. `offload`: the one that came with the frame, to any socket; absent for a frame that is whole as it is. */
  send(bytes: Uint8Array, offload?: Offload): void {
    if (bytes.length > HEAD) {
      this.#sendWhole(bytes);
      return;
    }
    if (this.#waiting === BATCH) this.flush();
    const index = this.#waiting++;
    const at = index * (VNET_HEADER + HEAD);
    const own = this.#heads.address + BigInt(at);
    this.#heads.bytes.fill(0, at, at + VNET_HEADER).set(bytes, at + VNET_HEADER);
    const parts = index * 3 * IOVEC;
    const { header, rest, behind } = (offload as SlotOffload | undefined) ?? { header: own, rest: own, behind: 0 };
    this.#sentParts.iovec(parts, header, VNET_HEADER);
    this.#sentParts.iovec(parts + IOVEC, own + BigInt(VNET_HEADER), bytes.length);
    this.#sentParts.iovec(parts + 2 * IOVEC, rest, behind);
    this.#sent.message(index, this.#sentParts.address + BigInt(parts), behind > 0 ? 3 : 2);
  }

  #sendWhole(bytes: Uint8Array): void {
    this.flush();
    const whole = new Uint8Array(VNET_HEADER + bytes.length);
    whole.set(bytes, VNET_HEADER);
    if (Number(libc().send(this.#fd, whole, whole.length, MSG_DONTWAIT)) < 0) this.sendFailures++;
  }

  /** Sends what waits. A frame that the kernel refuses is lost, as on a full link, and counted. */
  flush(): void {
    while (this.#waiting > 0) {
      const sent = libc().sendmmsg(this.#fd, this.#sent.pointer, this.#waiting, MSG_DONTWAIT);
      if (sent <= 0) this.sendFailures++;
      // What was refused is left out, and the rest moves to the front.
      const done = Math.max(sent, 1);
      this.#sent.bytes.copyWithin(0, done * MMSGHDR, this.#waiting * MMSGHDR);
      this.#waiting -= done;
    }
  }

  /** Frames lost so far because nobody took them in time. */
  drops(): number {
    this.#drops += packetDrops(this.#fd);
    return this.#drops;
  }

  close(): void {
    this.#poll?.close();
    libc().close(this.#fd);
  }
}
