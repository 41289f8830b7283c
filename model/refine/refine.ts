/**
 * Does the reference implementation refine the specification? Breadth first over the explored world: every state must be one of the specification's
 * graph under the abstraction map, every transition a step of it by the action's name, or a stutter.
 */
import { type Graph, NOWHERE, type Node } from '../graph/graph.js';
import { match } from './match.js';
import { transitions } from './moves.js';
import { StateTable } from './state.js';
import { type Divergence, tell } from './story.js';
import type { World } from './world.js';

export interface Progress {
  readonly states: number;
  readonly transitions: number;
  readonly depth: number;
  /** States that are found and not expanded yet. */
  readonly waiting: number;
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
  if (!graph.initial.includes(first)) return result(departed(world, graph, []));
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
      const matched = match(world, graph, from, transition);
      if ('kind' in matched) return result(departed(world, graph, [...origins.choices(index), choice]));
      for (const edge of matched.edges) taken[edge] = 1;
      reached[matched.node] = 1;
      if (transition.actions.length === 0) stutters++;
      const { index: next, isNew } = table.add(transition.next);
      if (isNew) origins.set(next, index, choice, matched.node);
      choice++;
    }
  }
  return result(null);
}

/** The way to a transition that the specification does not have. */
function departed(world: World, graph: Graph, choices: readonly number[]): Divergence {
  const divergence = tell(world, graph, choices);
  if (divergence === null) throw new Error('the way to a transition cannot be gone again');
  return divergence;
}
