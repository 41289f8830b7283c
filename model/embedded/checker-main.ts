/** The worker thread of one run: it checks, and tells what the checker said. It cannot hear anything meanwhile; run.ts ends it. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { parentPort, workerData } from 'node:worker_threads';
import { check_spec_with_options, initSync } from 'tla-checker';
import { Answer } from './answer.js';
import type { SingleProperty } from './source.js';

export interface CheckerLaunch {
  readonly source: string;
  readonly cfg: string;
  readonly properties: readonly SingleProperty[];
  readonly maxStates: number;
}

/** `final`: no other report follows. `property`: the violated one; null as long as it is not known. */
export interface CheckerReport {
  readonly answer: Answer;
  readonly property: string | null;
  readonly final: boolean;
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

function run({ source, cfg, properties, maxStates }: CheckerLaunch, report: (message: CheckerReport) => void): void {
  const answer = check(source, cfg, maxStates);
  const violated = answer.error_type === 'LivenessViolation';
  let property = violated && properties.length === 1 ? (properties[0]?.name ?? null) : null;
  if (violated && property === null) {
    // To find which one takes as long again for each that is tried.
    report({ answer, property, final: false });
    const found = likeliestFirst(properties, answer.error_message ?? '').find(
      (one) => check(source, one.cfg, maxStates).error_type === 'LivenessViolation',
    );
    property = found?.name ?? null;
  }
  report({ answer, property, final: true });
}

/** The message shows the formula as a tree, with names and strings in quotation marks: most in common, least besides. */
function likeliestFirst(properties: readonly SingleProperty[], message: string): SingleProperty[] {
  const said = new Set([...message.matchAll(/"(\w+)"/g)].map(([, word]) => word ?? ''));
  const likeness = ({ words }: SingleProperty): number => {
    const common = words.filter((word) => said.has(word)).length;
    return common / (words.length + said.size - common);
  };
  return properties.toSorted((a, b) => likeness(b) - likeness(a));
}

load();
run(workerData, (message) => parentPort?.postMessage(message));
