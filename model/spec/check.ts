/** One model of the specification, whole or changed, checked by TLC: its configuration, its run, and what was seen in it. */
import type { Model, Specification } from '../../spec/formal.js';
import { type Operator, operatorsIn, reconfigured, situationsOf } from '../../spec/operators.js';
import { runDistributedTlc } from '../tlc/distributed.js';
import type { Progress } from '../tlc/messages.js';
import type { TlcOutcome } from '../tlc/outcome.js';
import { runTlc } from '../tlc/run.js';
import { findViolatedProperty } from '../tlc/violated-property.js';
import type { Toolbox } from './toolbox.js';

/** How the protocol is changed, and which operators are asked about; nothing of it: the model as it is pinned. */
export interface Change {
  /** Constants of remedies that are switched off. */
  readonly without: readonly string[];
  /** Operators; all of the configuration's when absent. */
  readonly only?: readonly string[];
  /** Kinds of misfortune, each as often as it is listed, and no others; the configuration's when absent. */
  readonly misfortune?: readonly string[];
  /** Texts of modules instead of the specification's. */
  readonly modules?: Readonly<Record<string, string>>;
}

export interface CheckOptions {
  readonly workers: number;
  readonly heapMegabytes: number;
  /** Milliseconds. */
  readonly timeoutMs: number;
  readonly distributed: boolean;
  /** Also tells which actions were taken. */
  readonly coverage: boolean;
  /** A new folder that keeps modules, configuration and what TLC printed. */
  readonly keepFolder?: string;
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: Progress) => void;
}

export interface ModelRun {
  readonly model: Model;
  readonly operators: readonly Operator[];
  readonly outcome: TlcOutcome;
  /** Names of actions; `never` were taken in no state. Empty without coverage. */
  readonly actions: { readonly taken: readonly string[]; readonly never: readonly string[] };
  /** Situations of Witnesses.tla; null where the configuration does not ask for them. */
  readonly situations: { readonly met: readonly string[]; readonly never: readonly string[] } | null;
}

/** The operator that a chosen misfortune is put in. */
const CHOSEN = 'ChosenMisfortune';

function modulesOf(specification: Specification, model: Model, change: Change): Record<string, string> {
  const modules = { ...specification.modules, ...change.modules };
  const root = `${model.root}.tla`;
  if (change.misfortune === undefined) return modules;
  const kinds = [...new Set(change.misfortune)].map((kind) => `"${kind}"`).join(', ');
  return {
    ...modules,
    [root]: (modules[root] ?? '').replace(/^={4,}/m, `${CHOSEN} == [k \\in {${kinds}} |-> 1]\n====`),
  };
}

/** The kinds of misfortune that the specification knows, as MC.tla lists them. */
export function misfortunesOf({ modules }: Specification): string[] {
  const [, list = ''] = /^AllKinds == \{([^}]*)\}/m.exec(modules['MC.tla'] ?? '') ?? [];
  return [...list.matchAll(/"(\w+)"/g)].map(([, kind]) => kind ?? '');
}

/** The configuration that a change amounts to. Throws a RangeError for a remedy that the model does not know. */
export function configurationOf(specification: Specification, model: Model, change: Change): string {
  return reconfigured(specification.configurations[model.cfg] ?? '', {
    constants: {
      ...Object.fromEntries(change.without.map((remedy) => [remedy, 'FALSE'])),
      ...(change.misfortune === undefined ? {} : { Events: `${change.misfortune.length}`, EventCost: CHOSEN }),
    },
    ...(change.only === undefined ? {} : { only: change.only }),
  });
}

export async function checkModel(
  toolbox: Toolbox,
  specification: Specification,
  model: Model,
  change: Change,
  options: CheckOptions,
): Promise<ModelRun> {
  const cfg = configurationOf(specification, model, change);
  const modules = modulesOf(specification, model, change);
  const request = {
    jar: toolbox.jar.path,
    java: toolbox.java,
    modules: { texts: modules },
    root: model.root,
    cfg,
    workers: options.workers,
    heapMegabytes: options.heapMegabytes,
    deadlock: false,
    timeoutMs: options.timeoutMs,
    ...(options.keepFolder === undefined ? {} : { keepFolder: options.keepFolder }),
  };
  const running = {
    ...(options.signal === undefined ? {} : { signal: options.signal }),
    ...(options.onProgress === undefined ? {} : { onProgress: options.onProgress }),
  };
  const whole = { ...request, coverage: options.coverage };
  const outcome = options.distributed
    ? await runDistributedTlc(request, running)
    : await findViolatedProperty(whole, await runTlc(whole, running), running);
  return {
    model,
    operators: operatorsIn(cfg),
    outcome,
    actions: actionsOf(outcome),
    situations: /\bSometimes\b/.test(cfg) ? situationsIn(outcome, situationsOf({ ...specification, modules })) : null,
  };
}

function actionsOf({ coverage }: TlcOutcome): ModelRun['actions'] {
  const names = [...new Set(coverage.map(({ action }) => action))].filter((name) => name !== 'Init');
  const taken = (name: string): boolean => coverage.some(({ action, generated }) => action === name && generated > 0);
  return { taken: names.filter(taken), never: names.filter((name) => !taken(name)) };
}

/** Each worker prints a situation when it meets it first, as `<<"sometimes", 3, "...">>`, over several lines if it is long. */
function situationsIn({ prints }: TlcOutcome, all: readonly string[]): NonNullable<ModelRun['situations']> {
  const printed = prints.map((text) => /^<<\s*"sometimes",\s*\d+,\s*"([^"]*)"\s*>>$/.exec(text.trim())?.[1]);
  return { met: all.filter((name) => printed.includes(name)), never: all.filter((name) => !printed.includes(name)) };
}
