/**
 * Does the reference implementation refine the specification? Breadth first over the explored world: every state must be one of the specification's
 * graph under the abstraction map, every transition a step of it by the action's name, or a stutter.
 */
import type { RoleEvent } from '../../reference-impl/core/core.js';
import { type Graph, NOWHERE, type Node } from '../graph/graph.js';
import { NoCounterpart } from './abstraction.js';
import { RECEIVING, type Transition, transitions } from './moves.js';
import { StateTable } from './state.js';
import type { World } from './world.js';

export interface Progress {
  readonly states: number;
  readonly transitions: number;
  readonly depth: number;
  /** States that are found and not expanded yet. */
  readonly waiting: number;
}

export interface Step {
  readonly label: string;
  readonly actions: readonly string[];
  readonly events: readonly RoleEvent[];
  /** Where the specification is then; NOWHERE if it has no such state. */
  readonly node: Node;
  /** Which of the transitions of the state it was, from 0. */
  readonly choice: number;
}

/** Why a transition is none of the specification's. */
export type Departure =
  /** The state after it cannot be said in the specification's words. */
  | { readonly kind: 'no-counterpart'; readonly message: string }
  /** The state after it is one that the specification never reaches. */
  | { readonly kind: 'no-such-state' }
  /** The specification reaches the state after it, but not by that action from there. */
  | { readonly kind: 'no-such-step' };

export interface Divergence {
  /** From the initial state to the transition that is none of the specification's: a shortest way. */
  readonly path: readonly Step[];
  readonly departure: Departure;
  /** The abstract state after the last step, by variable, where there is one. */
  readonly after: Readonly<Record<string, string>> | null;
  /** What the specification would have allowed there, by action. */
  readonly allowed: readonly string[];
}

export interface Refinement {
  readonly states: number;
  readonly transitions: number;
  readonly depth: number;
  readonly stutters: number;
  readonly durationMs: number;
  /** Bytes that a state takes in the table of states, and how it was reached. */
  readonly bytesPerState: number;
  /** Steps of the cores that were really run, and their distinct states. */
  readonly coreSteps: number;
  readonly divergence: Divergence | null;
  /** By node and by edge of the graph. */
  readonly reached: Uint8Array;
  readonly taken: Uint8Array;
}

export interface RefineOptions {
  readonly onProgress?: (progress: Progress) => void;
  readonly signal?: AbortSignal;
}

/** States between two chances for the rest of the process. */
const STATES_PER_TURN = 2000;

/** How every state was found: from where, by which of its transitions. */
class Origins {
  #parent = new Int32Array(1024);
  #choice = new Uint8Array(1024);
  #node = new Int32Array(1024);

  set(index: number, parent: number, choice: number, node: Node): void {
    if (index >= this.#parent.length) {
      this.#parent = grown(this.#parent, new Int32Array(this.#parent.length * 2));
      this.#choice = grown(this.#choice, new Uint8Array(this.#choice.length * 2));
      this.#node = grown(this.#node, new Int32Array(this.#node.length * 2));
    }
    this.#parent[index] = parent;
    this.#choice[index] = choice;
    this.#node[index] = node;
  }

  get bytes(): number {
    return this.#parent.byteLength + this.#choice.byteLength + this.#node.byteLength;
  }

  node(index: number): Node {
    return this.#node[index] ?? NOWHERE;
  }

  /** The choices that lead there, first to last. */
  choices(index: number): number[] {
    const choices: number[] = [];
    for (let at = index; at !== 0; at = this.#parent[at] ?? 0) choices.push(this.#choice[at] ?? 0);
    return choices.reverse();
  }
}

function grown<T extends { set(from: T): void }>(from: T, to: T): T {
  to.set(from);
  return to;
}

/** Explores until everything is seen or the first transition that the specification does not have. */
export async function refine(world: World, graph: Graph, options: RefineOptions = {}): Promise<Refinement> {
  const started = performance.now();
  const table = new StateTable();
  const origins = new Origins();
  const reached = new Uint8Array(graph.nodes);
  const taken = new Uint8Array(graph.edges);
  let transitionCount = 0;
  let stutters = 0;
  let depth = 0;
  let levelEnds = 1;
  const result = (divergence: Divergence | null): Refinement => ({
    states: table.count,
    transitions: transitionCount,
    depth,
    stutters,
    durationMs: performance.now() - started,
    bytesPerState: (table.bytes + origins.bytes) / table.count,
    coreSteps:
      world.roles.controller.steps +
      world.roles.switch.steps +
      world.roles.backends.b1.steps +
      world.roles.backends.b2.steps,
    divergence,
    reached,
    taken,
  });
  const first = graph.find(world.abstract(world.initial));
  table.add(world.initial);
  origins.set(0, 0, 0, first);
  if (!graph.initial.includes(first)) return result(diverged(world, graph, [], { kind: 'no-such-state' }));
  reached[first] = 1;
  for (let index = 0; index < table.count; index++) {
    if (index === levelEnds) {
      depth++;
      levelEnds = table.count;
    }
    if (index % STATES_PER_TURN === 0) {
      options.onProgress?.({ states: table.count, transitions: transitionCount, depth, waiting: table.count - index });
      await new Promise((resolve) => setImmediate(resolve));
      options.signal?.throwIfAborted();
    }
    const from = origins.node(index);
    let choice = 0;
    for (const transition of transitions(world, table.get(index).slice())) {
      transitionCount++;
      const matched = match(world, graph, from, transition, taken);
      if (typeof matched === 'object')
        return result(diverged(world, graph, [...origins.choices(index), choice], matched));
      reached[matched] = 1;
      if (transition.actions.length === 0) stutters++;
      const { index: next, isNew } = table.add(transition.next);
      if (isNew) origins.set(next, index, choice, matched);
      choice++;
    }
  }
  return result(null);
}

/** The node after a transition, its steps marked as taken; or why there is none. */
function match(world: World, graph: Graph, from: Node, transition: Transition, taken: Uint8Array): Node | Departure {
  let node: Node;
  try {
    node = graph.find(world.abstract(transition.next));
  } catch (error) {
    if (error instanceof NoCounterpart) return { kind: 'no-counterpart', message: error.message };
    throw error;
  }
  if (node === NOWHERE) return { kind: 'no-such-state' };
  if (transition.actions.length === 0) return node === from ? node : { kind: 'no-such-step' };
  const path = findPath(graph, from, transition.actions, node);
  if (path === undefined) return { kind: 'no-such-step' };
  for (const edge of path) taken[edge] = 1;
  return node;
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

/** Goes a way of choices again, and says what happened on it. */
export function walk(
  world: World,
  graph: Graph,
  choices: readonly number[],
): { path: Step[]; last: Transition | null } {
  const path: Step[] = [];
  let state = world.initial;
  let last: Transition | null = null;
  for (const choice of choices) {
    const transition = transitions(world, state)[choice];
    if (transition === undefined) throw new RangeError(`there is no transition ${choice} after ${path.length} steps`);
    let node: Node = NOWHERE;
    try {
      node = graph.find(world.abstract(transition.next));
    } catch (error) {
      if (!(error instanceof NoCounterpart)) throw error;
    }
    const { label } = transition;
    path.push({
      label: typeof label === 'string' ? label : label(),
      actions: transition.actions,
      events: transition.events,
      node,
      choice,
    });
    state = transition.next;
    last = transition;
  }
  return { path, last };
}

function diverged(world: World, graph: Graph, choices: readonly number[], departure: Departure): Divergence {
  const { path, last } = walk(world, graph, choices);
  const before = path.at(-2)?.node ?? graph.initial[0] ?? NOWHERE;
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
