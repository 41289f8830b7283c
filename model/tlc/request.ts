/** What one run of TLC is asked to do. */
import type { Progress } from './messages.js';

/** The modules, by file name (`Handoff.tla`), or the folder that holds them (its `*.tla` are copied, folders in it are not). */
export type Modules = { readonly texts: Readonly<Record<string, string>> } | { readonly folder: string };

export interface TlcRequest {
  /** Absolute path of the jar. */
  readonly jar: string;
  /** Absolute path of the `java` program. */
  readonly java: string;
  readonly modules: Modules;
  /** Name of the root module, without `.tla`. */
  readonly root: string;
  /** Text of the configuration file. */
  readonly cfg: string;
  /** Threads of TLC, 1 or more. Prints and counterexamples are reproducible with 1. */
  readonly workers: number;
  /** Limit of the JVM's heap, MiB. TLC takes 64 MiB and what its JVM needs beside it. */
  readonly heapMegabytes: number;
  /** Whether a state without a successor is an error. */
  readonly deadlock: boolean;
  readonly coverage: boolean;
  /** Milliseconds. */
  readonly timeoutMs: number;
  /** Writes the state graph there in Graphviz' language, its edges named by actions. Small models only. */
  readonly dump?: { readonly dot: string };
  /** Random behaviours (so many, of so many states at most) instead of all. */
  readonly simulate?: { readonly traces: number; readonly depth: number; readonly seed: number };
  /** Keeps the work folder (modules, configuration, what TLC printed) as this new folder. */
  readonly keepFolder?: string;
}

export interface TlcRunOptions {
  readonly signal?: AbortSignal;
  /** Called about once a minute and at the end, as TLC reports. */
  readonly onProgress?: (progress: Progress) => void;
}
