/** Event traces (NDJSON): lines to events, or the line that cannot be used and why. Total. */

/** One line of a trace, checked. */
export interface TraceEvent {
  /** From 1. */
  readonly line: number;
  /** Nanoseconds since the epoch. */
  readonly t: bigint;
  readonly role: string;
  readonly action: string;
  /** `address:port` of the client, or null. */
  readonly conn: string | null;
  readonly fields: Readonly<Record<string, string | number | boolean | null>>;
}

export type EventLines =
  | { readonly ok: true; readonly events: readonly TraceEvent[] }
  /** `line N: why`. */
  | { readonly ok: false; readonly error: string };

/** Longest line in bytes; an event has some 200. */
export const LONGEST_LINE = 64 * 1024;
/** Longest trace in events: what is held in memory at once. */
export const MOST_EVENTS = 2_000_000;

/** Actions of Handoff.tla that a role reports, with the fields that must be there. */
const ACTIONS: Readonly<Record<string, Readonly<Record<string, 'number' | 'string' | 'boolean'>>>> = {
  AcceptSyn: { seq: 'number', iss: 'number' },
  Establish: {},
  ReceiveRequest: { method: 'string', backend: 'string', seq: 'number', ack: 'number', closeWindow: 'boolean' },
  RefuseRequest: {},
  ClientFin: { seq: 'number' },
  ClientReset: {},
  CloseConnection: {},
  IdleTimeout: {},
  InstallRule: { backend: 'string' },
  HandOff: { backend: 'string', handoff: 'number', seq: 'number', ack: 'number' },
  HandOffRefused: {},
  RuleRefused: {},
  TakeBack: { backend: 'string', handoff: 'number', seq: 'number', ack: 'number' },
  BackendFailed: { backend: 'string', handoff: 'number', reason: 'string' },
  BackendLost: { backend: 'string', handoff: 'number' },
  RemoveRule: {},
  ReopenWindow: { seq: 'number', ack: 'number', wasClosed: 'boolean' },
  ProbeClient: {},
  ResetClient: {},
  Forget: {},
  SwitchSilent: {},
  SwitchAddRule: { backend: 'string' },
  SwitchRefuseRule: {},
  SwitchRemoveRule: { backend: 'string' },
  SwitchDrop: {},
  TakeOver: { handoff: 'number', seq: 'number', ack: 'number' },
  Respond: { handoff: 'number', end: 'number' },
  Complete: { handoff: 'number', seq: 'number', ack: 'number' },
  Fail: { handoff: 'number', reason: 'string' },
  IgnoreSegment: {},
  ControlRejected: {},
};

/** Reads a whole trace, piece by piece as the file gives it. */
export function readEventLines(pieces: Iterable<Uint8Array>): EventLines {
  const events: TraceEvent[] = [];
  let line = 0;
  let last = 0n;
  let rest: Uint8Array = new Uint8Array(0);
  const fail = (why: string): EventLines => ({ ok: false, error: `line ${line}: ${why}` });
  for (const piece of pieces) {
    let from = 0;
    for (let end = piece.indexOf(10); end !== -1; end = piece.indexOf(10, from)) {
      line++;
      const bytes = rest.length === 0 ? piece.subarray(from, end) : Buffer.concat([rest, piece.subarray(from, end)]);
      rest = new Uint8Array(0);
      from = end + 1;
      const read = readLine(bytes, line, last);
      if (typeof read === 'string') return fail(read);
      if (events.length >= MOST_EVENTS) return fail(`more than ${MOST_EVENTS} events; split the trace`);
      last = read.t;
      events.push(read);
    }
    if (rest.length + piece.length - from > LONGEST_LINE) {
      line++;
      return fail(`longer than ${LONGEST_LINE} bytes`);
    }
    rest = Buffer.concat([rest, piece.subarray(from)]);
  }
  if (rest.length > 0) {
    line++;
    const read = readLine(rest, line, last);
    if (typeof read === 'string') return fail(/not JSON/.test(read) ? 'cut off: the file ends within it' : read);
    events.push(read);
  }
  if (events.length === 0) return { ok: false, error: 'line 1: no event: the file is empty' };
  const gap = missingHandoff(events);
  return gap === undefined ? { ok: true, events } : { ok: false, error: gap };
}

/** The event, or what is wrong with the line. */
function readLine(bytes: Uint8Array, line: number, last: bigint): TraceEvent | string {
  if (bytes.length > LONGEST_LINE) return `longer than ${LONGEST_LINE} bytes`;
  if (bytes.every((byte) => byte === 0 || byte === 9 || byte === 13 || byte === 32)) return 'a gap: nothing is on it';
  let value: unknown;
  try {
    value = JSON.parse(Buffer.from(bytes).toString('utf8'));
  } catch {
    return 'not JSON';
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return 'not a JSON object';
  const { t, role, action, conn, ...rest } = value as Record<string, unknown>;
  if (typeof t !== 'string' || !/^\d{1,19}$/.test(t)) return 't: a time is a decimal count of nanoseconds, as text';
  if (typeof role !== 'string' || !/^(controller|switch|backend\d{1,4})$/.test(role))
    return 'role: it is controller, switch, or backend0, backend1, ...';
  if (typeof action !== 'string' || !Object.hasOwn(ACTIONS, action))
    return `unknown action ${typeof action === 'string' ? JSON.stringify(action.slice(0, 40)) : '(none)'}`;
  if (conn !== null && (typeof conn !== 'string' || !/^[0-9a-fA-F.:]{3,45}:\d{1,5}$/.test(conn)))
    return "conn: it is the client's address:port, or null";
  const fields: Record<string, string | number | boolean | null> = {};
  for (const [name, field] of Object.entries(rest)) {
    if (field !== null && typeof field !== 'string' && typeof field !== 'number' && typeof field !== 'boolean')
      return `${name}: a field is a text, a number, true, false or null`;
    fields[name] = field;
  }
  for (const [name, type] of Object.entries(ACTIONS[action] ?? {}))
    if (typeof fields[name] !== type) return `${action} without ${name} (a ${type})`;
  for (const name of ['seq', 'ack', 'iss', 'end']) {
    const number = fields[name];
    if (typeof number === 'number' && !(Number.isInteger(number) && number >= 0 && number <= 0xffffffff))
      return `${name}: a sequence number is a whole number below 2^32`;
  }
  const at = BigInt(t);
  if (at < last) return `time runs backwards, by ${last - at} ns`;
  return { line, t: at, role, action, conn, fields };
}

/** A controller numbers its hand-offs without a gap: one that no event tells of is missing from the trace. */
function missingHandoff(events: readonly TraceEvent[]): string | undefined {
  const told = new Set(events.map(({ fields }) => fields.handoff));
  let last: number | undefined;
  for (const { line, action, fields } of events) {
    if (action !== 'HandOff' || typeof fields.handoff !== 'number') continue;
    const from = last ?? fields.handoff;
    if (fields.handoff > from + 1 && fields.handoff - from < 1000) {
      const missing = [...Array(fields.handoff - from - 1).keys()].map((k) => from + 1 + k).filter((h) => !told.has(h));
      const [first] = missing;
      if (first !== undefined) return `line ${line}: a gap: no event tells of hand-off ${first}`;
    }
    last = Math.max(from, fields.handoff);
  }
  return undefined;
}
