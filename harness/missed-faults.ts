/** Says which of the faults that were asked for never happened: a run without its misfortune proves nothing about it. */
import type { ControlFault, Fault, RoleFault } from './world.js';

/** How often each fault of a run was done, in the order in which they were asked for; null where nobody was left to tell. */
export interface AppliedFaults {
  readonly faults: readonly number[] | null;
  readonly controlFaults: readonly number[] | null;
  /** Roles that did crash or fall silent. */
  readonly ended: ReadonlySet<string>;
}

interface AskedFaults {
  readonly faults: readonly Fault[];
  readonly controlFaults?: readonly ControlFault[];
  readonly roleFaults?: readonly RoleFault[];
}

/** One line for each fault that was done to nothing. Faults that come by chance may stay away. */
export function missedFaults(asked: AskedFaults, applied: AppliedFaults): string[] {
  const never = (index: number, counts: readonly number[] | null): boolean => counts !== null && !counts[index];
  return [
    ...asked.faults
      .filter(({ kind }, index) => kind !== 'lose' && kind !== 'reorder' && never(index, applied.faults))
      .map(({ kind, match }) => `no frame to ${kind}: ${JSON.stringify(match)}`),
    ...(asked.controlFaults ?? [])
      .filter((_, index) => never(index, applied.controlFaults))
      .map(({ kind, match }) => `no control message to ${kind}: ${JSON.stringify(match)}`),
    ...(asked.roleFaults ?? [])
      .filter(({ role }) => !applied.ended.has(role))
      .map(({ kind, role, on }) => `no ${kind} of ${role}: ${JSON.stringify(on)} did not come`),
  ];
}
