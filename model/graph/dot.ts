/** Reads the state graph that TLC writes (`-dump dot,actionlabels`), line by line. */
import { createReadStream } from 'node:fs';
import { Graph, type Node } from './graph.js';
import { type Token, Values } from './values.js';

/** The file is not what TLC writes: cut off, or of another version. */
export class DotError extends Error {
  override name = 'DotError';
}

/** Throws a DotError, or the system's error when the file cannot be read. */
export async function readDot(path: string): Promise<Graph> {
  const reader = new DotReader();
  let rest = '';
  for await (const chunk of createReadStream(path, { encoding: 'latin1', highWaterMark: 1 << 20 })) {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) reader.line(line);
  }
  return reader.end();
}

class DotReader {
  readonly #values = new Values();
  readonly #nodes = new Map<string, Node>();
  readonly #states: (readonly Token[] | undefined)[] = [];
  readonly #initial: Node[] = [];
  readonly #actions: string[] = [];
  readonly #from: number[] = [];
  readonly #to: number[] = [];
  readonly #action: number[] = [];
  #variables: readonly string[] | undefined;
  /** TLC writes a step once for each way to choose what a quantifier ranges over. */
  readonly #edges = new Set<string>();
  #ended = false;

  line(line: string): void {
    const sign = line.charCodeAt(0);
    if (sign === 0x7d) this.#ended = true;
    // Nodes are numbered by fingerprints.
    if (sign !== 0x2d && (sign < 0x30 || sign > 0x39)) return;
    const space = line.indexOf(' ');
    const node = this.#node(line.slice(0, space));
    if (line.startsWith('-> ', space + 1)) this.#edge(node, line.slice(space + 4));
    else this.#state(node, line);
  }

  end(): Graph {
    if (!this.#ended) throw new DotError('the state graph ends too early');
    const variables = this.#variables ?? [];
    const components = this.#states.flatMap((state, node) => {
      if (state === undefined) throw new DotError(`node ${node} has no state`);
      return state;
    });
    return new Graph({
      values: this.#values,
      variables,
      components,
      initial: this.#initial,
      actions: this.#actions,
      from: Int32Array.from(this.#from),
      to: Int32Array.from(this.#to),
      action: Uint8Array.from(this.#action),
    });
  }

  #node(name: string): Node {
    let node = this.#nodes.get(name);
    if (node === undefined) {
      node = this.#states.length;
      this.#nodes.set(name, node);
      this.#states.push(undefined);
    }
    return node;
  }

  #edge(from: Node, rest: string): void {
    const [, to, action] = /^(-?\d+) \[label="(\w*)"/.exec(rest) ?? [];
    if (to === undefined || action === undefined)
      throw new DotError(`an edge that cannot be read: ${rest.slice(0, 80)}`);
    let index = this.#actions.indexOf(action);
    if (index < 0) index = this.#actions.push(action) - 1;
    const target = this.#node(to);
    const key = `${from} ${target} ${index}`;
    if (this.#edges.has(key)) return;
    this.#edges.add(key);
    this.#from.push(from);
    this.#to.push(target);
    this.#action.push(index);
  }

  #state(node: Node, line: string): void {
    const start = line.indexOf('"') + 1;
    const end = line.lastIndexOf('"');
    const text = line.slice(start, end).replaceAll('\\n', '\n').replaceAll('\\"', '"').replaceAll('\\\\', '\\');
    const pairs = text
      .slice(3)
      .split('\n/\\ ')
      .map((part): readonly [string, string] => {
        const equals = part.indexOf('=');
        return [part.slice(0, equals).trim(), part.slice(equals + 1)];
      });
    this.#variables ??= pairs.map(([name]) => name).sort();
    const values = new Map(pairs);
    this.#states[node] = this.#variables.map((name) => {
      const token = this.#values.parse(values.get(name) ?? '');
      if (token === undefined || token === '') throw new DotError(`a state that cannot be read: ${name}`);
      return token;
    });
    // TLC writes the initial states filled.
    if (line.endsWith('",style = filled]')) this.#initial.push(node);
  }
}
