/** Ways through the state graph that cover every pair of successive actions, and going them with the real cores in virtual time. */
import { type Graph, NOWHERE, type Node } from '../graph/graph.js';
import { NoCounterpart } from './abstraction.js';
import { RECEIVING, type Transition, transitions } from './moves.js';
import type { Cores } from './roles.js';
import type { Packed } from './state.js';
import { World } from './world.js';

/** Edges of the graph, each beginning where the one before ends. */
export type Way = readonly number[];

/** Ways that are known to a pair of actions, at most: not each can be gone from every state that the specification takes for one. */
const ALTERNATIVES = 8;

/** For every pair of actions that edges marked in `taken` have one after the other, ways from the initial state that end in it. */
export function waysToPairs(graph: Graph, taken: Uint8Array): Map<string, Way[]> {
  const tree = shortestWays(graph, taken);
  const found = new Map<string, Way[]>();
  for (let index = 0; index < graph.edges; index++) {
    if (!taken[index]) continue;
    const first = graph.edge(index);
    if (!tree.has(first.from)) continue;
    for (const second of graph.out(first.to)) {
      if (!taken[second.index]) continue;
      const pair = `${first.action} ${second.action}`;
      const ways = found.get(pair) ?? [];
      if (ways.length === ALTERNATIVES) continue;
      found.set(pair, [...ways, [...wayTo(graph, tree, first.from), first.index, second.index]]);
    }
  }
  return found;
}

export interface PairsGone {
  /** Pairs of successive actions that there are. */
  readonly pairs: number;
  /** Those that no way could be gone to, and where the last one was stuck. */
  readonly missing: readonly { readonly pair: string; readonly stuck: Stuck }[];
  readonly ways: number;
  readonly steps: number;
  /** Distinct edges of the graph that were gone. */
  readonly edges: number;
  /** Seconds of virtual time. */
  readonly seconds: number;
}

/** Goes ways until every pair has been gone; `cores` in the place of the reference's if given. */
export function goAllPairs(
  graph: Graph,
  taken: Uint8Array,
  misfortune: number,
  options: { readonly cores?: Cores; readonly onProgress?: (done: number, all: number) => void } = {},
): PairsGone {
  const covered = new Set<string>();
  const edges = new Set<number>();
  const missing: { pair: string; stuck: Stuck }[] = [];
  let [ways, steps, seconds, done] = [0, 0, 0, 0];
  const found = waysToPairs(graph, taken);
  // The long ones first: they have many pairs of the short ones.
  const sorted = [...found].sort(([, a], [, b]) => (b[0]?.length ?? 0) - (a[0]?.length ?? 0));
  for (const [pair, alternatives] of sorted) {
    options.onProgress?.(done++, found.size);
    let stuck: Stuck | null = null;
    for (const way of alternatives) {
      if (covered.has(pair)) break;
      const gone = go(graph, way, misfortune, options.cores);
      stuck = gone.stuck;
      if (stuck !== null) continue;
      ways++;
      steps += way.length;
      seconds += gone.duration / 1e6;
      for (const edge of way) edges.add(edge);
      for (const each of pairsOn(graph, way)) covered.add(each);
    }
    if (stuck !== null && !covered.has(pair)) missing.push({ pair, stuck });
  }
  return { pairs: found.size, missing, ways, steps, edges: edges.size, seconds };
}

export function pairsOn(graph: Graph, way: Way): string[] {
  const actions = way.map((index) => graph.edge(index).action);
  return actions.slice(1).map((action, i) => `${actions[i]} ${action}`);
}

/** By node, the edge by which it is first reached; -1 for the initial node. */
function shortestWays(graph: Graph, taken: Uint8Array): Map<Node, number> {
  const tree = new Map<Node, number>(graph.initial.map((node) => [node, -1]));
  // A map may grow while it is gone through.
  for (const node of tree.keys())
    for (const edge of graph.out(node)) if (taken[edge.index] && !tree.has(edge.to)) tree.set(edge.to, edge.index);
  return tree;
}

function wayTo(graph: Graph, tree: ReadonlyMap<Node, number>, node: Node): number[] {
  const way: number[] = [];
  for (let at = node; ; ) {
    const index = tree.get(at) ?? -1;
    if (index === -1) return way.reverse();
    way.push(index);
    at = graph.edge(index).from;
  }
}

/** Where a way could not be gone on: how many of its steps were, and the step that came next. */
export interface Stuck {
  readonly steps: number;
  readonly action: string;
}

export interface Gone {
  readonly stuck: Stuck | null;
  /** Microseconds of virtual time. */
  readonly duration: number;
}

/** Stutters in a row that may have to be gone before a step is possible, such as an answer that stands before a report on its connection. */
const MOST_STUTTERS = 4;

/** Goes a way with the real cores: time goes on, timers fire when they are due, nothing is left out of their states. */
export function go(graph: Graph, way: Way, misfortune: number, cores?: Cores): Gone {
  const world = new World(graph.values, misfortune, { live: true, ...(cores === undefined ? {} : { cores }) });
  const started = world.clock.now;
  let state = world.initial;
  let done = 0;
  while (done < way.length) {
    const steps = next(world, graph, state, way.slice(done), MOST_STUTTERS);
    const last = steps?.transitions.at(-1);
    if (steps === undefined || last === undefined) {
      const action = graph.edge(way[done] ?? 0).action;
      return { stuck: { steps: done, action }, duration: world.clock.now - started };
    }
    state = last.next;
    world.clock.now = last.now;
    done += steps.edges;
  }
  return { stuck: null, duration: world.clock.now - started };
}

/** Stutters, and then the transition that is the first step of a way, or the first few. */
function next(
  world: World,
  graph: Graph,
  state: Packed,
  way: Way,
  stutters: number,
): { readonly transitions: readonly Transition[]; readonly edges: number } | undefined {
  const possible = transitions(world, state);
  for (const transition of possible) {
    const { actions } = transition;
    if (actions.length === 0 || actions.length > way.length) continue;
    const fits = actions.every((action, i) => {
      const step = graph.edge(way[i] ?? 0).action;
      return action === 'receive' ? RECEIVING.includes(step) : action === step;
    });
    if (fits && nodeOf(world, graph, transition) === graph.edge(way[actions.length - 1] ?? 0).to)
      return { transitions: [transition], edges: actions.length };
  }
  if (stutters === 0) return undefined;
  for (const transition of possible) {
    if (transition.actions.length > 0) continue;
    const { now } = world.clock;
    world.clock.now = transition.now;
    const rest = next(world, graph, transition.next, way, stutters - 1);
    if (rest !== undefined) return { transitions: [transition, ...rest.transitions], edges: rest.edges };
    world.clock.now = now;
  }
  return undefined;
}

function nodeOf(world: World, graph: Graph, transition: Transition): Node {
  const { now } = world.clock;
  world.clock.now = transition.now;
  try {
    return graph.find(world.abstract(transition.next));
  } catch (error) {
    if (error instanceof NoCounterpart) return NOWHERE;
    throw error;
  } finally {
    world.clock.now = now;
  }
}
