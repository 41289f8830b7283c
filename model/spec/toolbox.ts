/** What model checking needs on this machine: Java and the jar of TLC, or a plain statement of what is missing. */
import { findJar, type Jar } from '../tlc/jar.js';
import { probeJava } from '../tlc/java.js';
import { probeTlcVersion } from '../tlc/version.js';

export interface Toolbox {
  /** Absolute path. */
  readonly java: string;
  readonly javaVersion: string;
  readonly jar: Jar;
  /** As TLC says it, such as `2.18`. */
  readonly tlcVersion: string;
}

/** `no-java`: nothing that checks with TLC can be done here; the message says how to get it. */
export type ToolboxFinding =
  | { readonly kind: 'found'; readonly toolbox: Toolbox }
  | { readonly kind: 'no-java'; readonly message: string }
  /** The jar runs, but is no TLC. */
  | { readonly kind: 'not-tlc'; readonly message: string };

/** Looks for Java, then for the jar, which is fetched if need be. Throws a JarError when that fails. */
export async function findToolbox(signal?: AbortSignal): Promise<ToolboxFinding> {
  const java = await probeJava(process.env, signal);
  if (java.kind !== 'found') return { kind: 'no-java', message: java.message };
  const jar = await findJar(signal === undefined ? {} : { signal });
  const version = await probeTlcVersion(java.path, jar.path, signal);
  if (version.kind === 'unknown') return { kind: 'not-tlc', message: `${jar.path}: ${version.message}` };
  return {
    kind: 'found',
    toolbox: { java: java.path, javaVersion: java.version, jar, tlcVersion: version.version },
  };
}
