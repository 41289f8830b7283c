/** Why there is no jar of TLC to run. */

/**
 * `unusable-cache`: the cache folder cannot be made or written. `wrong-checksum`: of a cached file (`where: 'cache'`) or of a fetched one,
 * which is not kept.
 */
export type JarProblem =
  | { readonly kind: 'unreadable'; readonly file: string; readonly reason: string }
  | { readonly kind: 'not-tlc'; readonly file: string; readonly reason: string }
  | {
      readonly kind: 'wrong-checksum';
      readonly file: string;
      readonly where: 'cache' | 'fetched';
      readonly expected: string;
      readonly found: string;
    }
  | { readonly kind: 'unusable-cache'; readonly folder: string; readonly reason: string }
  | { readonly kind: 'no-maven' }
  | { readonly kind: 'fetch-failed'; readonly reason: string }
  | { readonly kind: 'time-out'; readonly timeoutMs: number }
  | { readonly kind: 'interrupted' };

/** Its message is one line that says what to do. */
export class JarError extends Error {
  override name = 'JarError';

  constructor(readonly problem: JarProblem) {
    super(describe(problem));
  }
}

const OWN_JAR = 'set TLA2TOOLS_JAR to a tla2tools.jar of yours';

function describe(problem: JarProblem): string {
  switch (problem.kind) {
    case 'unreadable':
      return `TLA2TOOLS_JAR: ${problem.file} cannot be read: ${problem.reason}`;
    case 'not-tlc':
      return `TLA2TOOLS_JAR: ${problem.file} is not TLC: ${problem.reason}`;
    case 'wrong-checksum':
      return problem.where === 'cache'
        ? `${problem.file} has the SHA-256 ${problem.found} instead of ${problem.expected}: delete it, and it is fetched again`
        : `the fetched ${problem.file} has the SHA-256 ${problem.found} instead of ${problem.expected} and was not kept: ` +
            `look where Maven takes it from (settings.xml), or ${OWN_JAR}`;
    case 'unusable-cache':
      return `the cache folder ${problem.folder} cannot be used: ${problem.reason}; set XDG_CACHE_HOME, or ${OWN_JAR}`;
    case 'no-maven':
      return `TLC is to be fetched, but there is no mvn on PATH: install Maven (Debian: apt-get install maven) or ${OWN_JAR}`;
    case 'fetch-failed':
      return `Maven could not fetch TLC: ${problem.reason}; or ${OWN_JAR}`;
    case 'time-out':
      return `Maven did not fetch TLC within ${problem.timeoutMs / 1000} s; try again, or ${OWN_JAR}`;
    case 'interrupted':
      return 'interrupted while TLC was being fetched';
  }
}
