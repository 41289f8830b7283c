/** What a case may look at when its run is over: the control log and the segments of the capture, to judge what no passive check does. */
import { readCapture } from '../../harness/capture/pcapng.js';
import type { Topology } from '../../harness/topology.js';
import type { ControlLogEntry, JobResult } from '../../harness/world.js';
import {
  formatIpv4Address,
  formatMacAddress,
  parseFrame,
  TcpFlag,
  type TcpOption,
} from '../../reference-impl/wire/index.js';

/** A TCP segment as one vantage saw it. */
export interface SeenSegment {
  /** Its number in the capture, from 1. */
  readonly frame: number;
  /** Nanoseconds since the epoch. */
  readonly t: bigint;
  readonly vantage: string;
  /** `address:port`. */
  readonly src: string;
  readonly dst: string;
  readonly seq: number;
  readonly ack: number;
  readonly flags: number;
  /** Unscaled. */
  readonly window: number;
  /** Payload bytes. */
  readonly payload: number;
  readonly options: readonly TcpOption[];
  /** IP identification. */
  readonly ipId: number;
}

/** An IPv4 packet of any kind, fragments and broken ones included, as one vantage saw it. */
export interface SeenPacket {
  readonly frame: number;
  readonly vantage: string;
  readonly srcMac: string;
  readonly src: string;
  readonly dst: string;
  readonly ipId: number;
}

/** What shows an offence: a frame of the capture, or a line of the control log, both from 1. */
export type Shown =
  | { readonly frame: number; readonly note: string }
  | { readonly line: number; readonly note: string };

/** The line of an entry of the control log. */
export function lineOf(control: readonly ControlLogEntry[], entry: ControlLogEntry, note: string): Shown {
  return { line: control.indexOf(entry) + 1, note };
}

export interface CaseEvidence {
  readonly topology: Topology;
  readonly control: readonly ControlLogEntry[];
  /** Read when first asked for. */
  readonly segments: readonly SeenSegment[];
  /** Read when first asked for. */
  readonly packets: readonly SeenPacket[];
  /** What the case's clients said, in the order in which they were asked. */
  readonly results: readonly JobResult[];
  /** Records a failed expectation, as a running case does; what shows it is named in the result. */
  expect(condition: boolean, message: string, ...shownBy: readonly Shown[]): void;
  /** Of a client's service: whose fault it is has to be sought, and this shows what came of it. */
  expectServed(condition: boolean, message: string, ...shownBy: readonly Shown[]): void;
  /** The same for another clause than the one that the case is named after. */
  expectFor(clause: `${string}-${number}`, condition: boolean, message: string, ...shownBy: readonly Shown[]): void;
  /** Records that what the case is about did not come about: it concludes nothing. */
  premise(condition: boolean, message: string): void;
}

/** `capture`: the bytes of a readable capture. */
export function caseEvidence(
  given: Omit<CaseEvidence, 'segments' | 'packets'> & { readonly capture: Uint8Array },
): CaseEvidence {
  let segments: readonly SeenSegment[] | undefined;
  let packets: readonly SeenPacket[] | undefined;
  const { capture, ...rest } = given;
  return {
    ...rest,
    get packets() {
      packets ??= readPackets(capture);
      return packets;
    },
    get segments() {
      segments ??= readSegments(capture);
      return segments;
    },
  };
}

function readPackets(bytes: Uint8Array): SeenPacket[] {
  const capture = readCapture(bytes);
  if (!capture.ok) throw new Error(`the capture was readable a moment ago: ${capture.error.detail}`);
  return capture.frames.flatMap(({ interfaceIndex, bytes: frame }, index) => {
    const parsed = parseFrame(frame);
    if (!parsed.ok || parsed.value.ipv4 === undefined) return [];
    const { ethernet, ipv4 } = parsed.value;
    return {
      frame: index + 1,
      vantage: capture.interfaces[interfaceIndex]?.name ?? '',
      srcMac: formatMacAddress(ethernet.src),
      src: formatIpv4Address(ipv4.src),
      dst: formatIpv4Address(ipv4.dst),
      ipId: ipv4.id,
    };
  });
}

function readSegments(bytes: Uint8Array): SeenSegment[] {
  const capture = readCapture(bytes);
  if (!capture.ok) throw new Error(`the capture was readable a moment ago: ${capture.error.detail}`);
  const segments: SeenSegment[] = [];
  for (const [index, { interfaceIndex, timestampNs, bytes: frame }] of capture.frames.entries()) {
    const parsed = parseFrame(frame);
    if (!parsed.ok || parsed.value.ipv4 === undefined || parsed.value.tcp === undefined) continue;
    const { ipv4, tcp } = parsed.value;
    segments.push({
      frame: index + 1,
      t: timestampNs,
      vantage: capture.interfaces[interfaceIndex]?.name ?? '',
      src: `${formatIpv4Address(ipv4.src)}:${tcp.srcPort}`,
      dst: `${formatIpv4Address(ipv4.dst)}:${tcp.dstPort}`,
      seq: tcp.seq,
      ack: tcp.ack,
      flags: tcp.flags,
      window: tcp.window,
      options: tcp.options,
      payload: tcp.payloadLength,
      ipId: ipv4.id,
    });
  }
  return segments;
}

/** `address:port` that clients connect to. */
export function logicalOf({ logical }: Topology): string {
  return `${logical.ip}:${logical.port}`;
}

export function isReset({ flags }: SeenSegment): boolean {
  return (flags & TcpFlag.RST) !== 0;
}

export function isSynAck({ flags }: SeenSegment): boolean {
  const both = TcpFlag.SYN | TcpFlag.ACK;
  return (flags & both) === both;
}

export function isSyn({ flags }: SeenSegment): boolean {
  return (flags & (TcpFlag.SYN | TcpFlag.ACK)) === TcpFlag.SYN;
}

/** A message of the control log, by what it says and who logged it. */
export function logged(
  control: readonly ControlLogEntry[],
  verb: ControlLogEntry['message']['verb'],
  direction: ControlLogEntry['direction'],
  at?: string,
): readonly ControlLogEntry[] {
  return control.filter(
    (entry) => entry.message.verb === verb && entry.direction === direction && (at === undefined || entry.at === at),
  );
}
