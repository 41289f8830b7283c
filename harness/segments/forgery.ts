/** From what a story says of a forged frame, and what the tracking knows, to the frame's full description. */
import { seqAdd } from '../../reference-impl/wire/seq.js';
import { TcpFlag } from '../../reference-impl/wire/tcp.js';
import type { ScapyTcpOption } from '../scapy/bridge.js';
import type { Craft } from './craft.js';
import type { FlagName, Forgery } from './story.js';

/** What the client would send now. */
export interface Present {
  readonly client: { readonly ip: string; readonly port: number; readonly mac: string };
  readonly logical: { readonly ip: string; readonly port: number; readonly mac: string };
  readonly seq: number;
  readonly ack: number;
  readonly window: number;
  /** Its TSval and the one it echoes; null without timestamps. */
  readonly timestamps: { readonly value: number; readonly echo: number } | null;
  readonly ipId: number;
}

const PROTOCOLS = { tcp: 6, udp: 17, icmp: 1 } as const;

export function flagBits(names: readonly FlagName[]): number {
  return names.reduce((bits, name) => bits | TcpFlag[name], 0);
}

export function describeForgery(forgery: Forgery, present: Present): Craft {
  const { client, logical } = present;
  const from = { ...client, ...(forgery.asServer && { ip: logical.ip, port: logical.port }), ...forgery.from };
  const to = { ...logical, ...(forgery.asServer && { ip: client.ip, port: client.port }), ...forgery.to };
  const [seq, ack] = forgery.asServer ? [present.ack, present.seq] : [present.seq, present.ack];
  const protocol = forgery.protocol ?? 'tcp';
  const payload = Buffer.from(forgery.text ?? '', 'latin1').toString('hex');
  return {
    ethernet: { dst: to.mac, src: from.mac },
    ipv4: {
      src: from.ip,
      dst: to.ip,
      ttl: forgery.ttl ?? 64,
      id: present.ipId,
      tos: forgery.tos ?? 0,
      dontFragment: forgery.fragments === undefined,
      moreFragments: false,
      fragmentOffset: 0,
      protocol: PROTOCOLS[protocol],
      options: forgery.ipOptions ?? '',
    },
    ...(protocol === 'tcp' && {
      tcp: {
        srcPort: from.port,
        dstPort: to.port,
        seq: seqAdd(forgery.seq ?? seq, forgery.shift?.seq ?? 0),
        ack: seqAdd(forgery.ack ?? ack, forgery.shift?.ack ?? 0),
        flags: flagBits(forgery.flags ?? ['ACK']),
        window: forgery.window ?? present.window,
        urgentPointer: forgery.urgentPointer ?? 0,
        options: timestampOptions(forgery.tsval, present),
        payload,
      },
    }),
    ...(protocol === 'udp' && { udp: { srcPort: from.port, dstPort: to.port, payload } }),
    // An echo request (RFC 792); its checksum is part of what is described.
    ...(protocol === 'icmp' && { payload: echoRequest(payload) }),
    ...(forgery.dataOffset !== undefined && { dataOffset: forgery.dataOffset }),
    ...(forgery.fragments !== undefined && { fragments: forgery.fragments }),
    ...(forgery.wrong !== undefined && { wrong: forgery.wrong }),
    ...(forgery.padding !== undefined && { padding: forgery.padding }),
    ...(forgery.vlan !== undefined && { vlan: forgery.vlan }),
    ...(forgery.etherType !== undefined && { etherType: forgery.etherType }),
    ...(forgery.cutTo !== undefined && { cutTo: forgery.cutTo }),
  };
}

function timestampOptions(tsval: number | null | undefined, present: Present): ScapyTcpOption[] {
  if (present.timestamps === null || tsval === null) return [];
  const { value, echo } = present.timestamps;
  return [{ kind: 'nop' }, { kind: 'nop' }, { kind: 'timestamps', value: seqAdd(value, tsval ?? 0), echo }];
}

function echoRequest(payload: string): string {
  const bytes = Buffer.concat([Buffer.from([8, 0, 0, 0, 0, 1, 0, 1]), Buffer.from(payload, 'hex')]);
  let sum = 0;
  for (let at = 0; at < bytes.length; at += 2) sum += ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  bytes.writeUInt16BE(~sum & 0xffff, 2);
  return bytes.toString('hex');
}
