/** The specification's state graph for a model, by TLC; kept in the cache under the digest of everything that it depends on. */
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { cacheFolder } from '../../harness/cache-folder.js';
import type { Model, Specification } from '../../spec/formal.js';
import { reconfigured } from '../../spec/operators.js';
import type { Toolbox } from '../spec/toolbox.js';
import type { Progress } from '../tlc/messages.js';
import type { TlcOutcome } from '../tlc/outcome.js';
import { runTlc } from '../tlc/run.js';
import { readDot } from './dot.js';
import type { Graph } from './graph.js';
import { loadGraph, storeGraph } from './store.js';

export interface GraphRequest {
  readonly toolbox: Toolbox;
  readonly specification: Specification;
  readonly model: Model;
  /** Constants that differ from the model's configuration. */
  readonly constants: Readonly<Record<string, string>>;
  readonly workers: number;
  readonly heapMegabytes: number;
  /** Milliseconds. */
  readonly timeoutMs: number;
  /** Use and fill the cache. */
  readonly cache: boolean;
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: Progress) => void;
}

export type GraphFinding =
  | { readonly kind: 'graph'; readonly graph: Graph; readonly origin: 'cache' | 'tlc'; readonly durationMs: number }
  | { readonly kind: 'failed'; readonly outcome: TlcOutcome };

/** Rejects with a DotError when TLC's dump cannot be read, and with the system's error when the temporary folder cannot be used. */
export async function specificationGraph(request: GraphRequest): Promise<GraphFinding> {
  const { toolbox, specification, model, workers, heapMegabytes, timeoutMs, signal, onProgress } = request;
  const started = performance.now();
  const cfg = reconfigured(specification.configurations[model.cfg] ?? '', { constants: request.constants, only: [] });
  const digest = createHash('sha256')
    .update(JSON.stringify([specification.modules, model.root, cfg, toolbox.jar.sha256]))
    .digest('hex');
  const folder = cacheFolder(process.env);
  if (request.cache) {
    const graph = loadGraph(folder, digest);
    if (graph !== undefined) return { kind: 'graph', graph, origin: 'cache', durationMs: performance.now() - started };
  }
  const scratch = mkdtempSync(join(tmpdir(), 'prism-graph-'));
  try {
    const dot = join(scratch, 'graph.dot');
    const outcome = await runTlc(
      {
        jar: toolbox.jar.path,
        java: toolbox.java,
        modules: { texts: specification.modules },
        root: model.root,
        cfg,
        workers,
        heapMegabytes,
        deadlock: false,
        coverage: false,
        timeoutMs,
        dump: { dot },
      },
      { ...(signal === undefined ? {} : { signal }), ...(onProgress === undefined ? {} : { onProgress }) },
    );
    if (outcome.kind !== 'ok') return { kind: 'failed', outcome };
    const graph = await readDot(dot);
    if (request.cache) storeGraph(folder, digest, graph);
    return { kind: 'graph', graph, origin: 'tlc', durationMs: performance.now() - started };
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}
