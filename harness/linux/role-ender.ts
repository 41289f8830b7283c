/** Ends roles when their time has come, from where that is seen: the controller's rim sees the control messages, the switch's the frames. */
import { createRoleFaults, type RoleFaults } from '../role-faults.js';
import type { RoleFault } from '../world.js';

export interface RoleEnds {
  readonly faults: readonly RoleFault[];
  /** The process group of each role that may be ended. */
  readonly groups: Readonly<Record<string, number>>;
}

/** Watches for both kinds of triggers; a signal is sent only after what is being done now, a message that is being sent above all, is done. */
export function createRoleEnder(ends: RoleEnds): {
  onControl(...args: Parameters<RoleFaults['onControl']>): void;
  onFrame(...args: Parameters<RoleFaults['onFrame']>): void;
} {
  const roleFaults = createRoleFaults(ends.faults);
  const begin = (due: readonly RoleFault[]): void => {
    for (const { kind, role, afterMs = 0 } of due) {
      const group = ends.groups[role];
      if (group === undefined) continue;
      const end = (): void => {
        try {
          process.kill(-group, kind === 'crash' ? 'SIGKILL' : 'SIGSTOP');
        } catch {
          // It has gone by itself, which the world notices.
        }
      };
      if (afterMs > 0) setTimeout(end, afterMs);
      else setImmediate(end);
    }
  };
  return {
    onControl: (travelling) => begin(roleFaults.onControl(travelling)),
    onFrame: (frame) => begin(roleFaults.onFrame(frame)),
  };
}
