/**
 * The agent of the eBPF switch: the reference's switch core for what comes over the control protocol and for the few frames that the
 * program leaves to it, with every change of its tables written to the program's maps before it is confirmed (HOF-1).
 */
import type { ControlMessage } from '../../reference-impl/control/messages.js';
import type { RoleInput, RoleOutput, StepFunction, Stepped } from '../../reference-impl/core/core.js';
import { type SwitchCounters, type SwitchState, stepSwitch } from '../../reference-impl/switch/switch.js';
import { BpfMapError } from '../bpf/object.js';

/** The tables in the kernel, as the agent sees them. */
export interface Tables {
  /** Throws a BpfMapError when there is no room for `after`, and then holds `before` still. */
  follow(before: SwitchState, after: SwitchState): void;
  counters(): SwitchCounters;
}

/** Steps the core and lets the tables follow it. */
export function stepAgent(tables: Tables): StepFunction<SwitchState> {
  return (state, input, now) => {
    const stepped = stepSwitch(state, input, now);
    try {
      tables.follow(state, stepped.state);
    } catch (error) {
      if (!(error instanceof BpfMapError)) throw error;
      return refused(state, input, error);
    }
    return isStats(input) ? { ...stepped, outputs: stepped.outputs.map((output) => counted(output, tables)) } : stepped;
  };
}

function isStats(input: RoleInput): boolean {
  return input.kind === 'control' && input.message.verb === 'stats';
}

/** Frames that the program dealt with, beside those that came up to the core. */
function counted(output: RoleOutput, tables: Tables): RoleOutput {
  if (output.kind !== 'control' || output.message.verb !== 'ok' || output.message.stats === undefined) return output;
  const { stats } = output.message;
  const below = tables.counters();
  const message: ControlMessage = {
    ...output.message,
    stats: {
      ...stats,
      frames: stats.frames + below.frames,
      rewritten: stats.rewritten + below.rewritten,
      routed: stats.routed + below.routed,
      dropped: stats.dropped + below.dropped,
    },
  };
  return { ...output, message };
}

/** The kernel has no room: nothing has changed, and whoever asked is told so. */
function refused(state: SwitchState, input: RoleInput, { code, message: reason }: BpfMapError): Stepped<SwitchState> {
  const event = { action: 'SwitchRefuseRule', conn: null, backend: null, code: 'full', reason };
  if (input.kind !== 'control' || !('id' in input.message)) return { state, outputs: [{ kind: 'event', event }] };
  const message: ControlMessage = {
    verb: 'refused',
    re: input.message.id,
    code: code === 'E2BIG' || code === 'ENOMEM' || code === 'ENOSPC' ? 'full' : 'unsupported',
    reason,
  };
  return {
    state,
    outputs: [
      { kind: 'event', event },
      { kind: 'control', peer: input.peer, message },
    ],
  };
}
