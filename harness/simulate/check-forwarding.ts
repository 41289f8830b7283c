/** Invariants of what the switch makes of a frame. */
import type { InvariantName } from './invariants.js';
import type { Monitor } from './monitor.js';
import type { Place } from './scene.js';
import {
  FIN,
  folded,
  ipChecksumHolds,
  readSegmentHeader,
  type SegmentHeader,
  tcpChecksumHolds,
} from './segment-header.js';

/** One frame that came in, and what went out for it. */
export interface Forwarding {
  readonly from: string;
  readonly header: SegmentHeader;
  /** A fault has changed it on its way. */
  readonly corrupt: boolean;
  readonly out: readonly { readonly port: string; readonly bytes: Uint8Array }[];
}

export function checkForwarding(monitor: Monitor, { from, header, corrupt, out }: Forwarding): void {
  const { scene } = monitor;
  const key = monitor.of(header)?.key ?? null;
  const fail = (name: InvariantName, message: string): never => monitor.fail(name, key, 'switch', message);
  const [first, ...more] = out;
  if (more.length > 0) fail('nothing-else-changed', `${out.length} frames for one`);
  const after = first === undefined ? undefined : readSegmentHeader(first.bytes);
  if (corrupt) {
    if (after === undefined) return;
    if (!ipChecksumHolds(header)) fail('checksums-kept', 'a frame with a bad IP checksum is forwarded');
    if (tcpChecksumHolds(after)) fail('checksums-kept', 'a corrupt segment leaves with a valid checksum');
    return;
  }
  const where = destination(monitor, from, header);
  if (where === undefined) {
    if (first?.port === 'client')
      fail('logical-source', `a segment of ${from} reaches the client, though no rule is in force for it`);
    return;
  }
  if (first === undefined || after === undefined) {
    fail(where.rule, `a segment from ${from} is not forwarded to ${where.place.name}`);
    return;
  }
  if (first.port !== where.port)
    fail(where.rule, `a segment from ${from} leaves towards ${first.port}, not ${where.port}`);
  if (after.macDst !== where.place.mac)
    fail(where.rule, `a segment leaves with another MAC address than that of ${where.place.name}`);
  if (after.macSrc !== scene.logical.mac)
    fail(
      where.port === 'client' ? 'logical-source' : where.rule,
      "a segment leaves with another source MAC address than the fabric's",
    );
  if (after.dst !== where.dst) fail(where.rule, 'a segment leaves with a wrong destination address');
  if (after.src !== where.src)
    fail(where.port === 'client' ? 'logical-source' : where.rule, 'a segment leaves with a wrong source address');
  checkRest(header, after, where, fail);
}

interface Destination {
  /** What is broken when it goes elsewhere. */
  readonly rule: 'steered' | 'disguised' | 'routed';
  readonly port: string;
  readonly place: Place;
  readonly src: number;
  readonly dst: number;
  readonly clearFin: boolean;
  readonly zeroWindow: boolean;
}

/** Where a sound segment has to go by what the switch has confirmed; undefined where the papers leave it open. */
function destination(monitor: Monitor, from: string, header: SegmentHeader): Destination | undefined {
  const { scene } = monitor;
  const tracked = monitor.of(header);
  const { src, dst } = header;
  const plain = { src, dst, clearFin: false, zeroWindow: false };
  if (from === 'client') {
    if (dst !== scene.logical.ip) return undefined;
    const backend = scene.backends.find(({ name }) => name === tracked?.rule);
    if (backend === undefined) return { rule: 'routed', port: 'controller', place: scene.controller, ...plain };
    return { rule: 'steered', port: backend.name, place: backend, ...plain, dst: backend.ip, clearFin: true };
  }
  if (dst !== scene.client.ip) return undefined;
  if (from === 'controller') return { rule: 'routed', port: 'client', place: scene.client, ...plain };
  if (tracked?.rule !== from) return undefined;
  const zeroWindow = tracked.ruleIsRead;
  return { rule: 'disguised', port: 'client', place: scene.client, ...plain, src: scene.logical.ip, zeroWindow };
}

function checkRest(
  before: SegmentHeader,
  after: SegmentHeader,
  where: Destination,
  fail: (name: InvariantName, message: string) => never,
): void {
  const { tcp, end } = before;
  const same = (from: number, to: number): boolean =>
    Buffer.compare(before.bytes.subarray(from, to), after.bytes.subarray(from, to)) === 0;
  if (where.clearFin && (after.flags & FIN) !== 0) fail('fin-hidden', 'a FIN of the client leaves towards a backend');
  if (where.zeroWindow && after.window !== 0)
    fail('client-sees-zero', `the client sees window ${after.window} while a read is handed off`);
  const [ttl, was] = [after.bytes[22] ?? 0, before.bytes[22] ?? 0];
  if (where.rule === 'routed' && ttl !== was - 1)
    fail('routed', `a segment is routed with TTL ${ttl} instead of ${was - 1}`);
  const flags = where.clearFin ? before.flags & ~FIN : before.flags;
  const window = where.zeroWindow ? 0 : before.window;
  const kept =
    after.end === end &&
    same(14, 22) &&
    (ttl === was || ttl === was - 1) &&
    same(34, tcp + 13) &&
    after.flags === flags &&
    after.window === window &&
    same(tcp + 18, end);
  if (!kept) fail('nothing-else-changed', 'a segment is changed in what has to stay as it is');
  if (!ipChecksumHolds(after)) fail('checksums-kept', 'the IP checksum is valid no more');
  // What the checksum covers has changed by these words only (RFC 1624).
  if (changing(before) !== changing(after)) fail('checksums-kept', 'the TCP checksum is valid no more');
}

/** The sum of all that may change and of the checksum over it: the same before and after. */
function changing({ bytes, src, dst, flags, window, tcp }: SegmentHeader): number {
  const words = (src >>> 16) + (src & 0xffff) + (dst >>> 16) + (dst & 0xffff) + flags + window;
  return folded(words + (bytes[tcp + 16] ?? 0) * 256 + (bytes[tcp + 17] ?? 0));
}
