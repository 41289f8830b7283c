/** What commands tell of the combinations of client programs and stacks, in the world as this machine has it. */
import {
  type Combinations,
  combinationsOf,
  combinationsTable,
  type LeftOutLevel,
  leftOutLines,
} from '../conformance/report/combinations.js';
import type { ExtraTable } from '../conformance/result-schema.js';
import type { Result } from '../conformance/verdict.js';
import { CLIENT_NEEDS, isInstalled } from '../harness/clients/installed.js';
import { unavailableLevels } from '../harness/linux/client-profile.js';
import { NOT_SIMULATED } from '../harness/sim/stack-profile.js';
import type { WorldKind } from '../harness/world.js';

/** Levels that a world does not have here; of Linux, programs that are not installed too. */
export function leftOutOf(world: WorldKind): readonly LeftOutLevel[] {
  if (world === 'sim') return NOT_SIMULATED;
  const programs = Object.entries(CLIENT_NEEDS).flatMap(([level, needs]): LeftOutLevel[] => {
    const missing = needs.filter((name) => !isInstalled(name));
    return missing.length === 0 ? [] : [{ factor: 'program', level, reason: `needs ${missing.join(', ')}` }];
  });
  return [...programs, ...unavailableLevels()];
}

/** Tables and lines for a run's report; nothing where no combination was selected. */
export function tellCombinations(
  columns: readonly { readonly name: WorldKind; readonly results: readonly Result[] }[],
): { tables: ExtraTable[]; leftOut: string[] } {
  const told = columns.flatMap(({ name, results }): { world: WorldKind; combinations: Combinations }[] => {
    const verdicts = new Map(results.map((result) => [result.id, result.verdict]));
    const combinations = combinationsOf(verdicts, leftOutOf(name));
    return combinations.rows.some(({ verdict }) => verdict !== undefined) ? [{ world: name, combinations }] : [];
  });
  return {
    tables: told.map(({ world, combinations }) => combinationsTable(combinations, world)),
    leftOut: told.flatMap(({ world, combinations }) => leftOutLines(combinations, world)),
  };
}
