/** One way through the explored world, told by which of the possible transitions was chosen each time. */
import type { RoleEvent } from '../../reference-impl/core/core.js';
import { type Graph, NOWHERE, type Node } from '../graph/graph.js';
import { NoCounterpart } from './abstraction.js';
import { type Departure, match } from './match.js';
import { type Transition, transitions } from './moves.js';
import type { World } from './world.js';

export interface Step {
  readonly label: string;
  readonly actions: readonly string[];
  readonly events: readonly RoleEvent[];
  /** Where the specification is then; NOWHERE if it has no such state. */
  readonly node: Node;
  /** Which of the transitions of the state it was, from 0. */
  readonly choice: number;
}

export interface Divergence {
  /** From the initial state to the transition that is none of the specification's. */
  readonly path: readonly Step[];
  readonly departure: Departure;
  /** The abstract state after the last step, by variable, where there is one. */
  readonly after: Readonly<Record<string, string>> | null;
  /** What the specification would have allowed there, by action. */
  readonly allowed: readonly string[];
}

/**
 * Goes a way, transition by transition, as long as the specification has each: where it leaves the specification, or null. A choice is a number from 0,
 * modulo how many transitions there are, so that any numbers tell a story; it ends early where nothing can happen any more. `gone` is told of every step.
 */
export function tell(
  world: World,
  graph: Graph,
  choices: readonly number[],
  gone: (step: Step) => void = () => undefined,
): Divergence | null {
  const path: Step[] = [];
  let state = world.initial;
  let node = graph.find(world.abstract(state));
  if (!graph.initial.includes(node)) return divergence(world, graph, path, null, NOWHERE, { kind: 'no-such-state' });
  for (const wanted of choices) {
    const possible = transitions(world, state);
    if (possible.length === 0) break;
    const choice = wanted % possible.length;
    const transition = possible[choice];
    if (transition === undefined) break;
    const { label, actions, events } = transition;
    world.clock.now = transition.now;
    const matched = match(world, graph, node, transition);
    const departed = 'kind' in matched;
    const step: Step = {
      label: typeof label === 'string' ? label : label(),
      actions,
      events,
      node: departed ? NOWHERE : matched.node,
      choice,
    };
    path.push(step);
    gone(step);
    if (departed) return divergence(world, graph, path, transition, node, matched);
    state = transition.next;
    node = matched.node;
  }
  return null;
}

function divergence(
  world: World,
  graph: Graph,
  path: readonly Step[],
  last: Transition | null,
  before: Node,
  departure: Departure,
): Divergence {
  let after: Record<string, string> | null = null;
  try {
    const tokens = world.abstract(last?.next ?? world.initial);
    after = Object.fromEntries(graph.variables.map((name, i) => [name, tokens[i] ?? '']));
  } catch (error) {
    if (!(error instanceof NoCounterpart)) throw error;
  }
  const allowed = before === NOWHERE ? [] : [...new Set(graph.out(before).map(({ action }) => action))];
  return { path, departure, after, allowed };
}
