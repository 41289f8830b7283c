/**
 * Changes to a frame in place; every checksum that covers a changed field follows by increments (RFC 1624), so that
 * a correct one stays correct and a corrupt one stays corrupt by the same difference.
 *
 * `pending`: a checksum that is left to be completed holds the pseudo-header's sum, not complemented. Precondition of all: the frame is one that `parseFrame` gave and has the layer concerned; without that layer nothing happens.
 */
import type { Ipv4Address, MacAddress } from './addresses.js';
import { updateChecksum, updateChecksum32 } from './checksum.js';
import type { FrameView } from './frame.js';
import type { Ipv4View } from './ipv4.js';
import { readU16, readU32, writeU16, writeU32, writeU48 } from './octets.js';

export function setEthernetAddresses(
  frame: FrameView,
  addresses: { readonly dst?: MacAddress; readonly src?: MacAddress },
): void {
  if (addresses.dst !== undefined) writeU48(frame.bytes, 0, addresses.dst);
  if (addresses.src !== undefined) writeU48(frame.bytes, 6, addresses.src);
}

export function setIpv4Source(frame: FrameView, address: Ipv4Address, pending = false): void {
  if (frame.ipv4) setIpv4Address(frame, frame.ipv4, frame.ipv4.offset + 12, address, pending);
}

export function setIpv4Destination(frame: FrameView, address: Ipv4Address, pending = false): void {
  if (frame.ipv4) setIpv4Address(frame, frame.ipv4, frame.ipv4.offset + 16, address, pending);
}

/**
 * The checksum of the transport header covers the address by its pseudo-header. In a fragment without that header nothing can be
 * done about it: whoever rewrites fragments must rewrite all of them.
 */
function setIpv4Address(frame: FrameView, ipv4: Ipv4View, at: number, address: Ipv4Address, pending: boolean): void {
  const { bytes, tcp, udp } = frame;
  const old = readU32(bytes, at);
  writeU32(bytes, at, address);
  writeU16(bytes, ipv4.offset + 10, updateChecksum32(ipv4.checksum, old, address));
  if (tcp) {
    const updated = pending
      ? ~updateChecksum32(~tcp.checksum & 0xffff, old, address) & 0xffff
      : updateChecksum32(tcp.checksum, old, address);
    writeU16(bytes, tcp.offset + 16, updated);
  }
  // UDP: 0 says that there is none and stays; a computed 0 is sent as 0xffff (RFC 768).
  if (udp && udp.checksum !== 0)
    writeU16(bytes, udp.offset + 6, updateChecksum32(udp.checksum, old, address) || 0xffff);
}

/** Lowers the TTL by one; a TTL of 0 stays. */
export function decrementTtl(frame: FrameView): void {
  const { bytes, ipv4 } = frame;
  if (!ipv4 || ipv4.ttl === 0) return;
  const at = ipv4.offset + 8;
  const old = readU16(bytes, at);
  writeU16(bytes, at, old - 0x100);
  writeU16(bytes, ipv4.offset + 10, updateChecksum(ipv4.checksum, old, old - 0x100));
}

/** `window`: the 16-bit field, not scaled. */
export function setTcpWindow(frame: FrameView, window: number, pending = false): void {
  if (frame.tcp) setTcpWord(frame, frame.tcp.offset + 14, window, pending);
}

/** Clears the flags in `mask` (`TcpFlag`). */
export function clearTcpFlags(frame: FrameView, mask: number, pending = false): void {
  if (!frame.tcp) return;
  const at = frame.tcp.offset + 12;
  setTcpWord(frame, at, readU16(frame.bytes, at) & ~(mask & 0xff), pending);
}

function setTcpWord(frame: FrameView, at: number, word: number, pending: boolean): void {
  const { bytes, tcp } = frame;
  if (!tcp) return;
  const old = readU16(bytes, at);
  if (old === word) return;
  writeU16(bytes, at, word);
  if (!pending) writeU16(bytes, tcp.offset + 16, updateChecksum(tcp.checksum, old, word));
}
