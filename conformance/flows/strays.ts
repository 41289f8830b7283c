/** Segments between client and server that arrive nowhere as what they are, but as one of an address or port that nobody in the topology has. */
import type { Ipv4Address } from '../../reference-impl/wire/addresses.js';
import { isBackend } from './connection.js';
import type { Frame, Segment } from './decode.js';
import type { Judged } from './judged.js';
import { remembered } from './remembered.js';

/** The server's end of a segment. */
interface ServerEnd {
  readonly ip: Ipv4Address;
  readonly port: number;
}

export interface Stray {
  readonly sent: Segment;
  /** The same client, numbers, IP id and length. */
  readonly arrived: Frame;
  readonly before: ServerEnd;
  readonly after: ServerEnd;
}

export const strays: (judged: Judged) => readonly Stray[] = remembered(find);

function find(judged: Judged): Stray[] {
  const loose = new Map<string, Frame[]>();
  for (const { sent, arrivals } of judged.others) {
    const [arrived] = arrivals;
    const tcp = arrived?.view.tcp;
    if (sent !== undefined || arrived === undefined || tcp === undefined || arrived.ipv4.isFragment) continue;
    const towards = arrived.vantage === 'client' ? 'client' : 'server';
    const client = towards === 'server' ? `${arrived.src}:${tcp.srcPort}` : `${arrived.dst}:${tcp.dstPort}`;
    const key = `${towards}|${client}|${tcp.seq}|${tcp.ack}|${arrived.ipv4.id}|${tcp.payloadLength}`;
    const list = loose.get(key);
    if (list) list.push(arrived);
    else loose.set(key, [arrived]);
  }
  if (loose.size === 0) return [];
  const found: Stray[] = [];
  for (const { sent, arrivals } of judged.packets) {
    if (sent === undefined || arrivals.length > 0) continue;
    const { towards, tcp } = sent;
    const client = towards === 'server' ? `${sent.src}:${tcp.srcPort}` : `${sent.dst}:${tcp.dstPort}`;
    const key = `${towards}|${client}|${sent.seq}|${sent.ack}|${sent.ipv4.id}|${sent.length}`;
    const arrived = loose.get(key)?.shift();
    const other = arrived?.view.tcp;
    if (arrived === undefined || other === undefined) continue;
    const toServer = towards === 'server';
    const before = toServer ? { ip: sent.dst, port: tcp.dstPort } : { ip: sent.src, port: tcp.srcPort };
    const after = toServer ? { ip: arrived.dst, port: other.dstPort } : { ip: arrived.src, port: other.srcPort };
    found.push({ sent, arrived, before, after });
  }
  return found;
}

/** What went through a rule, if any did: towards a backend's link, or from a backend. */
export function isRewritten({ sent, arrived }: Stray): boolean {
  return sent.towards === 'server' ? isBackend(arrived.vantage) : isBackend(sent.vantage);
}
