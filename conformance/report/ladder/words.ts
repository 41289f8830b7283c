/** What the rows of a ladder say: segments and control messages in tcpdump's manner, numbers counted from each side's SYN as Wireshark does. */
import type { ConnectionSnapshot, ControlMessage } from '../../../reference-impl/control/messages.js';
import { formatIpv4Address } from '../../../reference-impl/wire/addresses.js';
import type { FrameView } from '../../../reference-impl/wire/frame.js';
import { type Seq, seqAdd, seqDiff } from '../../../reference-impl/wire/seq.js';
import { findTcpOption } from '../../../reference-impl/wire/tcp.js';
import type { SeenSegment } from './frames.js';

/** What one connection's numbers count from. Frames are told in order of time. */
export class Numbering {
  #client: Seq | undefined;
  #server: Seq | undefined;
  #clientShift: number | undefined;
  #serverShift: number | undefined;

  /** Learns from a segment; of a side whose SYN is not there, the first number seen becomes 1. */
  hear({ tcp, towards }: SeenSegment): void {
    const byClient = towards === 'server';
    if (tcp.syn) {
      const shift = findTcpOption(tcp.options, 'window-scale')?.shift;
      if (byClient) this.#clientShift = shift;
      else this.#serverShift = shift;
    }
    const first = tcp.syn ? tcp.seq : seqAdd(tcp.seq, -1);
    if (byClient) this.#client ??= first;
    else this.#server ??= first;
    if (!tcp.hasAck) return;
    if (byClient) this.#server ??= seqAdd(tcp.ack, -1);
    else this.#client ??= seqAdd(tcp.ack, -1);
  }

  /** A number of the client's byte stream. */
  ofClient(number: Seq): number {
    return this.#client === undefined ? number : seqDiff(number, this.#client);
  }

  /** A number of the servers' byte stream. */
  ofServer(number: Seq): number {
    return this.#server === undefined ? number : seqDiff(number, this.#server);
  }

  /** In bytes: scaled when both sides' SYNs offered it (RFC 7323 §2.2), and never in a SYN. */
  window({ tcp, towards }: SeenSegment): number {
    if (tcp.syn || this.#clientShift === undefined || this.#serverShift === undefined) return tcp.window;
    return tcp.window * 2 ** Math.min(14, towards === 'server' ? this.#clientShift : this.#serverShift);
  }
}

/** `PSH seq 1:59 ack 1 win 64128 len 58 "PUT /a/written"`. ACK is told by its number. */
export function segmentWords(segment: SeenSegment, numbers: Numbering): string {
  const { tcp, towards } = segment;
  const own = (n: Seq): number => (towards === 'server' ? numbers.ofClient(n) : numbers.ofServer(n));
  const other = (n: Seq): number => (towards === 'server' ? numbers.ofServer(n) : numbers.ofClient(n));
  const flags = [tcp.syn && 'SYN', tcp.fin && 'FIN', tcp.rst && 'RST', tcp.psh && 'PSH', tcp.urg && 'URG'].filter(
    (flag) => flag !== false,
  );
  const length = tcp.payloadLength;
  const seq = own(tcp.seq);
  return [
    ...flags,
    `seq ${seq}${length > 0 ? `:${seq + length}` : ''}`,
    ...(tcp.hasAck ? [`ack ${other(tcp.ack)}`] : []),
    `win ${numbers.window(segment)}`,
    ...(length > 0 ? [`len ${length}`] : []),
    ...firstLine(tcp.payload),
  ].join(' ');
}

/** What is no segment of the logical port. */
export function frameWords(view: FrameView | undefined): string {
  if (view === undefined) return 'no Ethernet frame';
  const { arp, ipv4, tcp, udp, error } = view;
  if (arp) return `ARP ${arp.operation === 1 ? 'who has' : 'answer for'} ${formatIpv4Address(arp.targetIp)}`;
  if (ipv4 === undefined) return error ? `${error.layer}: ${error.detail}` : 'neither IPv4 nor ARP';
  const [src, dst] = [formatIpv4Address(ipv4.src), formatIpv4Address(ipv4.dst)];
  if (ipv4.isFragment) return `fragment ${src} > ${dst} at ${ipv4.fragmentOffset}, protocol ${ipv4.protocol}`;
  if (tcp) return `TCP ${src}:${tcp.srcPort} > ${dst}:${tcp.dstPort} len ${tcp.payloadLength}`;
  if (udp) return `UDP ${src}:${udp.srcPort} > ${dst}:${udp.dstPort} len ${udp.payloadLength}`;
  return `${src} > ${dst}, ${error ? `${error.layer}: ${error.detail}` : `IP protocol ${ipv4.protocol}`}`;
}

export function controlWords(message: ControlMessage, numbers: Numbering): string {
  const snapshot = ({ seq, ack }: ConnectionSnapshot): string =>
    `seq ${numbers.ofServer(seq)} ack ${numbers.ofClient(ack)}`;
  switch (message.verb) {
    case 'add': {
      const { backend, zeroWindow, clearFin } = message.rule;
      return `add rule to ${backend.name}${zeroWindow ? ', window 0' : ''}${clearFin ? ', clear FIN' : ''}`;
    }
    case 'remove':
      return 'remove rule';
    case 'handoff':
      return `hand-off ${message.handoff} ${snapshot(message.snapshot)} "${message.request.method} ${message.request.target}"`;
    case 'complete':
      return `complete ${message.handoff} ${snapshot(message.snapshot)}`;
    case 'failed':
      return `failed ${message.handoff}: ${message.reason}${message.snapshot ? ` ${snapshot(message.snapshot)}` : ''}`;
    case 'ok':
      return 'ok';
    case 'refused':
      return `refused (${message.code}): ${message.reason}`;
    case 'list':
    case 'stats':
      return message.verb;
  }
}

/** Of a request or a response. */
function firstLine(payload: Uint8Array): string[] {
  const text = Buffer.from(payload.buffer, payload.byteOffset, Math.min(payload.length, 72)).toString('latin1');
  const line = /^(?:[A-Z]{3,7} [\x21-\x7e]+|HTTP\/1\.[01] \d{3})/.exec(text)?.[0];
  return line === undefined ? [] : [`"${line}"`];
}
