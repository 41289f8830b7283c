/** A counterexample of TLC as a ladder: who sends what to whom, and what changes by it. */
import type { State, TraceState } from '../tlc/messages.js';
import type { Lasso, Trace } from '../tlc/outcome.js';
import type { Json } from '../tlc/value-json.js';
import { canonical, type Fields, field, numberAt, same } from './fields.js';
import { controlRow, heardFate, movementRow, segmentRow, type Told } from './message-rows.js';
import { inFlight, movements } from './network.js';
import { backendChange, clientChange, controllerChange, type RoleChange, shown, switchChange } from './role-changes.js';
import type { Ending, Ladder, LadderRow } from './rows.js';
import { columnsOf, endedOf, ownersOf, standing, type View, viewOf } from './view.js';

/**
 * The trace of a counterexample of Handoff.tla, or of a specification that adds variables to it. Of any other trace the ladder has no columns:
 * its rows are notes that say which variables changed. Throws nothing.
 */
export function ladder(trace: Trace, lasso: Lasso | null = null): Ladder {
  const steps = stepsOf(trace, lasso);
  const views = steps.map(({ after }) => viewOf(after.state));
  const isHandoff = views.every((view) => view !== undefined);
  const columns = isHandoff ? [...new Set(views.flatMap(columnsOf))] : [];
  const told = isHandoff ? drawn(steps, views) : plain(steps);
  const last = isHandoff && lasso?.kind !== 'back-to' ? standingAtLast(steps, views) : [];
  const arrows = (rows: readonly LadderRow[]) => rows.map((row) => noArrowIntoTheBlue(row, columns));
  return { columns, rows: arrows(told.flat()), last: arrows(last), ending: endingOf(told, steps, lasso) };
}

/** `before`: null for the initial state. `action`: null too for the step that closes a loop, of which TLC does not tell it. */
interface Step {
  readonly before: TraceState | null;
  readonly after: TraceState;
  readonly action: string | null;
}

function stepsOf(trace: Trace, lasso: Lasso | null): Step[] {
  const steps = trace.map((after, i): Step => ({ before: trace[i - 1] ?? null, after, action: after.action }));
  const last = trace.at(-1);
  const back = lasso?.kind === 'back-to' ? trace.find(({ index }) => index === lasso.index) : undefined;
  if (last && back) steps.push({ before: last, after: back, action: null });
  return steps;
}

/** `told`: the rows of each step. */
function endingOf(told: readonly (readonly LadderRow[])[], steps: readonly Step[], lasso: Lasso | null): Ending | null {
  if (lasso === null || lasso.kind === 'stuttering') return lasso;
  const first = steps.findIndex(({ before }) => before?.index === lasso.index);
  const step = steps[first];
  return step ? { kind: 'loop', row: told.slice(0, first).flat().length, step: step.after.index } : null;
}

function plain(steps: readonly Step[]): LadderRow[][] {
  return steps.map(({ before, after, action }): LadderRow[] => [
    {
      step: after.index,
      action,
      kind: 'note',
      from: null,
      to: null,
      label: before === null ? 'initial state' : '',
      changes: before === null ? values(after.state) : changedVariables(before.state, after.state),
      owners: [],
      ended: [],
    },
  ]);
}

function values(state: State): string[] {
  return Object.entries(state).map(([name, value]) => `${name} ${shown(value)}`);
}

function changedVariables(before: Fields, after: Fields): string[] {
  return [...new Set([...Object.keys(before), ...Object.keys(after)])]
    .filter((name) => !same(field(before, name), field(after, name)))
    .map((name) => `${name} ${shown(field(before, name))} -> ${shown(field(after, name))}`);
}

function drawn(steps: readonly Step[], views: readonly View[]): LadderRow[][] {
  return steps.flatMap(({ after, action }, i) => {
    const [was, view] = [views[i - 1], views[i]];
    if (view === undefined) return [];
    const initial: Told = { kind: 'note', from: null, to: null, label: 'initial state', changes: values(view.others) };
    return [rowsOf(after.index, action, view, was === undefined ? [initial] : stepRows(was, view, action))];
  });
}

function standingAtLast(steps: readonly Step[], views: readonly View[]): LadderRow[] {
  const [step, view] = [steps.at(-1), views.at(-1)];
  return step && view ? rowsOf(step.after.index, null, view, lastRows(view)) : [];
}

function rowsOf(step: number, action: string | null, view: View, told: readonly Told[]): LadderRow[] {
  const [owners, ended] = [ownersOf(view), endedOf(view)];
  return told.map((one) => ({ step, action, ...one, owners, ended }));
}

/** A name that is no column cannot be drawn, but is told. */
function noArrowIntoTheBlue(row: LadderRow, columns: readonly string[]): LadderRow {
  if (row.kind === 'note' || (columns.includes(row.from) && columns.includes(row.to))) return row;
  const { step, action, from, to, changes, owners, ended } = row;
  const known = columns.includes(from) ? from : null;
  const label = `${row.label}, ${from} -> ${to}, ${row.fate}`;
  return { step, action, kind: 'note', from: known, to: null, label, changes, owners, ended };
}

/** What comes first, what is sent by it behind. */
function stepRows(was: View, view: View, action: string | null): Told[] {
  const clientTs = numberAt(view.client, 'ts');
  const roles = roleChanges(was, view);
  const phrases = [
    ...roles.map(({ phrase }) => phrase),
    ...servedNow(was, view),
    ...changedVariables(was.others, view.others),
  ];
  const moves = movements(was.net, view.net);
  const heard = without(was.control, view.control).map((message) => controlRow(message, heardFate(action), clientTs));
  const said = without(view.control, was.control).map((message) => controlRow(message, 'sent', clientTs));
  const told: Told[] = [
    ...moves.filter(({ kind }) => kind !== 'sent').map((move) => movementRow(move, action, view)),
    ...heard,
    ...moves.filter(({ kind }) => kind === 'sent').map((move) => movementRow(move, action, view)),
    ...said,
  ];
  const [first, ...others] = told;
  if (first === undefined)
    return [{ kind: 'note', from: roles[0]?.name ?? null, to: null, label: '', changes: phrases }];
  if (
    others.length === 0 &&
    phrases.length === 0 &&
    first.kind !== 'note' &&
    first.fate === 'arrives' &&
    first.changes.length === 0
  )
    return [{ ...first, changes: ['no effect'] }];
  return [{ ...first, changes: [...first.changes, ...phrases] }, ...others];
}

function roleChanges(was: View, view: View): RoleChange[] {
  const backends = [...view.backends].flatMap(([name, backend]) =>
    backendChange(name, was.backends.get(name) ?? {}, backend),
  );
  return [
    ...clientChange(was.client, view.client),
    ...switchChange(was.switch, view.switch),
    ...controllerChange(was.controller, view.controller),
    ...backends,
  ];
}

function servedNow(was: View, view: View): string[] {
  return view.served.slice(was.served.length).map((request) => `request ${shown(request)} served`);
}

/** Those of `some` that are not among the others. */
function without(some: readonly Json[], others: readonly Json[]): Json[] {
  const texts = new Set(others.map(canonical));
  return some.filter((message) => !texts.has(canonical(message)));
}

/** What is on the way when the trace ends, and how things stand. */
function lastRows(view: View): Told[] {
  const clientTs = numberAt(view.client, 'ts');
  const segments = inFlight(view.net).map(({ segment, late }) =>
    segmentRow(segment, late ? 'held-up-still' : 'on-the-way', [], clientTs),
  );
  const control = view.control.map((message) => controlRow(message, 'on-the-way', clientTs));
  const stand = standing(view).map((label): Told => ({ kind: 'note', from: null, to: null, label, changes: [] }));
  return [...segments, ...control, ...stand];
}
