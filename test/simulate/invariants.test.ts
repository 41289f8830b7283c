/** Every invariant can fail: for each there is a broken core that violates it, and no other invariant is violated instead in that run. */
import t from 'tap';
import { INVARIANTS, type InvariantName } from '../../harness/simulate/invariants.js';
import { EVERYTHING, type FaultKind, planOf } from '../../harness/simulate/plan.js';
import { REFERENCE_CORES, rolesOf, type SimulatedRoles } from '../../harness/simulate/roles.js';
import { runPlan } from '../../harness/simulate/run.js';
import { WorldError } from '../../harness/world.js';
import type { RoleOutput } from '../../reference-impl/core/core.js';
import { TcpFlag } from '../../reference-impl/wire/tcp.js';
import { CLAUSES } from '../../spec/requirements.js';
import {
  broken,
  bumped,
  changed,
  eachControl,
  eachFrame,
  type FrameOutput as Frame,
  has,
  lacking,
  renumbered,
} from './broken-cores.js';

interface Story {
  readonly roles: SimulatedRoles;
  /** What has to happen for it to show; nothing unless told. */
  readonly faults?: readonly FaultKind[];
}

const ACK_AT_HAND_OFF = (flags: number, length: number): boolean => has(flags, 'PSH') && length === 0;

/** Hand-offs of this method only: a backend alters what it sends for the latest one it was told of. */
function whileServing(read: boolean, ackPlus: number): SimulatedRoles {
  let serves: boolean | null = null;
  return broken('backend', (outputs, input) => {
    if (input.kind === 'control' && input.message.verb === 'handoff')
      serves = ['GET', 'HEAD'].includes(input.message.request.method);
    return outputs.map((output) =>
      output.kind === 'frame' && serves === read
        ? changed(output, ({ ack }) => ({ ack: (ack + ackPlus) >>> 0 }))
        : output,
    );
  });
}

let synAcks = 0;

/** A controller that says something more in the step that hands over; `last` is what it sent before. */
function atHandOff(alter: (last: Frame, outputs: readonly RoleOutput[]) => readonly RoleOutput[]): SimulatedRoles {
  let last: Frame | undefined;
  return broken('controller', (outputs) => {
    for (const output of outputs) if (output.kind === 'frame') last = output;
    const told = outputs.some((output) => output.kind === 'control' && output.message.verb === 'handoff');
    return told && last !== undefined ? alter(last, outputs) : outputs;
  });
}

const STORIES: Readonly<Record<InvariantName, Story>> = {
  'logical-source': {
    roles: broken(
      'fabric',
      eachFrame((f) => (f.port === 'client' ? [bumped(f, 11)] : [f])),
    ),
  },
  'options-kept': {
    roles: broken(
      'backend',
      eachFrame((f) => [changed(f, () => ({ options: [] }))]),
    ),
  },
  'one-initial-number': {
    faults: ['loss', 'duplication'],
    roles: broken(
      'controller',
      eachFrame((f) => [
        changed(f, ({ seq, flags }) => (has(flags, 'SYN') ? { seq: (seq + synAcks++) >>> 0 } : undefined)),
      ]),
    ),
  },
  'header-received': {
    roles: broken(
      'controller',
      eachControl((c) =>
        c.message.verb === 'handoff'
          ? [{ ...c, message: { ...c.message, request: { ...c.message.request, header: 'R0VU' } } }]
          : [c],
      ),
    ),
  },
  'header-only': {
    roles: broken(
      'controller',
      eachFrame((f) => [
        changed(f, ({ ack, flags, payload }) =>
          ACK_AT_HAND_OFF(flags, payload.length) ? { ack: ack + 1 } : undefined,
        ),
      ]),
    ),
  },
  'read-closes-window': {
    roles: broken(
      'controller',
      eachFrame((f) => [changed(f, ({ window }) => (window === 0 ? { window: 1 } : undefined))]),
    ),
  },
  'write-keeps-window': {
    roles: broken(
      'controller',
      eachFrame((f) => [
        changed(f, ({ flags, payload }) => (ACK_AT_HAND_OFF(flags, payload.length) ? { window: 0 } : undefined)),
      ]),
    ),
  },
  'backend-of-policy': {
    roles: broken(
      'controller',
      eachControl((c) =>
        c.message.verb === 'add'
          ? [
              {
                ...c,
                message: {
                  ...c.message,
                  rule: { ...c.message.rule, backend: { ...c.message.rule.backend, name: 'backend7' } },
                },
              },
            ]
          : [c],
      ),
    ),
  },
  'rule-before-hand-off': { roles: lacking('confirm-before-handoff') },
  'nothing-in-flight': {
    // A FIN takes a number, which nobody has acknowledged when the hand-off follows at once.
    roles: atHandOff((last, outputs) => [changed(last, ({ flags }) => ({ flags: flags | TcpFlag.FIN })), ...outputs]),
  },
  'state-handed-over': {
    roles: broken(
      'controller',
      eachControl((c) =>
        c.message.verb === 'handoff'
          ? [
              {
                ...c,
                message: {
                  ...c.message,
                  snapshot: { ...c.message.snapshot, clientMss: c.message.snapshot.clientMss - 1 },
                },
              },
            ]
          : [c],
      ),
    ),
  },
  'one-owner': { roles: atHandOff((last, outputs) => [...outputs, last]) },
  'backend-silent-before': {
    roles: broken('backend', (outputs) => [
      ...outputs.filter(({ kind }) => kind === 'frame'),
      ...outputs.filter(({ kind }) => kind !== 'frame'),
    ]),
  },
  steered: {
    roles: broken(
      'fabric',
      eachFrame((f) => (f.port.startsWith('backend') ? [bumped(f, 5)] : [f])),
    ),
  },
  disguised: {
    roles: broken(
      'fabric',
      eachFrame((f, input) => (input.kind === 'frame' && input.port.startsWith('backend') ? [bumped(f, 5)] : [f])),
    ),
  },
  routed: {
    roles: broken(
      'fabric',
      eachFrame((f) => (f.port === 'controller' ? [bumped(f, 5)] : [f])),
    ),
  },
  'checksums-kept': {
    roles: broken(
      'fabric',
      eachFrame((f) => (f.port === 'client' ? [f] : [bumped(f, 25)])),
    ),
  },
  'nothing-else-changed': {
    roles: broken(
      'fabric',
      eachFrame((f) => [renumbered(f)]),
    ),
  },
  'client-sees-zero': {
    roles: broken(
      'fabric',
      eachFrame((f, input) =>
        input.kind === 'frame' && input.port.startsWith('backend')
          ? [changed(f, ({ window }) => (window === 0 ? { window: 9 } : undefined))]
          : [f],
      ),
    ),
  },
  'fin-hidden': { roles: lacking('fin-suppression') },
  'rules-as-confirmed': {
    roles: rolesOf({
      ...REFERENCE_CORES,
      fabric: (state, input, now) => {
        const stepped = REFERENCE_CORES.fabric(state, input, now);
        const removes = input.kind === 'control' && input.message.verb === 'remove';
        return removes ? { state, outputs: stepped.outputs } : stepped;
      },
    }),
  },
  'switch-total': { roles: broken('fabric', throwAtFin) },
  'host-total': { roles: broken('controller', throwAtFin) },
  'stream-continues': {
    roles: broken(
      'backend',
      eachFrame((f) => [changed(f, ({ seq }) => ({ seq: (seq + 1) >>> 0 }))]),
    ),
  },
  'response-right': {
    roles: broken(
      'backend',
      eachFrame((f) => [
        changed(f, ({ payload }) =>
          payload.length > 0 ? { payload: payload.map((b, i) => (i + 1 === payload.length ? b ^ 1 : b)) } : undefined,
        ),
      ]),
    ),
  },
  'corrupt-ignored': {
    faults: ['corruption'],
    roles: broken('backend', (outputs, input) =>
      outputs.length === 0 && input.kind === 'frame'
        ? [{ kind: 'event', event: { action: 'Noticed', conn: null } }]
        : outputs,
    ),
  },
  'payload-only': { roles: whileServing(false, 100_000) },
  'nothing-behind-header': { roles: whileServing(true, 1) },
  'fin-held': { roles: whileServing(true, 1) },
  'own-bytes-only': {
    roles: broken(
      'backend',
      eachFrame((f) => [changed(f, ({ seq, payload }) => (payload.length > 0 ? { seq: (seq - 1) >>> 0 } : undefined))]),
    ),
  },
  'complete-means-acknowledged': { roles: lacking('complete-when-acked') },
  'failure-has-a-cause': {
    roles: broken(
      'backend',
      eachControl((c) => {
        if (c.message.verb !== 'complete') return [c];
        const { keepAlive: _, ...report } = c.message;
        return [{ ...c, message: { ...report, verb: 'failed', reason: 'cannot-serve' } }];
      }),
    ),
  },
  'time-stamps-rise': { roles: lacking('timestamp-continuity') },
  'backend-silent-after': { roles: lacking('backend-guard') },
  'rules-gone-first': { roles: lacking('rules-before-reopen') },
  'window-reopened': {
    roles: broken('controller', (outputs, input) =>
      input.kind === 'control' && input.peer === 'switch' ? outputs.filter(({ kind }) => kind !== 'frame') : outputs,
    ),
  },
  progress: {
    roles: broken(
      'controller',
      eachFrame((f) => (ends(f) ? [] : [f])),
    ),
  },
  'close-completes': {
    roles: broken(
      'controller',
      eachFrame((f) => [finToReset(f)]),
    ),
  },
  'reset-has-a-cause': {
    roles: broken(
      'controller',
      eachFrame((f) => [finToReset(f)]),
    ),
  },
  'nothing-left': {
    roles: broken(
      'controller',
      eachControl((c) => (c.peer.startsWith('backend') && ['ok', 'refused'].includes(c.message.verb) ? [] : [c])),
    ),
  },
  'reset-reaches-client': {
    faults: ['crash'],
    roles: broken(
      'controller',
      eachFrame((f) => [
        changed(f, ({ flags, seq }) => (has(flags, 'RST') ? { seq: (seq + 1_000_000_000) >>> 0 } : undefined)),
      ]),
    ),
  },
  'refusal-has-a-cause': {
    roles: {
      ...rolesOf(REFERENCE_CORES),
      controller: (config) => rolesOf(REFERENCE_CORES).controller({ ...config, headerLimit: 40 }),
    },
  },
};

function ends(frame: Frame): boolean {
  let found = false;
  changed(frame, ({ flags }) => {
    found = has(flags, 'FIN') || has(flags, 'RST');
    return undefined;
  });
  return found;
}

function finToReset(frame: Frame): Frame {
  return changed(frame, ({ flags, payload }) =>
    has(flags, 'FIN') && payload.length === 0 ? { flags: (flags & ~1) | 4 } : undefined,
  );
}

function throwAtFin(outputs: Parameters<Parameters<typeof broken>[1]>[0]): typeof outputs {
  if (outputs.some((output) => output.kind === 'frame' && ends(output))) throw new Error('a FIN!');
  return outputs;
}

const SEEDS = 60;

for (const [name, { roles, faults = [] }] of Object.entries(STORIES)) {
  t.test(`${name} can fail`, async (t) => {
    const seen = new Set<string>();
    for (let seed = 1; seed <= SEEDS && !seen.has(name); seed++) {
      const plan = planOf(seed, { ...EVERYTHING, allowed: faults });
      const { failure } = runPlan(plan, roles);
      if (failure !== null) seen.add(failure.invariant);
    }
    t.ok(seen.has(name), `within ${SEEDS} seeds; seen: ${[...seen].join(', ')}`);
  });
}

t.test('every invariant names a clause that there is', async (t) => {
  const known = new Set(CLAUSES.map(({ id }) => id));
  for (const [name, [clause, statement]] of Object.entries(INVARIANTS)) {
    t.ok(known.has(clause), `${name}: ${clause}`);
    t.not(statement, '');
  }
});

t.test('a core that never rests is a failure of the core, not of the simulation', async (t) => {
  const restless = broken('controller', (outputs, input) =>
    input.kind === 'control-up' || input.kind === 'timer' ? [...outputs, { kind: 'timer', key: 'x', at: 0 }] : outputs,
  );
  const { failure } = runPlan(planOf(1, EVERYTHING), restless);
  t.match(failure, { invariant: 'nothing-left', message: /time stands still|no end after/ });
});

t.test('a simulation that is broken itself says so', async (t) => {
  const roles = {
    ...rolesOf(REFERENCE_CORES),
    fabric: () => {
      throw new WorldError('no switch to be had');
    },
  };
  t.throws(() => runPlan(planOf(1, EVERYTHING), roles), { name: 'WorldError' });
});
