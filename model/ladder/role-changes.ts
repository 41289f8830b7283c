/** What changed in the roles of Handoff.tla that matters to a reader, a phrase for each role. */
import type { Json } from '../tlc/value-json.js';
import { canonical, type Fields, field, fieldsOf, isList, numberAt, same, textAt } from './fields.js';

/** `name`: of the role's column. */
export interface RoleChange {
  readonly name: string;
  readonly phrase: string;
}

/** What the change of a field is to a reader, of the role as it is `now` and as it `was`; null: nothing, or he sees it elsewhere. */
type Tell = (before: Json | undefined, after: Json | undefined, now: Fields, was: Fields) => string | null;

/** `main`: the field that says in what state the role is. `silent`: fields of which nothing is told. */
interface Role {
  readonly main: string;
  readonly tells: Readonly<Record<string, Tell>>;
  readonly silent: readonly string[];
}

const named =
  (name: string): Tell =>
  (before, after) =>
    `${name} ${shown(before)} -> ${shown(after)}`;

/** Numbers that a change of state sets all at once, told by the message that made it. */
const NUMBERS = new Set(['una', 'rcv', 'ts', 'wnd', 'done']);

const CLIENT: Role = {
  main: 'st',
  tells: {
    st: (before, after) => `${shown(before)} -> ${shown(after)}`,
    una: named('una'),
    rcv: named('rcv'),
    wnd: named('window'),
    ts: named('ts'),
    want: (_, after, now, was) =>
      same(field(now, 'nxt'), field(was, 'nxt')) ? `has request ${shown(after)} to send` : null,
    fin: (_, after) => `will close at ${shown(after)}`,
    eof: (_, after) => (after === true ? 'has the FIN' : null),
  },
  // Seen in what it sends, and in `rcv`.
  silent: ['nxt', 'wl1', 'wl2', 'got'],
};

const CONTROLLER: Role = {
  main: 'phase',
  tells: {
    phase: (before, after, now) => {
      const then = textAt(now, 'then') ?? 'none';
      return `${shown(before)} -> ${shown(after)}${then === 'none' ? '' : `, then ${then}`}`;
    },
    una: named('una'),
    rcv: named('rcv'),
    ts: named('ts'),
    req: (_, after) => `request ${shown(after)} next`,
    open: (_, after) => (after === true ? 'window open' : 'window shut'),
    eof: (_, after) => (after === true ? 'has the FIN' : null),
    decided: (_, after) => (after === true ? 'resets the client' : null),
  },
  // Seen in what it sends, and told with the phase.
  silent: ['nxt', 'then'],
};

const BACKEND: Role = {
  main: 'st',
  tells: {
    st: (before, after, now) =>
      `${shown(before)} -> ${shown(after)}${after === 'serving' ? ` ${shown(field(now, 'handoff'))}` : ''}`,
    una: named('una'),
    rcv: named('rcv'),
    ts: named('ts'),
  },
  // Seen in what it sends, told with the state, and by the report.
  silent: ['nxt', 'handoff', 'last', 'report'],
};

const SWITCH: Role = {
  main: 'rule',
  silent: [],
  tells: {
    rule: (before, after) => {
      const rule = ruleOf(after);
      return rule === undefined
        ? `rule ${ruleOf(before)?.handoff ?? ''} gone`
        : `rule ${rule.handoff} -> ${rule.backend}`;
    },
    done: (_, after) => `rules up to ${shown(after)} are over`,
    drained: (before, after) => {
      const was = isList(before) ? before : [];
      const is = isList(after) ? after : [];
      const begun = is.filter((name) => !was.some((other) => same(name, other)));
      const ended = was.filter((name) => !is.some((other) => same(name, other)));
      const say = (verb: string, names: readonly Json[]) =>
        names.length > 0 ? `${verb} ${names.map(shown).join(' ')}` : [];
      return [say('drops what comes from', begun), say('drops nothing more from', ended)].flat().join(', ') || null;
    },
  },
};

/** The rule of the switch, if it is one and not `NoRule`. */
export function ruleOf(value: Json | undefined): { readonly handoff: number; readonly backend: string } | undefined {
  const fields = fieldsOf(value);
  const handoff = fields && numberAt(fields, 'handoff');
  return fields === undefined || handoff === undefined || handoff === 0
    ? undefined
    : { handoff, backend: textAt(fields, 'backend') ?? '?' };
}

export const clientChange = (before: Fields, after: Fields) => roleChange('client', CLIENT, before, after);
export const controllerChange = (before: Fields, after: Fields) => roleChange('controller', CONTROLLER, before, after);
export const switchChange = (before: Fields, after: Fields) => roleChange('switch', SWITCH, before, after);
export const backendChange = (name: string, before: Fields, after: Fields) => roleChange(name, BACKEND, before, after);

/** A field that the table does not know is told as it is: the specification may have grown. */
function roleChange(name: string, { main, tells, silent }: Role, was: Fields, now: Fields): RoleChange[] {
  const moved = !same(field(was, main), field(now, main));
  const phrases: string[] = [];
  for (const of of new Set([...Object.keys(tells), ...Object.keys(was), ...Object.keys(now)])) {
    const [before, after] = [field(was, of), field(now, of)];
    if (silent.includes(of) || same(before, after) || (moved && of !== main && NUMBERS.has(of))) continue;
    const tell = Object.hasOwn(tells, of) ? tells[of] : undefined;
    const phrase = (tell ?? named(of))(before, after, now, was);
    if (phrase !== null) phrases.push(phrase);
  }
  return phrases.length === 0 ? [] : [{ name, phrase: `${name} ${phrases.join(', ')}` }];
}

/** A value in a phrase: strings without quotes, long ones cut. */
export function shown(value: Json | undefined): string {
  const text = typeof value === 'string' ? value : canonical(value);
  return text.length > 40 ? `${text.slice(0, 38)}..` : text;
}
