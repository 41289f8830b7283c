/** A state as one of Handoff.tla: its variables in the forms that can be drawn. */
import type { State } from '../tlc/messages.js';
import type { Json } from '../tlc/value-json.js';
import { type Fields, field, fieldsOf, isList, numberAt, textAt } from './fields.js';
import { type Network, readNetwork } from './network.js';
import { ruleOf, shown } from './role-changes.js';

export interface View {
  readonly client: Fields;
  readonly controller: Fields;
  readonly switch: Fields;
  readonly backends: ReadonlyMap<string, Fields>;
  readonly net: Network;
  readonly control: readonly Json[];
  readonly served: readonly Json[];
  /** Variables that Handoff.tla does not have. */
  readonly others: Fields;
}

/** `events` is a budget: what it is spent on is seen. */
const KNOWN = new Set(['client', 'controller', 'switch', 'backend', 'net', 'control', 'served', 'events']);

/** Undefined for a state of some other specification. */
export function viewOf(state: State): View | undefined {
  const client = fieldsOf(field(state, 'client'));
  const controller = fieldsOf(field(state, 'controller'));
  const theSwitch = fieldsOf(field(state, 'switch'));
  const backends = readBackends(field(state, 'backend'));
  const net = readNetwork(field(state, 'net'));
  const control = field(state, 'control');
  const served = field(state, 'served') ?? [];
  if (!(client && controller && theSwitch && backends && net && isList(control) && isList(served))) return undefined;
  const others = Object.fromEntries(Object.entries(state).filter(([name]) => !KNOWN.has(name)));
  return { client, controller, switch: theSwitch, backends, net, control, served, others };
}

function readBackends(value: Json | undefined): ReadonlyMap<string, Fields> | undefined {
  const backends = new Map<string, Fields>();
  for (const [name, backend] of Object.entries(fieldsOf(value) ?? {})) {
    const fields = fieldsOf(backend);
    // The names of the other columns cannot be told apart from theirs.
    if (fields === undefined || ROLES.includes(name)) return undefined;
    backends.set(name, fields);
  }
  return backends.size > 0 ? backends : undefined;
}

const ROLES: readonly string[] = ['client', 'switch', 'controller'];

export function columnsOf(view: View): string[] {
  return [...ROLES, ...view.backends.keys()];
}

/** `logical` is the address of the controller. */
export function columnOf(host: string): string {
  return host === 'logical' ? 'controller' : host;
}

/** The controller does not own in these phases (`ControllerOwns` in Handoff.tla). */
const NOT_OWNING = new Set(['listen', 'handedOff', 'removing', 'gone']);
const CLIENT_ENDED = new Set(['finished', 'aborted', 'reset']);
const CONTROLLER_ENDED = new Set(['closed', 'gone']);

/** The columns of who owns the connection, and the switch's if it has a rule. */
export function ownersOf(view: View): string[] {
  const phase = textAt(view.controller, 'phase') ?? 'listen';
  const serving = [...view.backends].filter(([, backend]) => textAt(backend, 'st') === 'serving');
  return [
    ...(ruleOf(field(view.switch, 'rule')) === undefined ? [] : ['switch']),
    ...(NOT_OWNING.has(phase) || CONTROLLER_ENDED.has(phase) ? [] : ['controller']),
    ...serving.map(([name]) => name),
  ];
}

/** The columns of who has crashed, or knows the connection no more. */
export function endedOf(view: View): string[] {
  const crashed = [...view.backends].filter(([, backend]) => textAt(backend, 'st') === 'crashed');
  return [
    ...(CLIENT_ENDED.has(textAt(view.client, 'st') ?? '') ? ['client'] : []),
    ...(CONTROLLER_ENDED.has(textAt(view.controller, 'phase') ?? '') ? ['controller'] : []),
    ...crashed.map(([name]) => name),
  ];
}

/** How things stand, a phrase for each role. */
export function standing(view: View): string[] {
  const { client, controller } = view;
  const at = (fields: Fields, name: string) => shown(field(fields, name));
  const numbers = (fields: Fields) => ['una', 'nxt', 'rcv'].map((name) => `${name} ${at(fields, name)}`).join(' ');
  const closes = (numberAt(client, 'fin') ?? 0) === 0 ? '' : `, closes at ${at(client, 'fin')}`;
  const rule = ruleOf(field(view.switch, 'rule'));
  const shut = field(controller, 'open') === false ? ', window shut' : '';
  return [
    `client ${at(client, 'st')}, ${numbers(client)} window ${at(client, 'wnd')}${closes}`,
    `switch ${rule === undefined ? 'without a rule' : `rule ${rule.handoff} -> ${rule.backend}`}`,
    `controller ${at(controller, 'phase')}, request ${at(controller, 'req')}${shut}`,
    ...[...view.backends].map(([name, backend]) => {
      const serving = textAt(backend, 'st') === 'serving' ? ` ${at(backend, 'handoff')}, ${numbers(backend)}` : '';
      return `${name} ${at(backend, 'st')}${serving}`;
    }),
  ];
}
