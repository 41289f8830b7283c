/** Traces written by hand: states of Handoff.tla, each told by what differs from the one before. */
import type { State, TraceState } from '../../../model/tlc/messages.js';
import type { Json } from '../../../model/tlc/value-json.js';

type Fields = { readonly [name: string]: Json };

/** Merges records into each other; everything else replaces what was there. */
export function changed(before: Json, change: Json): Json {
  if (!isRecord(before) || !isRecord(change)) return change;
  const fields = Object.entries(change).map(([name, value]) => [name, changed(before[name] ?? null, value)] as const);
  return { ...before, ...Object.fromEntries(fields) };
}

function isRecord(value: Json): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** `steps`: the name of an action, and what it changes. */
export function story(first: Json, ...steps: readonly (readonly [string, Json])[]): TraceState[] {
  let state = first;
  return [['', {}] as const, ...steps].map(([action, change], i) => {
    state = changed(state, change);
    return { index: i + 1, action: action || null, location: null, state: stateOf(state) };
  });
}

function stateOf(value: Json): State {
  return isRecord(value) ? value : {};
}

const IDLE = { st: 'idle', handoff: 0, una: 0, nxt: 0, rcv: 0, ts: 0, last: 0, report: 'none' };
const NO_LINKS = { client: [], logical: [], b1: [], b2: [] };
export const NO_RULE = { handoff: 0, backend: 'none', zero: false };

/** The controller's field `then`, which a literal must not have: such an object looks like a promise. */
export const next = (value: string) => Object.fromEntries([['then', value]]);

/** `Init`. */
export const INIT = {
  client: { st: 'closed', want: 0, una: 0, nxt: 0, fin: 0, wnd: 0, wl1: 0, wl2: 0, rcv: 0, eof: false, got: [], ts: 0 },
  controller: {
    ...{ phase: 'listen', una: 0, nxt: 0, rcv: 0, req: 1, open: true },
    ...{ eof: false, ...next('none'), ts: 1, decided: false },
  },
  switch: { rule: NO_RULE, done: 0, drained: [] },
  backend: { b1: IDLE, b2: IDLE },
  net: { up: NO_LINKS, down: NO_LINKS, late: [] },
  control: [],
  served: [],
  events: 2,
} as const satisfies Fields;

/** Established, the client's header of request 1 sent and acknowledged, request 1 at b1. */
export const LENT = changed(INIT, {
  client: { st: 'established', want: 1, una: 2, nxt: 2, rcv: 101, ts: 1 },
  controller: { phase: 'handedOff', una: 101, nxt: 101, rcv: 2, open: false },
  switch: { rule: { handoff: 1, backend: 'b1', zero: true } },
  backend: { b1: { st: 'serving', handoff: 1, una: 101, nxt: 101, rcv: 2, ts: 1 } },
});

const SEGMENT = {
  ...{ at: 'fabric', seq: 0, ack: 0, data: [], wnd: 2, syn: false, fin: false, rst: false },
  ...{ ts: 1, owned: true, via: 0 },
};

export const fromClient = (more: Fields): Json => ({
  ...SEGMENT,
  src: 'client',
  dst: 'logical',
  by: 'client',
  ...more,
});
export const fromBackend = (more: Fields): Json => ({ ...SEGMENT, src: 'b1', dst: 'client', by: 'b1', ...more });
export const fromController = (more: Fields): Json => ({
  ...{ ...SEGMENT, at: 'host', src: 'logical', dst: 'client', by: 'logical' },
  ...more,
});
