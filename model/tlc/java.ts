/** Which Java there is. */
import { dirname, join } from 'node:path';
import { runGuarded } from './guarded-process.js';
import { type Environment, findProgram, isRunnable } from './programs.js';

/** TLC is compiled for Java 8. */
export const OLDEST_JAVA = 8;

/** `path`: absolute path of the `java` program; `message`: one line that says what to do. */
export type JavaProbe =
  | { readonly kind: 'found'; readonly path: string; readonly major: number; readonly version: string }
  | { readonly kind: 'missing'; readonly message: string }
  | { readonly kind: 'too-old'; readonly path: string; readonly version: string; readonly message: string }
  | { readonly kind: 'broken'; readonly path: string; readonly message: string };

const REMEDY = `install Java ${OLDEST_JAVA} or newer (Debian: apt-get install default-jre-headless) or set JAVA_HOME`;
const PROBE_MS = 30_000;

/** Looks in JAVA_HOME when that is set, else on PATH, and runs `java -version`. Never rejects. */
export async function probeJava(environment: Environment = process.env, signal?: AbortSignal): Promise<JavaProbe> {
  const home = environment.JAVA_HOME;
  const inHome = home ? join(home, 'bin', 'java') : undefined;
  if (inHome !== undefined && !isRunnable(inHome))
    return { kind: 'missing', message: `JAVA_HOME is set, but ${inHome} is not a program: ${REMEDY}` };
  const path = inHome ?? findProgram('java', environment);
  if (path === undefined) return { kind: 'missing', message: `there is no java on PATH: ${REMEDY}` };
  const { end, complaint } = await runGuarded({
    command: [path, '-XX:-UsePerfData', '-version'],
    folder: dirname(path),
    environment,
    scratch: undefined,
    timeoutMs: PROBE_MS,
    signal,
  });
  const version = /version "([^"]+)"/.exec(complaint)?.[1];
  const major = version === undefined ? undefined : javaMajor(version);
  if (version === undefined || major === undefined) {
    const how = end.kind === 'exited' ? `exit code ${end.code}` : end.kind;
    const said = complaint.trim().split('\n')[0] ?? '';
    return { kind: 'broken', path, message: `${path} -version does not tell a version (${how}${said && `: ${said}`})` };
  }
  if (major < OLDEST_JAVA)
    return { kind: 'too-old', path, version, message: `${path} is Java ${version}, which is too old: ${REMEDY}` };
  return { kind: 'found', path, major, version };
}

/** 8 of `1.8.0_292`, 17 of `17.0.15`, 22 of `22-ea`. */
export function javaMajor(version: string): number | undefined {
  const [, first, second] = /^(\d+)(?:\.(\d+))?/.exec(version) ?? [];
  if (first === undefined) return undefined;
  return first === '1' && second !== undefined ? Number(second) : Number(first);
}
