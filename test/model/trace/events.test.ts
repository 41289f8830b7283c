/** Event traces of the simulated world are behaviours of the specification; changed ones are not, and the place is told. */
import t from 'tap';
import { checkTraces } from '../../../model/trace/check.js';
import { departureWords } from '../../../model/trace/words.js';
import { readSpecification, shippedSpecification } from '../../../spec/formal.js';
import {
  type EventLine,
  eventLinesOf,
  programOfLines,
  READ_WRITE_READ,
  simEvidence,
  toolboxOrSkip,
  verdictsOf,
} from './observed.js';

/** One way to change a trace; `at`: the line, from 1, at which it must be found, or later by `late` lines. */
interface Mutation {
  readonly way: string;
  readonly lines: readonly EventLine[];
  readonly at: number;
  readonly late?: number;
}

function mutationsOf(lines: readonly EventLine[]): Mutation[] {
  /** Line of the nth event with that action, from 0. */
  const find = (action: string, nth = 0): number => {
    const found = lines.flatMap((line, index) => (line.action === action ? [index] : []))[nth];
    if (found === undefined) throw new Error(`no ${action} ${nth}`);
    return found;
  };
  const changed = (way: string, action: string, change: (line: EventLine) => object, nth = 0, late = 0): Mutation => {
    const index = find(action, nth);
    const patched = lines.map((line, i) => (i === index ? { ...line, ...change(line) } : line));
    return { way, lines: patched, at: index + 1, late };
  };
  const moved = (way: string, action: string, field: string, by: number, nth = 0, late = 0): Mutation =>
    changed(way, action, (line) => ({ [field]: Number(line[field]) + by }), nth, late);
  const dropped = (action: string, nth = 0): Mutation => {
    const index = find(action, nth);
    // The switch acts by itself meanwhile.
    const late = action === 'InstallRule' || action === 'RemoveRule' ? 1 : 0;
    return { way: `${action} ${nth} dropped`, lines: lines.filter((_, i) => i !== index), at: index + 1, late };
  };
  const doubled = (action: string): Mutation => {
    const index = find(action);
    const line = lines[index];
    if (line === undefined) throw new Error('no line');
    return { way: `${action} doubled`, lines: lines.toSpliced(index, 0, line), at: index + 2 };
  };
  /** The stamps stay where they are. */
  const swapped = (way: string, a: number, b: number, at: number): Mutation => {
    const [first, second] = [lines[a], lines[b]];
    if (first === undefined || second === undefined) throw new Error('no line');
    return {
      way,
      lines: lines.with(a, { ...second, t: first.t }).with(b, { ...first, t: second.t }),
      at,
    };
  };
  const other = ({ role, backend }: EventLine): string => ((backend ?? role) === 'backend0' ? 'backend1' : 'backend0');
  const removal = find('SwitchRemoveRule');
  return [
    ...['AcceptSyn', 'Establish', 'ReceiveRequest', 'InstallRule', 'SwitchAddRule', 'HandOff', 'TakeOver'].map(
      (action) => dropped(action),
    ),
    ...['Respond', 'Complete', 'TakeBack', 'RemoveRule', 'SwitchRemoveRule', 'ReopenWindow'].map((action) =>
      dropped(action),
    ),
    dropped('ReopenWindow', 1),
    dropped('ClientFin'),
    ...['AcceptSyn', 'ReceiveRequest', 'SwitchAddRule', 'HandOff', 'TakeOver', 'Respond', 'Complete', 'TakeBack'].map(
      doubled,
    ),
    ...['SwitchRemoveRule', 'ReopenWindow', 'ClientFin', 'Forget'].map(doubled),
    swapped(
      'backend told before the rules are in force',
      find('SwitchAddRule'),
      find('HandOff'),
      find('SwitchAddRule') + 1,
    ),
    swapped('take-over before hand-off', find('HandOff'), find('TakeOver'), find('HandOff') + 1),
    swapped('complete before the response', find('Respond'), find('Complete'), find('Respond') + 1),
    swapped('taken back before complete', find('Complete'), find('TakeBack'), find('Complete') + 1),
    swapped('reopened before the rules are gone', removal, find('ReopenWindow'), removal + 1),
    changed('chosen backend changed', 'ReceiveRequest', (line) => ({ backend: other(line) }), 0, 1),
    changed('rule of another backend', 'SwitchAddRule', (line) => ({ backend: other(line) })),
    changed('handed to another backend', 'HandOff', (line) => ({ backend: other(line) })),
    changed('taken over by another backend', 'TakeOver', (line) => ({ role: other({ ...line, backend: undefined }) })),
    changed('answered by another backend', 'Respond', (line) => ({ role: other({ ...line, backend: undefined }) })),
    changed('completed by another backend', 'Complete', (line) => ({ role: other({ ...line, backend: undefined }) })),
    changed('taken back from another backend', 'TakeBack', (line) => ({ backend: other(line) })),
    changed('window of a read left open', 'ReceiveRequest', () => ({ closeWindow: false })),
    changed('window of a write closed', 'ReceiveRequest', () => ({ closeWindow: true }), 1),
    changed('a window reopened that was open', 'ReopenWindow', () => ({ wasClosed: true }), 1),
    changed('a read told as a write', 'ReceiveRequest', () => ({ method: 'PUT' })),
    moved('first byte moved by one', 'ReceiveRequest', 'seq', 1),
    moved('header ACK moved ahead by one', 'ReceiveRequest', 'ack', 1, 0, 3),
    moved('header ACK moved back by one', 'ReceiveRequest', 'ack', -1, 0, 3),
    moved('initial number moved by one', 'AcceptSyn', 'iss', 1, 0, 5),
    moved("client's initial number moved by one", 'AcceptSyn', 'seq', 1, 0, 2),
    moved('handed-off number moved by one', 'HandOff', 'seq', 1),
    moved('handed-off ACK moved by one', 'HandOff', 'ack', -1),
    moved('taken-over number moved by one', 'TakeOver', 'seq', -1),
    moved('end of the response moved by one', 'Respond', 'end', 1, 0, 1),
    moved('reported number moved by one', 'Complete', 'seq', 1, 0, 0),
    moved('reported ACK moved by one', 'Complete', 'ack', 1, 1, 2),
    moved('taken-back number moved by one', 'TakeBack', 'seq', 1),
    moved('taken-back ACK moved by one', 'TakeBack', 'ack', 1, 1),
    moved('reopening ACK moved by one', 'ReopenWindow', 'ack', 1),
    moved('reopening number moved by one', 'ReopenWindow', 'seq', -1),
    moved('completed hand-off of another number', 'Complete', 'handoff', 1),
    moved('hand-off of another number', 'TakeOver', 'handoff', 1),
    moved('FIN before the last request', 'ClientFin', 'seq', -1),
  ];
}

t.test('traces as they are, and changed in many ways', async (t) => {
  const toolbox = await toolboxOrSkip();
  if (toolbox === undefined) return;
  const lines = eventLinesOf((await simEvidence(t.testdir({}), READ_WRITE_READ)).trace);
  const mutations = mutationsOf(lines);
  t.ok(new Set(mutations.map(({ way }) => way)).size >= 20, `${mutations.length} ways`);
  t.equal(new Set(mutations.map(({ way }) => way)).size, mutations.length, 'every way has a name of its own');
  const programs = [lines, ...mutations.map((mutation) => mutation.lines)].map(programOfLines);
  const [accepted, ...rejected] = await verdictsOf(toolbox, programs);
  t.match(accepted, { kind: 'accepted', matched: lines.length });
  for (const [index, { way, at, late = 0 }] of mutations.entries()) {
    const verdict = rejected[index];
    const program = programs[index + 1];
    if (verdict?.kind !== 'rejected' || program === undefined) {
      t.fail(`${way}: not rejected`);
      continue;
    }
    const { number } = verdict.source;
    t.ok(number >= at && number <= at + late, `${way}: line ${number}, not ${at}..${at + late}`);
    t.ok(verdict.states.length > 0, `${way}: the last matching state`);
    t.ok(departureWords(program, verdict).state.length > 1, `${way}: in words`);
  }
  const missing = mutations.findIndex(({ way }) => way === 'TakeOver 0 dropped');
  t.match(rejected[missing], { allowed: ['TakeOver'] }, 'what was allowed is told');
});

t.test('nothing is not accepted', async (t) => {
  const toolbox = await toolboxOrSkip();
  if (toolbox === undefined) return;
  const empty = {
    ...programOfLines(eventLinesOf((await simEvidence(t.testdir({}), READ_WRITE_READ)).trace)),
    steps: [],
  };
  const options = { heapMegabytes: 200, timeoutMs: 60_000 };
  await t.rejects(checkTraces(toolbox, readSpecification(shippedSpecification()), [empty], options), RangeError);
});
