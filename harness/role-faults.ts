/** Roles that crash or fall silent: when it is time. A pure decision; the world that holds the role ends it. */
import { ControlMatcher, type TravellingMessage } from './control-match.js';
import { type LeavingFrame, matchesFrame } from './impair.js';
import type { RoleFault } from './world.js';

export interface RoleFaults {
  /** A control message is being sent: the faults that begin now, each once in a run. */
  onControl(travelling: TravellingMessage): readonly RoleFault[];
  /** A frame leaves the switch, before anything is done to it on its way. */
  onFrame(frame: LeavingFrame): readonly RoleFault[];
}

const NOTHING: readonly RoleFault[] = [];

/** Triggers count what matches them from 1, as faults do; the first match when they do not say which. */
export function createRoleFaults(faults: readonly RoleFault[]): RoleFaults {
  const matcher = new ControlMatcher();
  const matched = faults.map(() => 0);
  const due = (matches: (fault: RoleFault) => boolean): readonly RoleFault[] => {
    if (faults.length === 0) return NOTHING;
    return faults.filter((fault, index) => {
      if (!matches(fault)) return false;
      matched[index] = (matched[index] ?? 0) + 1;
      return matched[index] === (fault.on.nth ?? 1);
    });
  };
  return {
    onControl(travelling) {
      matcher.note(travelling);
      return due(({ on }) => 'control' in on && matcher.matches(on.control, travelling));
    },
    onFrame: (frame) => due(({ on }) => 'frame' in on && matchesFrame(on.frame, frame)),
  };
}
