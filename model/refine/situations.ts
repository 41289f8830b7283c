/**
 * The situations of Witnesses.tla, told of states of the graph: they say which of the hazards the implementation has really been in, where TLC can only
 * say that the specification has.
 */
import type { State } from '../tlc/messages.js';
import { HEAD_END, REPLY, START } from './layout.js';
import { REQUESTS } from './scenario.js';

interface Segment {
  readonly at: string;
  readonly by: string;
  readonly dst: string;
  readonly via: number;
  readonly seq: number;
  readonly data: readonly number[];
  readonly wnd: number;
  readonly syn: boolean;
  readonly fin: boolean;
  readonly rst: boolean;
}

type Links = Readonly<Record<string, readonly Segment[]>>;

/** A state of Handoff.tla as `Graph.state` gives it. */
interface View {
  readonly client: {
    readonly st: string;
    readonly fin: number;
    readonly nxt: number;
    readonly want: number;
    readonly rcv: number;
    readonly wnd: number;
  };
  readonly controller: {
    readonly phase: string;
    readonly req: number;
    readonly rcv: number;
    readonly nxt: number;
  };
  readonly switch: { readonly rule: { readonly handoff: number } };
  readonly backend: Readonly<Record<string, { readonly st: string; readonly last: number; readonly rcv: number }>>;
  readonly net: { readonly up: Links; readonly down: Links; readonly late: readonly Segment[] };
  readonly control: readonly { readonly type: string; readonly handoff: number }[];
  readonly served: readonly number[];
}

interface Flight {
  readonly all: readonly Segment[];
  readonly toBackend: readonly Segment[];
  readonly toClient: readonly Segment[];
}

const isRead = (request: number): boolean => REQUESTS[request - 1]?.kind === 'read';
const isBackend = (host: string): boolean => host.startsWith('b');
const extent = (s: Segment): number => s.data.length + (s.fin ? 1 : 0) + (s.syn ? 1 : 0);
const headEnd = (request: number): number => HEAD_END[request - 1] ?? Number.POSITIVE_INFINITY;
const start = (request: number): number => START[request - 1] ?? Number.POSITIVE_INFINITY;

function pending({ client }: View): boolean {
  return client.fin !== 0 ? client.nxt <= client.fin : client.nxt < start(client.want + 1);
}

function flightOf({ net }: View): Flight {
  const all = [...Object.values(net.up).flat(), ...Object.values(net.down).flat(), ...net.late];
  const crossed = all.filter((s) => s.at === 'host');
  return {
    all,
    toBackend: crossed.filter((s) => isBackend(s.dst)),
    toClient: crossed.filter((s) => isBackend(s.by)),
  };
}

/** In the order and with the names of Witnesses.tla. */
const SITUATIONS: readonly (readonly [name: string, holds: (view: View, flight: Flight) => boolean])[] = [
  [
    "H1 a client's segment meets a backend before take-over",
    ({ backend }, { toBackend }) =>
      toBackend.some((s) => backend[s.dst]?.st === 'idle' && (backend[s.dst]?.last ?? 0) < s.via),
  ],
  [
    "H2 a client's segment meets a backend that gave the connection up",
    ({ backend }, { toBackend }) =>
      toBackend.some((s) => backend[s.dst]?.st === 'idle' && (backend[s.dst]?.last ?? 0) >= s.via),
  ],
  [
    'H3 an old zero window is on its way when the window is open again',
    ({ controller, client }, { toClient }) =>
      controller.phase === 'reading' && toClient.some((s) => s.wnd === 0 && s.seq === client.rcv),
  ],
  [
    'H4 the acknowledgement that reopened the window is lost',
    (view, { all }) =>
      view.controller.phase === 'reading' &&
      all.length === 0 &&
      view.client.st === 'established' &&
      pending(view) &&
      view.client.wnd === 0,
  ],
  [
    'H5 pipelined bytes behind a read meet its backend',
    ({ backend }, { toBackend }) =>
      toBackend.some(
        (s) => isRead(s.via) && s.data.length > 0 && s.seq >= headEnd(s.via) && backend[s.dst]?.st === 'serving',
      ),
  ],
  [
    'H6 the end of a payload and the next request share a segment',
    (_, { toBackend }) =>
      toBackend.some(
        (s) => s.via !== 0 && !isRead(s.via) && s.seq < start(s.via + 1) && s.seq + s.data.length > start(s.via + 1),
      ),
  ],
  [
    'H7 a backend crashes when the client has some of its response',
    ({ controller, backend, client }) =>
      controller.phase === 'handedOff' &&
      backend[REQUESTS[controller.req - 1]?.backend ?? '']?.st === 'crashed' &&
      client.rcv > controller.nxt,
  ],
  [
    'H8 a FIN is cleared',
    ({ client }, { toBackend }) =>
      toBackend.some(
        (s) => client.fin !== 0 && client.nxt > client.fin && s.seq === client.fin && s.data.length === 0 && !s.rst,
      ),
  ],
  [
    "H9 a backend's segment has yet to cross the switch when the rules are gone",
    (view, { all }) => all.some((s) => isBackend(s.by) && s.at === 'fabric') && view.switch.rule.handoff === 0,
  ],
  [
    "H10 a former backend's data arrives when the connection has moved on",
    ({ controller }, { toClient }) => toClient.some((s) => s.data.length > 0 && s.via < controller.req),
  ],
  [
    'a header arrives in parts',
    ({ controller: c }) => c.phase === 'reading' && start(c.req) < c.rcv && c.rcv < headEnd(c.req),
  ],
  [
    'a payload arrives behind its header',
    ({ controller: c }, { all }) =>
      c.phase === 'reading' &&
      c.req <= REQUESTS.length &&
      !isRead(c.req) &&
      all.some(
        (s) => s.at === 'host' && s.dst === 'logical' && s.seq <= c.rcv && s.seq + s.data.length > headEnd(c.req),
      ),
  ],
  [
    'a window probe meets a backend',
    ({ backend }, { toBackend }) =>
      toBackend.some(
        (s) => extent(s) === 0 && !s.rst && backend[s.dst]?.st === 'serving' && s.seq < (backend[s.dst]?.rcv ?? 0),
      ),
  ],
  [
    "a client's abort meets a backend",
    ({ backend }, { toBackend }) =>
      toBackend.some((s) => s.rst && backend[s.dst]?.st === 'serving' && s.seq === backend[s.dst]?.rcv),
  ],
  [
    'successive requests are served by different backends (HOF-6)',
    ({ served, client }) =>
      served.length >= 2 && client.rcv >= (REPLY[2] ?? 0) && REQUESTS[0]?.backend !== REQUESTS[1]?.backend,
  ],
  [
    'every request is answered and the connection closed',
    ({ served, client, controller }) =>
      served.length === REQUESTS.length &&
      client.st === 'finished' &&
      (controller.phase === 'closed' || controller.phase === 'gone'),
  ],
  [
    'a report comes when the backend has been given up',
    ({ control, controller: c }) =>
      control.some((m) => m.type === 'complete' && !(c.phase === 'handedOff' && m.handoff === c.req)),
  ],
  ['the switch refuses a rule', ({ control }) => control.some((m) => m.type === 'refused')],
  [
    'a client that is to be reset tells the number it expects',
    ({ controller, client }, { all }) =>
      controller.phase === 'resetting' && client.st === 'established' && all.some((s) => s.by === 'client' && !s.rst),
  ],
  [
    'segments of two hosts are on their way to the client at once',
    (_, { all }) => all.some((s) => isBackend(s.by)) && all.some((s) => s.by === 'logical'),
  ],
];

export const SITUATION_NAMES: readonly string[] = SITUATIONS.map(([name]) => name);

/** Which situations occur among states of the graph. */
export class SituationsMet {
  readonly #met = new Set<string>();

  add(state: State): void {
    if (this.#met.size === SITUATIONS.length) return;
    const view = state as unknown as View;
    const flight = flightOf(view);
    for (const [name, holds] of SITUATIONS) if (!this.#met.has(name) && holds(view, flight)) this.#met.add(name);
  }

  /** In the order of Witnesses.tla. */
  get met(): readonly string[] {
    return SITUATION_NAMES.filter((name) => this.#met.has(name));
  }

  get never(): readonly string[] {
    return SITUATION_NAMES.filter((name) => !this.#met.has(name));
  }
}
