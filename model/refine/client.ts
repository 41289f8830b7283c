/**
 * The small client of the explored world: an unmodified TCP with any HTTP/1.1 program on it, in the specification's units (Handoff.tla,
 * "The client"). It is not under judgement; it does whatever a client may.
 */
import { REQUEST_AT, START, type Unit } from './layout.js';
import { CLIENT_WINDOW, MAX_SEGMENT, REQUESTS } from './scenario.js';

export interface Client {
  readonly st: 'closed' | 'synSent' | 'established' | 'finished' | 'aborted' | 'reset';
  /** How many requests the program has asked for. */
  readonly want: number;
  readonly una: Unit;
  readonly nxt: Unit;
  /** The number of its FIN, or 0. */
  readonly fin: Unit;
  readonly wnd: number;
  readonly wl1: Unit;
  readonly wl2: Unit;
  readonly rcv: Unit;
  readonly eof: boolean;
  /** The requests that the units of its stream belong to. */
  readonly got: readonly number[];
  readonly ts: number;
}

/** A segment in units; `ts` is 1 where the clock stands, less where it went back. */
export interface UnitSegment {
  readonly src: string;
  readonly seq: Unit;
  readonly ack: Unit;
  readonly data: readonly number[];
  readonly wnd: number;
  readonly syn: boolean;
  readonly fin: boolean;
  readonly rst: boolean;
  readonly ts: number;
}

export interface ClientStep {
  readonly client: Client;
  readonly sent: readonly UnitSegment[];
}

export const CLOSED: Client = {
  st: 'closed',
  want: 0,
  una: 0,
  nxt: 0,
  fin: 0,
  wnd: 0,
  wl1: 0,
  wl2: 0,
  rcv: 0,
  eof: false,
  got: [],
  ts: 0,
};

const ALL = REQUESTS.length;
const END: Unit = START[ALL] ?? 0;

export function vanished(client: Client): boolean {
  return client.st === 'aborted' || client.st === 'reset';
}

function pending(client: Client): boolean {
  return client.fin !== 0 ? client.nxt <= client.fin : client.nxt < (START[client.want] ?? 0);
}

function windowOpen(client: Client): boolean {
  return client.nxt < client.una + client.wnd;
}

function from(client: Client, fields: Partial<UnitSegment>): UnitSegment {
  return {
    src: 'client',
    seq: client.nxt,
    ack: client.rcv,
    data: [],
    wnd: CLIENT_WINDOW,
    syn: false,
    fin: false,
    rst: false,
    ts: 0,
    ...fields,
  };
}

function unitsOf(first: Unit, behind: Unit): number[] {
  return REQUEST_AT.slice(first, behind);
}

/** What the client may do by itself, each with the name of the specification's action. */
export function clientActs(client: Client): { readonly action: string; readonly step: ClientStep }[] {
  if (client.st === 'closed')
    return [
      {
        action: 'Connect',
        step: {
          client: { ...client, st: 'synSent', nxt: 1 },
          sent: [from({ ...client, nxt: 0 }, { syn: true })],
        },
      },
    ];
  if (client.st !== 'established') return [];
  const acts: { action: string; step: ClientStep }[] = [];
  if (client.fin === 0) {
    for (let count = 1; count <= MAX_SEGMENT; count++) {
      const nxt = client.nxt + count;
      if (nxt > Math.min(END, client.una + client.wnd)) break;
      acts.push({
        action: 'ClientSend',
        step: {
          client: { ...client, nxt, want: Math.max(client.want, REQUEST_AT[nxt - 1] ?? 0) },
          sent: [from(client, { data: unitsOf(client.nxt, nxt) })],
        },
      });
    }
    if (client.wnd === 0 && !pending(client) && client.want < ALL)
      acts.push({ action: 'ClientWrite', step: { client: { ...client, want: client.want + 1 }, sent: [] } });
    if (client.eof) acts.push({ action: 'ClientClose', step: close(client) });
  }
  if (client.fin !== 0 && client.fin === client.nxt && windowOpen(client))
    acts.push({
      action: 'ClientSendFin',
      step: { client: { ...client, nxt: client.nxt + 1 }, sent: [from(client, { fin: true })] },
    });
  return acts;
}

/** Behind any of its requests. */
export function mayCloseEarly(client: Client): boolean {
  return client.st === 'established' && client.fin === 0 && START.slice(1).includes(client.nxt);
}

export function close(client: Client): ClientStep {
  return { client: { ...client, fin: client.nxt }, sent: [] };
}

export function abort(client: Client): ClientStep {
  return { client: { ...client, st: 'aborted' }, sent: [from(client, { rst: true })] };
}

/** What its timers send: SYN, data and FIN again, or a window probe, one number back as Linux makes it (RFC 9293 §3.8.6.1). */
export function repeats(client: Client): UnitSegment[] {
  if (client.st === 'synSent') return [from(client, { seq: 0, syn: true })];
  if (client.st !== 'established') return [];
  if (client.una < client.nxt) {
    const end = client.fin !== 0 ? Math.min(client.nxt, client.fin) : client.nxt;
    const stop = Math.min(end, client.una + MAX_SEGMENT);
    const fin = client.fin !== 0 && stop === client.fin && client.nxt > client.fin;
    return [from(client, { seq: client.una, data: unitsOf(client.una, stop), fin })];
  }
  return pending(client) && !windowOpen(client) ? [from(client, { seq: client.una - 1 })] : [];
}

function extent(segment: UnitSegment): number {
  return segment.data.length + (segment.fin ? 1 : 0) + (segment.syn ? 1 : 0);
}

/** RFC 9293 §3.10.7.4, for a window that does not close. */
function acceptable(segment: UnitSegment, rcv: Unit): boolean {
  const length = extent(segment);
  if (length === 0) return rcv <= segment.seq && segment.seq <= rcv + CLIENT_WINDOW;
  return segment.seq + length > rcv && segment.seq < rcv + CLIENT_WINDOW;
}

/** A segment arrives (RFC 9293 §3.10.7, RFC 5961, RFC 7323 §5.3). */
export function clientReceives(client: Client, segment: UnitSegment): ClientStep {
  const silent: ClientStep = { client, sent: [] };
  const answered: ClientStep = { client, sent: [from(client, {})] };
  if (segment.src !== 'logical') return silent;
  switch (client.st) {
    case 'closed':
      return silent;
    case 'synSent': {
      if (!segment.syn || segment.ack !== 1) return silent;
      const next: Client = {
        ...client,
        st: 'established',
        una: 1,
        wnd: segment.wnd,
        wl1: segment.seq,
        wl2: 1,
        rcv: segment.seq + 1,
        ts: segment.ts,
      };
      return { client: next, sent: [from(next, {})] };
    }
    case 'aborted':
    case 'reset':
      return segment.rst ? silent : { client, sent: [from(client, { seq: segment.ack, ack: 0, rst: true })] };
    case 'finished':
      return segment.fin ? answered : silent;
    case 'established':
      if (segment.rst) {
        if (segment.seq === client.rcv) return { client: { ...client, st: 'reset' }, sent: [] };
        return acceptable(segment, client.rcv) ? answered : silent;
      }
      if (segment.ts < client.ts || segment.syn || !acceptable(segment, client.rcv) || segment.ack > client.nxt)
        return answered;
      return takes(client, segment);
  }
}

function takes(client: Client, segment: UnitSegment): ClientStep {
  const valid = client.una <= segment.ack && segment.ack <= client.nxt;
  const update = valid && (client.wl1 < segment.seq || (client.wl1 === segment.seq && client.wl2 <= segment.ack));
  const fresh = segment.seq <= client.rcv ? segment.data.slice(client.rcv - segment.seq) : [];
  const rcv = client.rcv + fresh.length;
  const eof = segment.fin && segment.seq + segment.data.length === rcv;
  const una = valid ? segment.ack : client.una;
  const next: Client = {
    ...client,
    una,
    ...(update ? { wnd: segment.wnd, wl1: segment.seq, wl2: segment.ack } : {}),
    rcv: rcv + (eof ? 1 : 0),
    eof: client.eof || eof,
    got: [...client.got, ...fresh],
    st: (client.eof || eof) && client.fin !== 0 && una > client.fin ? 'finished' : client.st,
  };
  return { client: next, sent: extent(segment) > 0 ? [from(next, {})] : [] };
}
