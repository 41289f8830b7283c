/** How a simulated run's segments, control messages and events are said: numbers count from each side's SYN, as tcpdump's do. */
import { ACK, FIN, RST, readSegmentHeader, SYN, seqDistance } from '../../harness/simulate/segment-header.js';
import type { ConnectionSnapshot, ControlMessage } from '../../reference-impl/control/messages.js';
import type { RoleEvent } from '../../reference-impl/core/core.js';
import { formatIpv4Address } from '../../reference-impl/wire/addresses.js';

interface Numbers {
  client: number | null;
  server: number | null;
}

export interface SaidSegment {
  /** The client's `address:port`. */
  readonly conn: string;
  readonly label: string;
}

/** The port that clients speak to; their own are ephemeral. */
const SERVER_PORT = 80;

/** Learns the initial numbers of connections as their frames pass. */
export class ConnectionNumbers {
  readonly #known = new Map<string, Numbers>();

  /** Undefined for what is no TCP segment. */
  segment(bytes: Uint8Array): SaidSegment | undefined {
    const header = readSegmentHeader(bytes);
    if (header === undefined) return undefined;
    const { src, dst, srcPort, dstPort, seq, ack, flags, window, payload, end } = header;
    const byClient = dstPort === SERVER_PORT;
    const conn = byClient ? `${formatIpv4Address(src)}:${srcPort}` : `${formatIpv4Address(dst)}:${dstPort}`;
    const numbers = this.#of(conn);
    const side = byClient ? 'client' : 'server';
    if ((flags & SYN) !== 0) numbers[side] ??= seq;
    const [own, other] = byClient ? [numbers.client, numbers.server] : [numbers.server, numbers.client];
    const from = relative(seq, own);
    const length = end - payload;
    const words = [
      ...(
        [
          [SYN, 'SYN'],
          [FIN, 'FIN'],
          [RST, 'RST'],
        ] as const
      ).flatMap(([flag, name]) => ((flags & flag) === 0 ? [] : [name])),
      `seq ${from}${length > 0 ? `:${from + length}` : ''}`,
      ...((flags & ACK) === 0 ? [] : [`ack ${relative(ack, other)}`]),
      `win ${window}`,
      ...firstLine(bytes.subarray(payload, end)),
    ];
    return { conn, label: words.join(' ') };
  }

  control(message: ControlMessage): string {
    switch (message.verb) {
      case 'add':
        return `add rule -> ${message.rule.backend.name}${message.rule.zeroWindow ? ', window 0' : ''}`;
      case 'remove':
        return 'remove rule';
      case 'handoff':
        return `hand-off ${message.handoff} ${message.request.method} ${message.request.target} ${this.#snapshot(keyOf(message), message.snapshot)}`;
      case 'complete':
        return `complete ${message.handoff} ${this.#snapshot(keyOf(message), message.snapshot)}`;
      case 'failed':
        return `failed ${message.handoff}: ${message.reason}`;
      case 'ok':
        return `ok to ${message.re.slice(0, message.re.indexOf('/'))}`;
      case 'refused':
        return `refused (${message.code}): ${message.reason}`;
      case 'list':
      case 'stats':
        return message.verb;
    }
  }

  /** The action and what it tells; numbers of the streams relative, everything else as it is. */
  event({ action, conn, ...fields }: RoleEvent): string {
    const numbers = conn === null ? undefined : this.#of(conn);
    const said = Object.entries(fields).map(([name, value]) => {
      if (typeof value !== 'number') return `${name} ${value}`;
      if (name === 'iss' || action === 'AcceptSyn') return `${name} ${value}`;
      // A backend's `IgnoreSegment` and the controller's `ClientFin` tell the client's number.
      const ofClient = name === 'ack' || action === 'IgnoreSegment' || action === 'ClientFin';
      if (name !== 'seq' && name !== 'ack') return `${name} ${value}`;
      return `${name} ${relative(value, (ofClient ? numbers?.client : numbers?.server) ?? null)}`;
    });
    return [action, ...said].join(' ');
  }

  #snapshot(conn: string, { seq, ack }: ConnectionSnapshot): string {
    const { client, server } = this.#of(conn);
    return `seq ${relative(seq, server)} ack ${relative(ack, client)}`;
  }

  #of(conn: string): Numbers {
    let numbers = this.#known.get(conn);
    if (numbers === undefined) {
      numbers = { client: null, server: null };
      this.#known.set(conn, numbers);
    }
    return numbers;
  }
}

function keyOf({ conn }: { conn: { client: { ip: string; port: number } } }): string {
  return `${conn.client.ip}:${conn.client.port}`;
}

function relative(number: number, first: number | null): number {
  return first === null ? number : seqDistance(number, first);
}

/** Of a request or a response. */
function firstLine(payload: Uint8Array): string[] {
  const text = Buffer.from(payload.buffer, payload.byteOffset, Math.min(payload.length, 80)).toString('latin1');
  const line = /^(?:(?:GET|HEAD|PUT|POST) \S+|HTTP\/1\.[01] \d{3})/.exec(text)?.[0];
  return line === undefined ? [] : [`"${line}"`];
}
