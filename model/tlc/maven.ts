/** Fetches one artifact with the user's Maven, so with the user's mirrors and proxies. */
import { runGuarded } from './guarded-process.js';
import { JarError } from './jar-error.js';
import { type Environment, findProgram } from './programs.js';

const PLUGIN = 'org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy';

export interface MavenFetch {
  /** `group:artifact:version`. */
  readonly artifact: string;
  /** An empty folder; the jar is put there under its usual name. Removed when this process dies meanwhile. */
  readonly folder: string;
  readonly environment: Environment;
  readonly timeoutMs: number;
  readonly signal: AbortSignal | undefined;
}

/** Rejects with a JarError: `no-maven`, `fetch-failed`, `time-out` or `interrupted`. */
export async function fetchWithMaven({ artifact, folder, environment, timeoutMs, signal }: MavenFetch): Promise<void> {
  const maven = findProgram('mvn', environment);
  if (maven === undefined) throw new JarError({ kind: 'no-maven' });
  let output = '';
  const { end, complaint } = await runGuarded({
    command: [maven, '-q', '-B', PLUGIN, `-Dartifact=${artifact}`, `-DoutputDirectory=${folder}`],
    folder,
    environment,
    scratch: folder,
    timeoutMs,
    signal,
    onOutput: (text) => {
      output = (output + text).slice(-8192);
    },
  });
  switch (end.kind) {
    case 'exited':
      if (end.code === 0) return;
      throw new JarError({ kind: 'fetch-failed', reason: firstError(output + complaint) ?? `exit code ${end.code}` });
    case 'killed':
      throw new JarError({ kind: 'fetch-failed', reason: `mvn was killed by signal ${end.signal}` });
    case 'unstartable':
      throw new JarError({ kind: 'fetch-failed', reason: end.reason });
    case 'time-out':
      throw new JarError({ kind: 'time-out', timeoutMs });
    case 'interrupted':
      throw new JarError({ kind: 'interrupted' });
  }
}

/** Maven's first line of `[ERROR]`, or the first line of all (`JAVA_HOME ...` of its start script). */
function firstError(output: string): string | undefined {
  const lines = output.split('\n').map((line) => line.trim());
  return (
    lines
      .find((line) => line.startsWith('[ERROR]'))
      ?.slice('[ERROR]'.length)
      .trim() ?? lines.find((line) => line)
  );
}
