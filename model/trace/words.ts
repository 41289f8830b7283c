/** The state in which a trace leaves the specification, and what would have been allowed there, in words. */
import { type Fields, field, fieldsOf, isList, numberAt, textAt } from '../ladder/fields.js';
import { type Json, toJson } from '../tlc/value-json.js';
import type { Departure } from './check.js';
import type { TraceProgram } from './program.js';

export interface DepartureWords {
  /** The last matching state; of several the first, which has the fewest hidden steps behind it. */
  readonly state: readonly string[];
  readonly allowed: readonly string[];
}

export function departureWords(program: TraceProgram, departure: Departure): DepartureWords {
  const states = departure.states.map((value) => recordOf(toJson(value)));
  const [first = {}] = states;
  const frames = program.wire ? states.flatMap((state) => framesAllowed(program, state)) : [];
  const actions = departure.allowed.map((name) => (program.wire ? `${name} (shows in no frame)` : name));
  return { state: stateWords(program, first), allowed: [...new Set([...frames, ...actions])] };
}

const PHASES: Readonly<Record<string, string>> = {
  listen: 'knows no connection',
  synReceived: 'has answered the SYN',
  reading: 'reads request',
  installing: 'has acknowledged the header and asked for the rules of request',
  handedOff: 'has handed off request',
  removing: 'waits for the rules to be gone after request',
  closing: 'is closing',
  lastAck: 'has answered the FIN of the client',
  closed: 'has closed',
  resetting: 'is resetting the client',
  gone: 'has forgotten the connection',
};

function stateWords(program: TraceProgram, state: Fields): string[] {
  const controller = recordOf(field(state, 'controller'));
  const phase = textAt(controller, 'phase') ?? '?';
  const words = PHASES[phase] ?? phase;
  const request = /request$/.test(words) ? ` ${numberAt(controller, 'req') ?? '?'}` : '';
  const lines = [`controller ${words}${request}${numbers(program, controller)}${windowOf(controller)}`];
  const rule = recordOf(field(recordOf(field(state, 'switch')), 'rule'));
  const handoff = numberAt(rule, 'handoff') ?? 0;
  lines.push(
    handoff === 0
      ? 'switch has no rule'
      : `switch sends the connection to ${textAt(rule, 'backend')} (request ${handoff})`,
  );
  for (const [name, value] of Object.entries(recordOf(field(state, 'backend')))) {
    const backend = recordOf(value);
    const st = textAt(backend, 'st');
    if (st === 'serving')
      lines.push(`${name} serves request ${numberAt(backend, 'handoff')}${numbers(program, backend)}`);
    else if (st === 'crashed') lines.push(`${name} has crashed`);
    else if ((numberAt(backend, 'last') ?? 0) > 0)
      lines.push(`${name} has given up request ${numberAt(backend, 'last')}`);
  }
  const control = field(state, 'control');
  if (isList(control) && control.length > 0)
    lines.push(`on its way: ${control.map((message) => controlWords(recordOf(message))).join(', ')}`);
  const owes = textAt(state, 'owes');
  if (owes === 'header') lines.push('the controller is yet to acknowledge the header');
  if (owes === 'reopen') lines.push('the controller is yet to reopen the window');
  return lines;
}

/** Numbers of an owner: what it would send next, what has been acknowledged of that, what it expects. */
function numbers(program: TraceProgram, owner: Fields): string {
  const nxt = numberAt(owner, 'nxt');
  const una = numberAt(owner, 'una');
  const rcv = numberAt(owner, 'rcv');
  if (nxt === undefined || rcv === undefined || nxt === 0) return '';
  const sent = una === undefined || una === nxt ? 'all acknowledged' : `acknowledged up to ${program.server(una)}`;
  return `; has sent up to ${program.server(nxt)}, ${sent}; expects ${program.client(rcv)}`;
}

function windowOf(controller: Fields): string {
  if ((numberAt(controller, 'nxt') ?? 0) === 0) return '';
  return field(controller, 'open') === true ? '; window open' : '; window closed';
}

function controlWords(message: Fields): string {
  return `${textAt(message, 'type')} of request ${numberAt(message, 'handoff')}`;
}

function framesAllowed(program: TraceProgram, state: Fields): string[] {
  const frames = recordOf(field(state, 'frames'));
  const own = field(frames, 'controller');
  const serving = field(frames, 'backends');
  const lines: string[] = [];
  for (const segment of isList(own) ? own.map(recordOf) : [])
    lines.push(`controller sends: ${segmentWords(program, segment)}`);
  for (const name of isList(serving) ? serving : []) {
    const backend = recordOf(field(recordOf(field(state, 'backend')), String(name)));
    const to = numberAt(backend, 'nxt') ?? 0;
    const rcv = numberAt(backend, 'rcv') ?? 0;
    lines.push(`${name} sends: bytes before ${program.server(to)}, acknowledging at most ${program.client(rcv)}`);
  }
  return lines;
}

function segmentWords(program: TraceProgram, segment: Fields): string {
  const flags = (['syn', 'fin', 'rst'] as const)
    .filter((flag) => field(segment, flag) === true)
    .map((flag) => flag.toUpperCase());
  const data = field(segment, 'data');
  const length = isList(data) ? data.length : 0;
  const window = numberAt(segment, 'wnd') === 0 ? ', window 0' : '';
  const kind =
    [...flags.map((flag) => `[${flag}]`), ...(length > 0 ? ['its answer'] : [])].join(' ') || 'an acknowledgement';
  const ack = flags.includes('RST') ? '' : ` of everything before ${program.client(numberAt(segment, 'ack') ?? 0)}`;
  return `${kind} at ${program.server(numberAt(segment, 'seq') ?? 0)}${ack}${window}`;
}

/** What Trace.tla prints has the records that are asked for here. */
function recordOf(value: Json | undefined): Fields {
  return fieldsOf(value) ?? {};
}
