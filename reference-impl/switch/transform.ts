/** What a frame becomes on its way through: pure functions from a dissected frame to the bytes that leave (SoCC'17 §2.3, §2.4; thesis §3.2). */
import type { Ipv4Address, MacAddress } from '../wire/addresses.js';
import { copyFrame, type FrameView } from '../wire/frame.js';
import {
  clearTcpFlags,
  decrementTtl,
  setEthernetAddresses,
  setIpv4Destination,
  setIpv4Source,
  setTcpWindow,
} from '../wire/patch.js';
import { TcpFlag } from '../wire/tcp.js';

export interface EthernetHop {
  /** The fabric's. */
  readonly src: MacAddress;
  /** The next hop's. */
  readonly dst: MacAddress;
}

/** A client's segment to its backend (SWT-1, SWT-7). `pending`: its checksum is left to be completed. */
export function rewriteToBackend(
  frame: FrameView,
  hop: EthernetHop,
  backend: Ipv4Address,
  clearFin: boolean,
  pending = false,
): Uint8Array {
  const copy = forward(frame, hop);
  setIpv4Destination(copy, backend, pending);
  if (clearFin) clearTcpFlags(copy, TcpFlag.FIN, pending);
  return copy.bytes;
}

/** A backend's segment to its client (SWT-2, SWT-6). */
export function rewriteToClient(
  frame: FrameView,
  hop: EthernetHop,
  logical: Ipv4Address,
  zeroWindow: boolean,
  pending = false,
): Uint8Array {
  const copy = forward(frame, hop);
  setIpv4Source(copy, logical, pending);
  if (zeroWindow) setTcpWindow(copy, 0, pending);
  return copy.bytes;
}

/** By the default table: nothing above layer 2 changes but the TTL (SWT-3). */
export function routeUnchanged(frame: FrameView, hop: EthernetHop): Uint8Array {
  return forward(frame, hop).bytes;
}

function forward(frame: FrameView, hop: EthernetHop): FrameView {
  const copy = copyFrame(frame);
  setEthernetAddresses(copy, hop);
  decrementTtl(copy);
  return copy;
}
