/** A way of the implementation that the specification does not have, told as a ladder. */

import type { Graph } from '../../model/graph/graph.js';
import { NOWHERE } from '../../model/graph/graph.js';
import { ladder } from '../../model/ladder/ladder.js';
import { LADDER_LEGEND, ladderText } from '../../model/ladder/text.js';
import type { Divergence, Step } from '../../model/refine/story.js';
import type { State, TraceState } from '../../model/tlc/messages.js';
import type { Json } from '../../model/tlc/value-json.js';

/** Columns: what a code fence shows without scrolling. */
const WIDTH = 118;
/** Differences that are shown before the rest is counted. */
const MOST_DIFFERENCES = 12;

const named = (step: Step): string => (step.actions.length === 0 ? 'no step' : step.actions.join(', then '));

/** The lines of the ladder, what its signs mean, and where the implementation leaves the specification. */
export function divergenceText(graph: Graph, divergence: Divergence): string[] {
  const { path, departure, after, allowed } = divergence;
  const last = path.at(-1);
  const before = path.at(-2)?.node ?? graph.initial[0] ?? NOWHERE;
  const initial: TraceState = { index: 1, action: null, location: null, state: graph.state(graph.initial[0] ?? 0) };
  const trace: TraceState[] = [initial];
  const add = (action: string, state: State): void => {
    trace.push({ index: trace.length + 1, action, location: null, state });
  };
  for (const step of path.slice(0, -1))
    if (step.actions.length > 0)
      add(step.actions.filter((action) => action !== 'receive').join('+'), graph.state(step.node));
  const afterState = after === null ? null : decoded(graph, after);
  if (last !== undefined && afterState !== null) add(last.actions[0] ?? 'stutter', afterState);
  const lines = [...ladderText(ladder(trace), { width: WIDTH }), '', ...LADDER_LEGEND, ''];
  if (last === undefined) return [...lines, 'the very first state is none of the specification'];
  const events = last.events.map(({ action }) => action);
  lines.push(
    `last step: ${last.label}${events.length === 0 ? '' : ` (${events.join(', ')})`}`,
    `it should be: ${named(last)}`,
  );
  if (departure.kind === 'no-counterpart') lines.push(`but: ${departure.message}`);
  else if (departure.kind === 'no-such-step') lines.push('but the specification has no such step there');
  else lines.push('but the specification is never in the state after it');
  if (afterState !== null) lines.push(...differences(graph, before, last, afterState));
  lines.push(`the specification allows there: ${allowed.join(', ')}`);
  return lines;
}

function decoded(graph: Graph, tokens: Readonly<Record<string, string>>): State {
  return Object.fromEntries(graph.variables.map((name) => [name, graph.values.json(tokens[name] ?? '')]));
}

/** How the state differs from the nearest one that the specification would have got to by that action. */
function differences(graph: Graph, before: number, last: Step, after: State): string[] {
  if (before === NOWHERE) return [];
  const [action] = last.actions;
  const candidates =
    action === undefined
      ? [graph.state(before)]
      : graph
          .out(before)
          .filter((edge) => edge.action === action)
          .map((edge) => graph.state(edge.to));
  const lists = candidates.map((state) => compare(state, after, ''));
  const [nearest] = lists.sort((a, b) => a.length - b.length);
  if (nearest === undefined || nearest.length === 0) return [];
  const word = action === undefined ? 'as before' : `by ${action}`;
  const more = nearest.length - MOST_DIFFERENCES;
  return [
    `differs from the specification's state ${word}:`,
    ...nearest.slice(0, MOST_DIFFERENCES).map((line) => `  ${line}`),
    ...(more > 0 ? [`  and ${more} more`] : []),
  ];
}

function compare(expected: Json | undefined, seen: Json | undefined, path: string): string[] {
  if (JSON.stringify(expected) === JSON.stringify(seen)) return [];
  const isObject = (value: Json | undefined): value is Readonly<Record<string, Json>> =>
    value !== null && typeof value === 'object';
  if (isObject(expected) && isObject(seen))
    return [...new Set([...Object.keys(expected), ...Object.keys(seen)])].flatMap((key) =>
      compare(expected[key], seen[key], path === '' ? key : `${path}.${key}`),
    );
  return [`${path}: expected ${shown(expected)}, is ${shown(seen)}`];
}

function shown(value: Json | undefined): string {
  if (value === undefined) return 'nothing';
  const text = JSON.stringify(value);
  return text.length > 150 ? `${text.slice(0, 150)}...` : text;
}
