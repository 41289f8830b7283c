/** The numbers of TLC's messages (its class `tlc2.output.EC`) that mean something to us; the same in 2.18 and later. */

export const CODE = {
  general: 1000,
  outOfMemory: 1001,
  outOfMemoryInitialStates: 1002,
  outOfMemoryLiveness: 1003,
  initialStateError: 2102,
  nestedExpressions: 2103,
  assumptionFalse: 2104,
  invariantViolatedInitially: 2107,
  propertyViolatedInitially: 2108,
  invariantViolated: 2110,
  actionPropertyViolated: 2112,
  deadlock: 2114,
  temporalViolated: 2116,
  behaviour: 2121,
  backToState: 2122,
  assertFailed: 2132,
  searchFinished: 2186,
  initialStates: 2190,
  success: 2193,
  depth: 2194,
  statistics: 2199,
  progress: 2200,
  coverageStart: 2201,
  simulationProgress: 2209,
  state: 2217,
  stuttering: 2218,
  sanyEnd: 2219,
  sanyStart: 2220,
  version: 2262,
  counterexample: 2264,
  actionCoverage: 2772,
  initCoverage: 2773,
  parsingFailed: 3002,
  parsingFailedBecause: 2171,
  serverReady: 7000,
  workerCame: 7001,
  workerGone: 7002,
} as const;

/** Errors of the configuration file: of its text, and of what it names. */
export function isConfigurationError(code: number): boolean {
  return (
    (code >= 5001 && code <= 5006) || (code >= 2222 && code <= 2243) || (code >= 2280 && code <= 2281) || code === 2245
  );
}
