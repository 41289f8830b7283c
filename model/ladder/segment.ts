/** Segments of Handoff.tla, and how tcpdump would say them. */
import type { Json } from '../tlc/value-json.js';
import { field, fieldsOf, isList, isTrueAt, numberAt, textAt } from './fields.js';

/** As `Segment` in Handoff.tla; `at` is where it is: on the way to the switch (`fabric`) or beyond it (`host`). */
export interface Segment {
  readonly at: 'fabric' | 'host';
  readonly by: string;
  readonly src: string;
  readonly dst: string;
  readonly seq: number;
  readonly ack: number;
  readonly wnd: number;
  readonly ts: number;
  readonly via: number;
  readonly data: readonly Json[];
  readonly syn: boolean;
  readonly fin: boolean;
  readonly rst: boolean;
  readonly owned: boolean;
}

export function readSegment(value: Json | undefined): Segment | undefined {
  const fields = fieldsOf(value);
  if (fields === undefined) return undefined;
  const at = textAt(fields, 'at');
  const by = textAt(fields, 'by');
  const dst = textAt(fields, 'dst');
  const seq = numberAt(fields, 'seq');
  const data = field(fields, 'data') ?? [];
  if ((at !== 'fabric' && at !== 'host') || by === undefined || dst === undefined || seq === undefined || !isList(data))
    return undefined;
  return {
    at,
    by,
    src: textAt(fields, 'src') ?? by,
    dst,
    seq,
    ack: numberAt(fields, 'ack') ?? 0,
    wnd: numberAt(fields, 'wnd') ?? 0,
    ts: numberAt(fields, 'ts') ?? 0,
    via: numberAt(fields, 'via') ?? 0,
    data,
    syn: isTrueAt(fields, 'syn'),
    fin: isTrueAt(fields, 'fin'),
    rst: isTrueAt(fields, 'rst'),
    owned: field(fields, 'owned') !== false,
  };
}

/**
 * `SYN seq 100 ack 1 win 2`, `seq 1:3 request 1 ack 101`. Unlike tcpdump it tells the sequence number of a bare ACK, because probes differ in
 * nothing else; and the window of a server's segment only, because the client's never closes. A time stamp is told when it is older than what
 * the client has seen, the source only when it reaches the client without being rewritten.
 */
export function segmentLabel(s: Segment, clientTs: number | undefined): string {
  const fromClient = s.by === 'client';
  const flags = [s.syn && 'SYN', s.fin && 'FIN', s.rst && 'RST'].filter((flag) => flag !== false);
  const words = [...flags, `seq ${s.seq}${s.data.length > 0 ? `:${s.seq + s.data.length}` : ''}`];
  if (s.data.length > 0) words.push(`${fromClient ? 'request' : 'response'} ${unitNames(s.data)}`);
  if (s.ack !== 0) words.push(`ack ${s.ack}`);
  if (!fromClient && !s.rst) words.push(`win ${s.wnd}`);
  if (!fromClient) words.push(...olderTs(s.ts, clientTs));
  if (!fromClient && s.at === 'host' && s.src !== 'logical') words.push(`from ${s.src}`);
  if (!s.owned) words.push('(not owner)');
  return words.join(' ');
}

/** A time stamp that goes back (RFC 7323 5.3). */
export function olderTs(ts: number, clientTs: number | undefined): string[] {
  return clientTs !== undefined && ts < clientTs ? [`ts ${ts} < ${clientTs}`] : [];
}

/** What requests the units belong to, each once. */
function unitNames(data: readonly Json[]): string {
  const names = data.map((unit) => (typeof unit === 'string' ? unit : JSON.stringify(unit)));
  return [...new Set(names)].join('+');
}
