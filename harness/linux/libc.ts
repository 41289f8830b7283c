/** The few C library calls that Node has no API for: packet sockets, their rings, namespaces, interface flags, the real-time clock. */
import { closeSync, openSync } from 'node:fs';
import koffi from 'koffi';
import { WorldError } from '../world.js';

/** What koffi hands out for a native address. */
export type NativePointer = { readonly __nativePointer: unique symbol };

interface Libc {
  socket(domain: number, type: number, protocol: number): number;
  bind(fd: number, address: Uint8Array, length: number): number;
  connect(fd: number, address: Uint8Array, length: number): number;
  close(fd: number): number;
  setsockopt(fd: number, level: number, name: number, value: Uint8Array, length: number): number;
  getsockopt(fd: number, level: number, name: number, value: Uint8Array, length: Uint32Array): number;
  send(fd: number, bytes: Uint8Array, length: number, flags: number): number | bigint;
  recvmmsg(fd: number, messages: NativePointer, count: number, flags: number, timeout: null): number;
  sendmmsg(fd: number, messages: NativePointer, count: number, flags: number): number;
  ioctl(fd: number, request: number, argument: NativePointer): number;
  mmap(address: null, length: number, protection: number, flags: number, fd: number, offset: number): NativePointer;
  munmap(address: NativePointer, length: number): number;
  setns(fd: number, kind: number): number;
  if_nametoindex(name: string): number;
  clock_gettime(clock: number, time: BigInt64Array): number;
}

let loaded: Libc | undefined;

/** Loads libc once; throws a WorldError where there is none (not Linux). */
export function libc(): Libc {
  if (loaded) return loaded;
  try {
    const lib = koffi.load('libc.so.6');
    const bound: Libc = {
      socket: lib.func('int socket(int domain, int type, int protocol)'),
      bind: lib.func('int bind(int fd, const void *address, unsigned int length)'),
      connect: lib.func('int connect(int fd, const void *address, unsigned int length)'),
      close: lib.func('int close(int fd)'),
      setsockopt: lib.func('int setsockopt(int fd, int level, int name, const void *value, unsigned int length)'),
      getsockopt: lib.func(
        'int getsockopt(int fd, int level, int name, _Out_ void *value, _Inout_ unsigned int *length)',
      ),
      recvmmsg: lib.func('int recvmmsg(int fd, void *messages, unsigned int count, int flags, const void *timeout)'),
      sendmmsg: lib.func('int sendmmsg(int fd, void *messages, unsigned int count, int flags)'),
      send: lib.func('long send(int fd, const void *bytes, size_t length, int flags)'),
      ioctl: lib.func('int ioctl(int fd, unsigned long request, void *argument)'),
      mmap: lib.func('void *mmap(void *address, size_t length, int protection, int flags, int fd, long offset)'),
      munmap: lib.func('int munmap(void *address, size_t length)'),
      setns: lib.func('int setns(int fd, int kind)'),
      if_nametoindex: lib.func('unsigned int if_nametoindex(const char *name)'),
      clock_gettime: lib.func('int clock_gettime(int clock, _Out_ int64_t *time)'),
    };
    loaded = bound;
    return bound;
  } catch (error) {
    throw new WorldError(`libc cannot be loaded: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** Names the error number of the call just made, such as `EPERM`. */
export function errnoName(): string {
  const number = koffi.errno();
  return Object.entries(koffi.os.errno).find(([, value]) => value === number)?.[0] ?? `error ${number}`;
}

/** Throws a WorldError that names the call and its error when the result is negative; returns the result otherwise. */
export function checked(result: number, call: string): number {
  if (result < 0) throw new WorldError(`${call}: ${errnoName()}`);
  return result;
}

const CLOCK_REALTIME = 0;
const timespec = new BigInt64Array(2);

/** Nanoseconds since the epoch on the clock that the kernel stamps captured frames with. */
export function realtimeNs(): bigint {
  libc().clock_gettime(CLOCK_REALTIME, timespec);
  return (timespec[0] ?? 0n) * 1_000_000_000n + (timespec[1] ?? 0n);
}

const CLONE_NEWNET = 0x40000000;

/**
 * Runs a synchronous function with this thread inside another process' network namespace, and comes back.
 * Only what happens during the call is inside: sockets made, /proc/sys/net written. Nothing asynchronous may be started in it.
 */
export function inNamespace<T>(pid: number, work: () => T): T {
  const home = openSync('/proc/thread-self/ns/net', 'r');
  try {
    const there = openSync(`/proc/${pid}/ns/net`, 'r');
    try {
      checked(libc().setns(there, CLONE_NEWNET), 'setns');
    } finally {
      closeSync(there);
    }
    try {
      return work();
    } finally {
      checked(libc().setns(home, CLONE_NEWNET), 'setns back');
    }
  } finally {
    closeSync(home);
  }
}

const AF_INET = 2;
const SOCK_DGRAM = 2;
const SIOCETHTOOL = 0x8946;
const SIOCGIFMTU = 0x8921;
/** ETHTOOL_S*: rx and tx checksums, scatter-gather, TSO, GSO, GRO; one less is the ETHTOOL_G* that reads it. */
const OFFLOADS = [0x15, 0x17, 0x19, 0x1f, 0x24, 0x2c];
const ETHTOOL_GTSO = 0x1e;

/** Asks the kernel about an interface of the current namespace by `struct ifreq`: the name, and from byte 16 on what is asked. */
function askInterface<T>(
  interfaceName: string,
  ask: (view: DataView, call: (request: number) => number, tail: bigint) => T,
): T {
  const c = libc();
  const fd = checked(c.socket(AF_INET, SOCK_DGRAM, 0), 'socket');
  const memory = koffi.alloc('uint8_t', 64);
  try {
    const view = new DataView(koffi.view(memory, 64));
    for (let i = 0; i < 16; i++) view.setUint8(i, interfaceName.charCodeAt(i) || 0);
    return ask(view, (request) => c.ioctl(fd, request, memory), koffi.address(memory) + 48n);
  } finally {
    koffi.free(memory);
    c.close(fd);
  }
}

/** The longest IP datagram of an interface of the current namespace, in bytes. */
export function interfaceMtu(interfaceName: string): number {
  return askInterface(interfaceName, (view, call) => {
    checked(call(SIOCGIFMTU), `MTU of ${interfaceName}`);
    return view.getInt32(16, true);
  });
}

/** Whether an interface of the current namespace cuts segments for the kernel (TSO). */
export function segmentsForKernel(interfaceName: string): boolean {
  return askInterface(interfaceName, (view, call, tail) => {
    view.setBigUint64(16, tail, true);
    view.setUint32(48, ETHTOOL_GTSO, true);
    checked(call(SIOCETHTOOL), `offloads of ${interfaceName}`);
    return view.getUint32(52, true) !== 0;
  });
}

/**
 * Turns checksum, segmentation and receive-merging offloads of an interface of the current namespace on or off; off, every frame
 * on the link is a real packet with a real checksum. What the interface does not know is left (EOPNOTSUPP).
 */
export function setOffloads(interfaceName: string, on: boolean): void {
  askInterface(interfaceName, (view, call, tail) => {
    for (const command of OFFLOADS) {
      // struct ethtool_value {u32 cmd, data;} right behind the ifreq.
      view.setBigUint64(16, tail, true);
      view.setUint32(48, command, true);
      view.setUint32(52, on ? 1 : 0, true);
      if (call(SIOCETHTOOL) < 0 && errnoName() !== 'EOPNOTSUPP')
        throw new WorldError(`offloads of ${interfaceName} cannot be turned ${on ? 'on' : 'off'}: ${errnoName()}`);
    }
  });
}
