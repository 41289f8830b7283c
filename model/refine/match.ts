/** Whether a transition of the explored world is a step of the specification's graph. */
import { type Graph, NOWHERE, type Node } from '../graph/graph.js';
import { NoCounterpart } from './abstraction.js';
import { RECEIVING, type Transition } from './moves.js';
import type { World } from './world.js';

/** Why a transition is none of the specification's. */
export type Departure =
  /** The state after it cannot be said in the specification's words. */
  | { readonly kind: 'no-counterpart'; readonly message: string }
  /** The state after it is one that the specification never reaches. */
  | { readonly kind: 'no-such-state' }
  /** The specification reaches the state after it, but not by that action from there. */
  | { readonly kind: 'no-such-step' };

/** The node after a transition, and the edges that it was; none for a stutter. */
export interface Match {
  readonly node: Node;
  readonly edges: readonly number[];
}

const NO_EDGES: readonly number[] = [];

export function match(world: World, graph: Graph, from: Node, transition: Transition): Match | Departure {
  let node: Node;
  try {
    node = graph.find(world.abstract(transition.next));
  } catch (error) {
    if (error instanceof NoCounterpart) return { kind: 'no-counterpart', message: error.message };
    throw error;
  }
  if (node === NOWHERE) return { kind: 'no-such-state' };
  const { actions } = transition;
  if (actions.length === 0) return node === from ? { node, edges: NO_EDGES } : { kind: 'no-such-step' };
  const edges = findPath(graph, from, actions, node);
  return edges === undefined ? { kind: 'no-such-step' } : { node, edges };
}

/** Edges by these actions, one after the other. */
function findPath(graph: Graph, from: Node, actions: readonly string[], to: Node): number[] | undefined {
  const [action, ...rest] = actions;
  if (action === undefined) return from === to ? [] : undefined;
  for (const edge of graph.out(from)) {
    if (action === 'receive' ? !RECEIVING.includes(edge.action) : edge.action !== action) continue;
    if (rest.length === 0 && edge.to !== to) continue;
    const tail = findPath(graph, edge.to, rest, to);
    if (tail !== undefined) return [edge.index, ...tail];
  }
  return undefined;
}
