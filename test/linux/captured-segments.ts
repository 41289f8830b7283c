/** The TCP segments of a run's capture, and whether their checksums hold. */
import { readFileSync } from 'node:fs';
import { readCapture } from '../../harness/capture/pcapng.js';
import type { Evidence } from '../../harness/world.js';
import { checksum, pseudoHeaderSum } from '../../reference-impl/wire/checksum.js';
import { parseFrame } from '../../reference-impl/wire/frame.js';
import type { Ipv4View } from '../../reference-impl/wire/ipv4.js';
import { findTcpOption, type TcpOption, type TcpView } from '../../reference-impl/wire/tcp.js';

export interface CapturedSegment {
  readonly vantage: string;
  readonly length: number;
  readonly ipv4: Ipv4View;
  readonly tcp: TcpView;
}

export function segmentsOf(evidence: Evidence): CapturedSegment[] {
  const capture = readCapture(readFileSync(evidence.capture));
  if (!capture.ok) throw new Error(capture.error.detail);
  return capture.frames.flatMap((frame) => {
    const parsed = parseFrame(frame.bytes);
    if (!parsed.ok || !parsed.value.ipv4 || !parsed.value.tcp) return [];
    const vantage = capture.interfaces[frame.interfaceIndex]?.name ?? '';
    return [{ vantage, length: frame.originalLength, ipv4: parsed.value.ipv4, tcp: parsed.value.tcp }];
  });
}

export function checksumsHold({ ipv4, tcp }: CapturedSegment): boolean {
  const sum = pseudoHeaderSum(ipv4.src, ipv4.dst, 6, tcp.length);
  return (
    checksum(ipv4.bytes, ipv4.payloadOffset - ipv4.headerLength, ipv4.payloadOffset) === 0 &&
    checksum(tcp.bytes, tcp.offset, tcp.offset + tcp.length, sum) === 0
  );
}

/** The first segment at the client's link with SYN, of the client (`asks`) or of the server. */
export function synOf(segments: readonly CapturedSegment[], asks: boolean): CapturedSegment {
  const found = segments.find(({ vantage, tcp }) => vantage === 'client' && tcp.syn && tcp.hasAck !== asks);
  if (!found) throw new Error('no SYN in the capture');
  return found;
}

export function optionIn<K extends TcpOption['kind']>(
  { tcp }: CapturedSegment,
  kind: K,
): Extract<TcpOption, { kind: K }> | undefined {
  return findTcpOption(tcp.options, kind);
}
