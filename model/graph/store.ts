/** State graphs on disk: one file for each, named by a digest, its own check sum in the first line; what cannot be read or written is simply made again. */
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Graph } from './graph.js';
import { type StoredValues, Values } from './values.js';

const FORMAT = 1;
/** The newest are kept. */
const KEPT = 4;

interface StoredGraph {
  readonly format: number;
  readonly values: StoredValues;
  readonly variables: readonly string[];
  readonly tokens: readonly string[];
  /** Indices into `tokens`. */
  readonly components: readonly number[];
  readonly initial: readonly number[];
  readonly actions: readonly string[];
  readonly from: readonly number[];
  readonly to: readonly number[];
  readonly action: readonly number[];
}

const nameOf = (digest: string): string => `graph-${digest}`;

/** Undefined when there is none, or none that can be read. */
export function loadGraph(folder: string, digest: string): Graph | undefined {
  try {
    const text = readFileSync(join(folder, nameOf(digest)), 'utf8');
    const end = text.indexOf('\n');
    // A damaged graph would blame the implementation.
    if (text.slice(0, end) !== sumOf(text.slice(end + 1))) return undefined;
    const stored = JSON.parse(text.slice(end + 1)) as StoredGraph;
    if (stored.format !== FORMAT) return undefined;
    return new Graph({
      values: Values.restored(stored.values),
      variables: stored.variables,
      components: stored.components.map((index) => stored.tokens[index] ?? ''),
      initial: stored.initial,
      actions: stored.actions,
      from: Int32Array.from(stored.from),
      to: Int32Array.from(stored.to),
      action: Uint8Array.from(stored.action),
    });
  } catch {
    return undefined;
  }
}

/** Leaves nothing half written; older graphs beyond a few are removed. */
export function storeGraph(folder: string, digest: string, graph: Graph): void {
  const tokens = new Map<string, number>();
  const components: number[] = [];
  const { variables, actions, initial, values } = graph;
  for (let node = 0; node < graph.nodes; node++)
    for (const name of variables) {
      const token = graph.token(node, name);
      let index = tokens.get(token);
      if (index === undefined) {
        index = tokens.size;
        tokens.set(token, index);
      }
      components.push(index);
    }
  const edges = Array.from({ length: graph.edges }, (_, index) => graph.edge(index));
  const stored: StoredGraph = {
    format: FORMAT,
    values: values.stored(),
    variables,
    tokens: [...tokens.keys()],
    components,
    initial,
    actions,
    from: edges.map((edge) => edge.from),
    to: edges.map((edge) => edge.to),
    action: edges.map((edge) => actions.indexOf(edge.action)),
  };
  const path = join(folder, nameOf(digest));
  const scratch = `${path}.${process.pid}`;
  try {
    mkdirSync(folder, { recursive: true });
    const text = JSON.stringify(stored);
    writeFileSync(scratch, `${sumOf(text)}\n${text}`);
    renameSync(scratch, path);
    prune(folder);
  } catch {
    // A cache that cannot be written costs time only.
    remove(scratch);
  }
}

function sumOf(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

function remove(path: string): void {
  try {
    rmSync(path, { force: true });
  } catch {
    // There is not even a folder.
  }
}

function prune(folder: string): void {
  const graphs = readdirSync(folder)
    .filter((name) => /^graph-[0-9a-f]{64}(\.json)?$/.test(name))
    .map((name) => ({ path: join(folder, name), at: statSync(join(folder, name)).mtimeMs }))
    .sort((a, b) => b.at - a.at);
  for (const { path } of graphs.slice(KEPT)) rmSync(path, { force: true });
}
