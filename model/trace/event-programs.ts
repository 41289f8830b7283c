/** Events of the roles to programs, one for each connection: between two events the environment brings the segments that the next one needs. */
import { seqDiff } from '../../reference-impl/wire/seq.js';
import type { TraceEvent } from './event-lines.js';
import { Numbers } from './numbers.js';
import type { Sayings, TracedRequest, TracedSegment, TracedStep, TraceProgram } from './program.js';

/** Handoff.tla's ISS. */
export const ISS = 100;

/** Events that are about no connection's state, or change none (ERR-4); they are counted, not judged. */
const ASIDE = new Set(['ControlRejected', 'SwitchDrop']);

/** After these a client may use its port again. */
const ENDINGS = new Set([
  'Forget',
  'ClientFin',
  'ClientReset',
  'ResetClient',
  'IdleTimeout',
  'CloseConnection',
  'RefuseRequest',
]);

export interface EventPrograms {
  readonly programs: readonly TraceProgram[];
  /** Events that are not about a connection, or change nothing. */
  readonly aside: number;
}

export function eventPrograms(events: readonly TraceEvent[]): EventPrograms {
  const groups = new Map<string, TraceEvent[][]>();
  let aside = 0;
  for (const event of events) {
    const { conn, action } = event;
    if (conn === null || ASIDE.has(action)) {
      aside++;
      continue;
    }
    const list = groups.get(conn) ?? [];
    groups.set(conn, list);
    const current = list.at(-1);
    const again = action === 'AcceptSyn' && current?.some((earlier) => ENDINGS.has(earlier.action)) === true;
    if (current === undefined || again) list.push([event]);
    else current.push(event);
  }
  const programs = [...groups].flatMap(([conn, list]) =>
    list.map((own, index) => programOf(index === 0 ? conn : `${conn}#${index + 1}`, own)),
  );
  return { programs, aside };
}

/** What the events say of one request, in numbers relative to the streams' first bytes. */
interface Said {
  readonly kind: TracedRequest['kind'];
  readonly backend: string;
  /** The controller's number of the hand-off, once it is told. */
  handoff: number | undefined;
  readonly start: number;
  readonly headEnd: number;
  end: number;
  readonly reply: number;
  replyEnd: number;
}

function programOf(connection: string, events: readonly TraceEvent[]): TraceProgram {
  const [opening] = events;
  const isn = numberOf(opening, 'seq') ?? 0;
  const iss = numberOf(opening, 'iss') ?? 0;
  const clientOffset = (seq: number): number => seqDiff(seq, isn) - 1;
  const serverOffset = (seq: number): number => seqDiff(seq, iss) - 1;
  const requests = requestsSaid(events, clientOffset, serverOffset);
  const client = new Numbers(0, 'client');
  const server = new Numbers(ISS, 'server');
  for (const request of requests) {
    for (const offset of [request.start, request.headEnd, request.end]) client.add(offset);
    for (const offset of [request.reply, request.replyEnd]) server.add(offset);
  }
  for (const event of events) {
    const { action, fields } = event;
    // A client's number in AcceptSyn and ClientFin, and where a header begins; else the server's.
    const ofClient = action === 'AcceptSyn' || action === 'ClientFin' || action === 'ReceiveRequest';
    if (typeof fields.seq === 'number')
      (ofClient ? client : server).add((ofClient ? clientOffset : serverOffset)(fields.seq));
    if (typeof fields.end === 'number') server.add(serverOffset(fields.end));
    if (typeof fields.ack === 'number') client.add(clientOffset(fields.ack));
  }
  const units = { client: (offset: number) => client.unit(offset), server: (offset: number) => server.unit(offset) };
  const last = requests.at(-1);
  const builder = new Builder(requests, units, clientOffset, serverOffset);
  for (const event of events) builder.add(event);
  return {
    connection,
    wire: false,
    backends: backendsIn(events, requests),
    requests: requests.map((request) => inUnits(request, units)),
    interim: requests.map(() => 0),
    misfortune: [...builder.misfortune],
    hidden: [],
    packets: [],
    steps: builder.steps,
    client: (unit) => client.words(unit),
    server: (unit) => server.words(unit),
    notes: last === undefined ? ['no request was received'] : [],
  };
}

interface Units {
  readonly client: (offset: number) => number;
  readonly server: (offset: number) => number;
}

/** Lengths that the events contradict are 1 or 0: then an event does not agree with the specification's numbers, and that is told. */
function inUnits(request: Said, units: Units): TracedRequest {
  const start = units.client(request.start);
  const headEnd = units.client(request.headEnd);
  return {
    kind: request.kind,
    head: Math.max(1, headEnd - start),
    payload: request.kind === 'write' ? Math.max(0, units.client(request.end) - headEnd) : 0,
    response: request.kind === 'bad' ? 1 : Math.max(1, units.server(request.replyEnd) - units.server(request.reply)),
    backend: request.backend,
  };
}

function requestsSaid(
  events: readonly TraceEvent[],
  clientOffset: (seq: number) => number,
  serverOffset: (seq: number) => number,
): Said[] {
  const requests: Said[] = [];
  let handedOff = 0;
  const served = (event: TraceEvent): Said | undefined =>
    requests.find(({ handoff }) => handoff !== undefined && handoff === event.fields.handoff);
  const told = new Set<Said>();
  for (const event of events) {
    const before = requests.at(-1);
    const start = before?.end ?? 0;
    const reply = before?.replyEnd ?? 0;
    switch (event.action) {
      case 'ReceiveRequest': {
        const headEnd = clientOffset(numberOf(event, 'ack') ?? 0);
        const { method, backend } = event.fields;
        requests.push({
          kind: method === 'GET' || method === 'HEAD' ? 'read' : 'write',
          backend: String(backend),
          handoff: undefined,
          start,
          headEnd,
          end: headEnd,
          reply,
          replyEnd: reply + 1,
        });
        break;
      }
      case 'RefuseRequest':
        // How long it was is not told, and does not matter: one byte stands for it.
        requests.push({
          kind: 'bad',
          backend: 'none',
          handoff: undefined,
          start,
          headEnd: start + 1,
          end: start + 1,
          reply,
          replyEnd: reply + 1,
        });
        break;
      case 'HandOff': {
        const request = requests.slice(handedOff).find(({ kind, handoff }) => kind !== 'bad' && handoff === undefined);
        if (request !== undefined) request.handoff = numberOf(event, 'handoff');
        handedOff = requests.length;
        break;
      }
      case 'Respond': {
        const request = served(event);
        const end = numberOf(event, 'end');
        if (request === undefined || end === undefined) break;
        request.replyEnd = serverOffset(end);
        told.add(request);
        break;
      }
      case 'Complete': {
        const request = served(event);
        const seq = numberOf(event, 'seq');
        const ack = numberOf(event, 'ack');
        if (request === undefined) break;
        if (seq !== undefined && !told.has(request)) request.replyEnd = serverOffset(seq);
        if (ack !== undefined && request.kind === 'write') request.end = clientOffset(ack);
        break;
      }
    }
  }
  return requests;
}

/** Puts the operations together. */
class Builder {
  readonly steps: TracedStep[] = [];
  readonly misfortune = new Set<string>();
  readonly #requests: readonly Said[];
  readonly #units: Units;
  readonly #clientOffset: (seq: number) => number;
  readonly #serverOffset: (seq: number) => number;
  /** Requests received so far. */
  #received = 0;
  /** What the controller has acknowledged, and what it would send next, as the specification counts. */
  #clientNext = 0;
  #serverNext = 0;
  /** Rules are gone, and the window has not been reported open. */
  #reopening = false;
  #failed = new Set<number>();

  constructor(
    requests: readonly Said[],
    units: Units,
    clientOffset: (seq: number) => number,
    serverOffset: (seq: number) => number,
  ) {
    this.#requests = requests;
    this.#units = units;
    this.#clientOffset = clientOffset;
    this.#serverOffset = serverOffset;
  }

  add(event: TraceEvent): void {
    const { action, fields } = event;
    const request = this.#requests[this.#received];
    switch (action) {
      case 'AcceptSyn':
        this.#meet('logical', { seq: 0, syn: true });
        break;
      case 'Establish':
        this.#meet('logical', { seq: 1, ack: ISS + 1 });
        this.#hidden('ControllerReceive');
        break;
      case 'ReceiveRequest':
      case 'RefuseRequest': {
        this.#received++;
        if (request === undefined) break;
        this.#header(request);
        this.#clientNext = request.headEnd;
        this.#serverNext = action === 'RefuseRequest' ? request.replyEnd + 1 : request.reply;
        break;
      }
      case 'ClientFin': {
        const from = this.#units.client(this.#clientNext);
        const fin = this.#units.client(this.#clientOffset(numberOf(event, 'seq') ?? 0));
        this.#meet('logical', { seq: from, len: Math.max(0, fin - from), ack: this.#ackAll(), fin: true });
        break;
      }
      case 'ClientReset':
        this.#meet('logical', { seq: this.#units.client(this.#clientNext), rst: true });
        break;
      case 'CloseConnection':
        this.#reopen();
        this.misfortune.add('close');
        break;
      case 'SwitchRefuseRule':
        this.misfortune.add('refuse');
        break;
      case 'Respond':
        this.#payload(this.#ofHandoff(fields.handoff), event.role);
        break;
      case 'Complete': {
        const served = this.#ofHandoff(fields.handoff);
        if (served === undefined) break;
        const seq = this.#units.client(served.end);
        this.#meet(event.role, { seq, ack: this.#units.server(served.replyEnd) });
        this.#hidden('BackendReceive');
        break;
      }
      case 'TakeBack': {
        const served = this.#ofHandoff(fields.handoff);
        if (served === undefined) break;
        this.#clientNext = served.end;
        this.#serverNext = served.replyEnd;
        break;
      }
      case 'Fail': {
        const served = this.#ofHandoff(fields.handoff);
        if (typeof fields.handoff === 'number') this.#failed.add(fields.handoff);
        if (fields.reason === 'client-reset' && served !== undefined)
          this.#meet(event.role, { seq: this.#units.client(served.headEnd), rst: true });
        else this.misfortune.add('fail');
        break;
      }
      case 'BackendLost':
        this.misfortune.add('silence');
        // A backend that says nothing more has crashed, as far as anybody can tell.
        if (!(typeof fields.handoff === 'number' && this.#failed.has(fields.handoff))) {
          this.misfortune.add('crash');
          this.#hidden('Crash');
        }
        break;
      case 'IdleTimeout':
        // Only a client that has gone is idle for so long.
        this.#meet('client', { rst: true });
        break;
      case 'SwitchRemoveRule':
        this.#reopening = true;
        break;
      case 'ReopenWindow':
        this.#reopening = false;
        break;
    }
    this.steps.push({
      operation: { op: 'act', role: event.role, name: action, says: this.#says(event) },
      source: { number: event.line, words: wordsOf(event) },
    });
  }

  /** A connection that is closed at once is closed by a FIN that reopens the window. */
  #reopen(): void {
    if (!this.#reopening) return;
    this.#reopening = false;
    this.#hidden('ReopenWindow');
  }

  #header(request: Said): void {
    const seq = this.#units.client(request.start);
    const len = Math.max(1, this.#units.client(request.headEnd) - seq);
    this.#meet('logical', { seq, len, ack: this.#units.server(request.reply) });
  }

  #payload(request: Said | undefined, backend: string): void {
    if (request === undefined || request.kind !== 'write') return;
    const seq = this.#units.client(request.headEnd);
    const len = this.#units.client(request.end) - seq;
    if (len <= 0) return;
    this.#meet(backend, { seq, len, ack: this.#units.server(request.reply) });
    this.#hidden('BackendReceive');
  }

  /** Behind all that the controller may have sent: its answer, if it gave one, and its FIN. */
  #ackAll(): number {
    return this.#units.server(this.#serverNext);
  }

  #ofHandoff(number: unknown): Said | undefined {
    return this.#requests.find(({ handoff }) => handoff !== undefined && handoff === number);
  }

  #hidden(name: string): void {
    this.steps.push({ operation: { op: 'act', role: 'none', name, says: {} }, source: undefined });
  }

  #meet(host: string, fields: Partial<TracedSegment>): void {
    const segment = { host, seq: 0, ack: 0, len: 0, syn: false, fin: false, rst: false, ...fields };
    this.steps.push({ operation: { op: 'meet', segment }, source: undefined });
  }

  /** The event's numbers in units, by the names that Trace.tla knows. */
  #says({ action, fields }: TraceEvent): Sayings {
    const says: Record<string, string | number | boolean> = {};
    const ofClient = action === 'ClientFin' || action === 'ReceiveRequest';
    if (typeof fields.seq === 'number' && action !== 'AcceptSyn' && action !== 'IgnoreSegment')
      says.seq = ofClient
        ? this.#units.client(this.#clientOffset(fields.seq))
        : this.#units.server(this.#serverOffset(fields.seq));
    if (typeof fields.ack === 'number') says.ack = this.#units.client(this.#clientOffset(fields.ack));
    if (typeof fields.end === 'number') says.end = this.#units.server(this.#serverOffset(fields.end));
    if (typeof fields.backend === 'string') says.backend = fields.backend;
    if (typeof fields.closeWindow === 'boolean') says.closeWindow = fields.closeWindow;
    if (typeof fields.wasClosed === 'boolean') says.wasClosed = fields.wasClosed;
    if (action === 'ResetClient') says.probe = fields.seq === null;
    if (action === 'Fail' || action === 'BackendFailed') says.clientReset = fields.reason === 'client-reset';
    if (typeof fields.handoff === 'number') {
      const index = this.#requests.findIndex(({ handoff }) => handoff === fields.handoff);
      says.handoff = index + 1;
    }
    return says;
  }
}

function backendsIn(events: readonly TraceEvent[], requests: readonly Said[]): string[] {
  const names = [
    ...requests.map(({ backend }) => backend),
    ...events.map(({ role }) => role),
    ...events.map(({ fields }) => String(fields.backend ?? '')),
  ];
  return [...new Set(names.filter((name) => /^backend\d+$/.test(name)))].sort();
}

function numberOf(event: TraceEvent | undefined, field: string): number | undefined {
  const value = event?.fields[field];
  return typeof value === 'number' ? value : undefined;
}

/** `backend0: TakeOver, handoff 1, seq 5, ack 7`. */
function wordsOf({ role, action, fields }: TraceEvent): string {
  const said = Object.entries(fields).map(([name, value]) => `${name} ${String(value).slice(0, 60)}`);
  return `${role}: ${[action, ...said].join(', ')}`;
}
