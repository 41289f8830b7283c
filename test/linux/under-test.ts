/** Targets for tests of the Linux world: how they are made, judged, and looked for afterwards. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Test } from 'tap';
import { CASES } from '../../conformance/cases/index.js';
import { judgeEvidence } from '../../conformance/judge.js';
import { type CaseRun, runCases } from '../../conformance/run.js';
import { nodeCommand } from '../../harness/linux/processes.js';
import { createLinuxWorld } from '../../harness/linux/world.js';
import { packageRoot } from '../../harness/package-root.js';
import { loadTarget } from '../../harness/target/load.js';
import { parseManifest } from '../../harness/target/manifest.js';
import { resolveTarget, type Target } from '../../harness/target/target.js';
import { defaultPolicy } from '../../harness/topology.js';
import type { WorldOptions } from '../../harness/world.js';
import { fakePlan } from '../report/fakes.js';

/** Folder of the examples. */
export const EXAMPLES = join(packageRoot(), 'examples');
const PRISM = nodeCommand('../cli/entry', import.meta.url);
const HERE = fileURLToPath(new URL('.', import.meta.url));

/** A target by its name or path. */
export function shipped(word: string): Target {
  const loaded = loadTarget(word);
  if (!loaded.ok) throw new Error(loaded.error);
  return loaded.target;
}

/** A target of these roles, in `folder`. */
export function targetOf(roles: Record<string, unknown>, folder = HERE): Target {
  const parsed = parseManifest(JSON.stringify({ schema: 'prism-target/1', name: 'tested', roles }));
  if (!parsed.ok) throw new Error(parsed.error);
  return resolveTarget(parsed.manifest, folder, 'tested.json');
}

const toldOf = ({ roles, variants }: Target): NonNullable<WorldOptions['target']> => ({
  roles,
  variants,
  prism: PRISM,
});

/** A world that this target plays in. */
export const optionsOf = (target: Target): WorldOptions => ({
  seed: 1,
  without: [],
  policy: defaultPolicy,
  faults: [],
  target: toldOf(target),
});

/** Runs cases against a target, and judges them. */
export function judge(out: string, target: Target, ids: readonly string[]): Promise<CaseRun[]> {
  const cases = ids.map((id) => {
    const found = CASES.find((c) => c.id === id);
    if (!found) throw new Error(`no case ${id}`);
    return found;
  });
  const told = { judged: target, told: toldOf(target) };
  return runCases(
    fakePlan(out, { create: createLinuxWorld, kind: 'linux', cases, judge: judgeEvidence, target: told }),
  );
}

/** Every one of the cases passes. */
export async function passes(t: Test, target: Target, ids: readonly string[]): Promise<void> {
  const runs = await judge(t.testdir(), target, ids);
  for (const { result } of runs) t.equal(result.verdict, 'pass', `${result.id}: ${result.message}`);
  t.equal(runs.length, ids.length);
}

/** Processes whose environment or command line has that word in it. */
export function processesWith(word: string): string[] {
  return readdirSync('/proc').filter((pid) => {
    if (!/^\d+$/.test(pid) || Number(pid) === process.pid) return false;
    try {
      return ['environ', 'cmdline'].some((file) => readFileSync(`/proc/${pid}/${file}`, 'latin1').includes(word));
    } catch {
      return false;
    }
  });
}
