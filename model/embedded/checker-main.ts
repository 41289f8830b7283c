/** The worker thread of one run: it checks, and tells what the checker said. It cannot hear anything meanwhile; run.ts ends it. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { parentPort, workerData } from 'node:worker_threads';
import { check_spec_with_options, initSync } from 'tla-checker';
import { Answer } from './answer.js';

export interface CheckerLaunch {
  readonly source: string;
  readonly cfg: string;
  readonly properties: readonly { readonly name: string; readonly cfg: string }[];
  readonly maxStates: number;
}

export interface CheckerReport {
  readonly answer: Answer;
  /** The violated property; null when it is not known. */
  readonly property: string | null;
}

/** More than any behaviour of a model that fits into memory. */
const MAX_DEPTH = 1_000_000;

function load(): void {
  const script = createRequire(import.meta.url).resolve('tla-checker');
  initSync({ module: readFileSync(script.replace(/\.js$/, '_bg.wasm')) });
}

function check(source: string, cfg: string, maxStates: number): Answer {
  const options = { cfg_source: cfg, max_states: maxStates, max_depth: MAX_DEPTH };
  return Answer.parse(JSON.parse(check_spec_with_options(source, JSON.stringify(options))));
}

function run({ source, cfg, properties, maxStates }: CheckerLaunch): CheckerReport {
  const answer = check(source, cfg, maxStates);
  if (answer.error_type !== 'LivenessViolation') return { answer, property: null };
  const violated =
    properties.length === 1
      ? properties[0]
      : properties.find((one) => check(source, one.cfg, maxStates).error_type === 'LivenessViolation');
  return { answer, property: violated?.name ?? null };
}

load();
parentPort?.postMessage(run(workerData));
