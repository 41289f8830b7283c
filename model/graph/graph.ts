/** A state graph as TLC found it: nodes are states, edges bear the names of actions. */
import type { State } from '../tlc/messages.js';
import type { Token, Values } from './values.js';

/** Numbered from 0; `NOWHERE` is no state of the graph. */
export type Node = number;
export const NOWHERE: Node = -1;

export interface Edge {
  /** Position among all edges. */
  readonly index: number;
  readonly from: Node;
  readonly action: string;
  readonly to: Node;
}

export interface RawGraph {
  readonly values: Values;
  readonly variables: readonly string[];
  /** A token for each variable, node after node. */
  readonly components: readonly Token[];
  readonly initial: readonly Node[];
  readonly actions: readonly string[];
  /** Equally long; `action` is an index. */
  readonly from: Int32Array;
  readonly to: Int32Array;
  readonly action: Uint8Array;
}

export class Graph {
  readonly values: Values;
  readonly variables: readonly string[];
  readonly actions: readonly string[];
  readonly initial: readonly Node[];
  readonly #raw: RawGraph;
  readonly #nodes = new Map<string, Node>();
  /** Edges in the order of their sources, and where each source's begin. */
  readonly #order: Int32Array;
  readonly #starts: Int32Array;

  constructor(raw: RawGraph) {
    this.#raw = raw;
    this.values = raw.values;
    this.variables = raw.variables;
    this.actions = raw.actions;
    this.initial = raw.initial;
    const width = raw.variables.length;
    const count = raw.components.length / width;
    for (let node = 0; node < count; node++)
      this.#nodes.set(raw.components.slice(node * width, (node + 1) * width).join('|'), node);
    this.#starts = new Int32Array(count + 1);
    for (const from of raw.from) this.#starts[from + 1] = (this.#starts[from + 1] ?? 0) + 1;
    for (let node = 0; node < count; node++)
      this.#starts[node + 1] = (this.#starts[node + 1] ?? 0) + (this.#starts[node] ?? 0);
    const next = this.#starts.slice();
    this.#order = new Int32Array(raw.from.length);
    raw.from.forEach((from, edge) => {
      const at = next[from] ?? 0;
      this.#order[at] = edge;
      next[from] = at + 1;
    });
  }

  get nodes(): number {
    return this.#nodes.size;
  }

  get edges(): number {
    return this.#raw.from.length;
  }

  /** The node whose variables have these values, in the order of `variables`. */
  find(tokens: readonly Token[]): Node {
    return this.#nodes.get(tokens.join('|')) ?? NOWHERE;
  }

  token(node: Node, variable: string): Token {
    return this.#raw.components[node * this.variables.length + this.variables.indexOf(variable)] ?? '';
  }

  state(node: Node): State {
    return Object.fromEntries(this.variables.map((name) => [name, this.values.json(this.token(node, name))]));
  }

  edge(index: number): Edge {
    const { from, to, action, actions } = this.#raw;
    return { index, from: from[index] ?? NOWHERE, to: to[index] ?? NOWHERE, action: actions[action[index] ?? 0] ?? '' };
  }

  /** The edges that leave a node. */
  out(node: Node): Edge[] {
    const edges: Edge[] = [];
    for (let at = this.#starts[node] ?? 0; at < (this.#starts[node + 1] ?? 0); at++)
      edges.push(this.edge(this.#order[at] ?? 0));
    return edges;
  }

  /** The edge from one node to another by that action; undefined when the specification has no such step. */
  step(from: Node, action: string, to: Node): Edge | undefined {
    return this.out(from).find((edge) => edge.to === to && edge.action === action);
  }
}
