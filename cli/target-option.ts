/** The option `--target`, and what a command makes of it. */
import { resolve } from 'node:path';
import type { Command } from 'commander';
import { CASES } from '../conformance/cases/index.js';
import { unusable } from '../conformance/excuses.js';
import type { RunPlan } from '../conformance/run.js';
import { loadTarget } from '../harness/target/load.js';
import { REFERENCE_TARGET, type Target } from '../harness/target/target.js';
import type { WorldKind } from '../harness/world.js';
import { CLAUSES } from '../spec/requirements.js';
import { Failure } from './failure.js';

export interface TargetOption {
  /** Each time it was given. */
  readonly target?: readonly string[];
}

export function addTargetOption(command: Command): Command {
  return command.option(
    '--target <FILE>',
    'what is judged: a manifest (prism init writes one), or a name of prism list targets (default: reference)',
    (word: string, before: readonly string[] = []) => [...before, word],
  );
}

const KNOWN = { clauses: new Set(CLAUSES.map(({ id }) => id)), cases: new Set(CASES.map(({ id }) => id)) };

/** The target that was asked for; throws `Failure` 2. */
export function chosenTarget({ target: words = [] }: TargetOption): Target {
  const [first, ...others] = words.map((word) => {
    const loaded = loadTarget(word);
    if (!loaded.ok) throw new Failure(2, `--target ${loaded.error}`);
    return loaded.target;
  });
  if (first === undefined) return REFERENCE_TARGET;
  const today = new Date().toISOString().slice(0, 10);
  const [complaint] = unusable(first.waivers, today, KNOWN);
  if (complaint !== undefined) throw new Failure(2, `--target ${first.selector}: ${complaint}`);
  const twin = others.find(({ name }) => name === first.name);
  if (twin)
    throw new Failure(
      2,
      `--target: ${first.selector} and ${twin.selector} are both named '${first.name}'; one target a run`,
    );
  if (others.length > 0) throw new Failure(2, `--target: one target a run; there are ${words.join(', ')}`);
  return first;
}

/** Throws `Failure` 2 when the target cannot run in that world. */
export function demandWorld(target: Target, world: WorldKind): void {
  if (target.worlds.includes(world)) return;
  const programs = Object.entries(target.roles).filter(([, role]) => role.kind === 'process');
  const roles = programs.map(([kind]) => kind).join(', ');
  throw new Failure(
    2,
    `the target ${target.name} runs programs (${roles}), which need --world ${target.worlds.join(' or ')}`,
  );
}

/** What a run plan says of a target: nothing of the plain reference, which every part of the plan assumes. */
export function targetOf(target: Target): Pick<RunPlan, 'target'> {
  if (target === REFERENCE_TARGET) return {};
  const { roles, variants } = target;
  const prism = [process.execPath, ...process.execArgv, resolve(process.argv[1] ?? '')];
  return { target: { judged: target, told: { roles, variants, prism } } };
}
