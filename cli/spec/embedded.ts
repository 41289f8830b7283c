/** The embedded checker's part of `prism spec check`. */
import type { Result } from '../../conformance/verdict.js';
import { type Change, configurationOf } from '../../model/spec/check.js';
import { clauseOf, type Model, type Specification } from '../../spec/formal.js';
import { operatorsIn } from '../../spec/operators.js';
import { Failure } from '../failure.js';
import type { Output } from '../output.js';
import { ticking } from './tools.js';

/** It keeps all states in the memory of one thread. */
const MAX_STATES = 60_000;
const TIMEOUT_MS = 600_000;

/** Throws a Failure for what the embedded checker cannot do. */
export async function checkEmbedded(
  specification: Specification,
  model: Model,
  change: Change,
  whole: boolean,
  output: Output,
  signal: AbortSignal,
): Promise<Result[]> {
  if (!model.embedded) {
    const others = specification.models.filter(({ embedded }) => embedded).map(({ id }) => id);
    throw new Failure(
      2,
      `the model ${model.id} is too large for the embedded checker; choose --model ${others.join(' or ')}`,
    );
  }
  const cfg = configurationOf(specification, model, change);
  const stop = ticking(
    (text) => output.progress(text),
    () => `${model.id}: embedded checker,`,
  );
  const started = Date.now();
  // A megabyte of WebAssembly, loaded only when it is wanted.
  const { runEmbedded } = await import('../../model/embedded/run.js');
  const outcome = await runEmbedded(
    {
      modules: { ...specification.modules, ...change.modules },
      root: model.root,
      cfg,
      maxStates: MAX_STATES,
      timeoutMs: TIMEOUT_MS,
    },
    { signal },
  ).finally(() => {
    stop();
    output.endProgress();
  });
  const result = (name: string, verdict: Result['verdict'], exercised: number, message: string): Result => ({
    id: `${model.id}/embedded/${name}`,
    clauses: /^[A-Z]{3}_/.test(name) ? [clauseOf(name)] : [],
    verdict,
    exercised,
    message,
    evidence: [],
    replay: `prism spec check --model ${model.id} --checker embedded`,
  });
  switch (outcome.kind) {
    case 'ok': {
      const { distinct } = outcome;
      const seconds = ((Date.now() - started) / 1000).toFixed(1);
      output.line(
        `${model.id}: ${distinct.toLocaleString('en-US')} distinct states by the embedded checker, ${seconds} s`,
      );
      const judged = operatorsIn(cfg).map(({ name }) => result(name, 'pass', distinct, `holds in ${distinct} states`));
      if (!whole) return judged;
      const agrees = distinct === model.distinct;
      const message = agrees
        ? `${distinct} distinct states, as pinned and as TLC counts`
        : `${distinct} distinct states, where TLC counts ${model.distinct}: one of the two checkers is wrong`;
      return [...judged, result('states', agrees ? 'pass' : 'fail', Math.max(1, distinct), message)];
    }
    case 'invariant':
      return [result(outcome.name, 'fail', 1, 'violated (prism spec check --checker tlc tells how)')];
    case 'liveness':
      return [result(outcome.property ?? 'liveness', 'fail', 1, 'violated (prism spec check --checker tlc tells how)')];
    case 'interrupted':
      throw signal.reason;
    case 'parse-error':
    case 'unsupported':
    case 'evaluation-error':
      throw new Failure(2, `${model.id}: embedded checker: ${'what' in outcome ? outcome.what : outcome.message}`);
    case 'too-many-states':
      throw new Failure(4, `${model.id}: more than ${MAX_STATES} states, too many for the embedded checker`);
    case 'time-out':
      throw new Failure(4, `${model.id}: the embedded checker was not done within ${TIMEOUT_MS / 1000} s`);
    case 'internal':
      throw new Failure(4, `${model.id}: the embedded checker failed: ${outcome.message}`);
  }
}
