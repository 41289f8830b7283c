/** Steps of the specification that the implementation never takes, and why. */
import type { Edge, Graph } from '../graph/graph.js';
import type { State } from '../tlc/messages.js';

export interface UntakenGroup {
  readonly action: string;
  readonly reason: string;
  readonly edges: number;
}

export interface Untaken {
  /** Of states that the implementation is in. */
  readonly explained: readonly UntakenGroup[];
  /** The same, without a reason that anybody has given: action and count. */
  readonly unexplained: readonly Omit<UntakenGroup, 'reason'>[];
  /** Edges of states that it is never in, because a step above leads to them. */
  readonly beyond: number;
}

interface View {
  readonly controller: { readonly phase: string };
  readonly control: readonly { readonly type: string }[];
  readonly net: {
    readonly down: { readonly logical: readonly { readonly syn: boolean }[] };
    readonly late: readonly { readonly syn: boolean }[];
  };
}

const TO_SWITCH = ['add', 'remove'];
const FROM_SWITCH = ['added', 'refused', 'removed'];
const FROM_BACKENDS = ['handoff', 'complete', 'failed'];

const REASONS: readonly {
  readonly reason: string;
  readonly actions: readonly string[];
  readonly applies: (view: View) => boolean;
}[] = [
  {
    reason: 'what arrives while the rules are being removed is kept and taken afterwards, not dropped',
    actions: ['ControllerReceive'],
    applies: ({ controller }) => controller.phase === 'removing',
  },
  {
    reason: 'a SYN after the end of a connection opens another, which is outside of the model',
    actions: ['ControllerReceive'],
    applies: ({ controller, net }) =>
      controller.phase === 'gone' && [...net.down.logical, ...net.late].some(({ syn }) => syn),
  },
  {
    reason:
      'the reference closes an idle connection by its timer only (IdleTimeout), or behind a response that says so',
    actions: ['CloseConnection'],
    applies: () => true,
  },
  {
    reason: 'hand-offs and reports ride on one TCP connection, which does not lose them; that it breaks is simulated',
    actions: ['LoseControl'],
    applies: ({ control }) => control.some(({ type }) => FROM_BACKENDS.includes(type)),
  },
  {
    reason: 'the control connection to the switch keeps its messages in order',
    actions: ['SwitchAddRule', 'SwitchRemoveRule', 'LoseControl'],
    applies: ({ control }) => control.filter(({ type }) => TO_SWITCH.includes(type)).length > 1,
  },
  {
    reason: 'the control connection to the switch keeps its messages in order',
    actions: ['HandOff', 'RuleRefused', 'ReopenWindow', 'ResetClient', 'Forget', 'ControlRejected', 'LoseControl'],
    applies: ({ control }) => control.filter(({ type }) => FROM_SWITCH.includes(type)).length > 1,
  },
];

/** `reached`, `taken`: by node and by edge, as the refinement marks them. */
export function untakenSteps(graph: Graph, reached: Uint8Array, taken: Uint8Array): Untaken {
  const explained = new Map<string, UntakenGroup>();
  const unexplained = new Map<string, number>();
  let beyond = 0;
  for (let index = 0; index < graph.edges; index++) {
    if (taken[index]) continue;
    const edge = graph.edge(index);
    if (!reached[edge.from]) {
      beyond++;
      continue;
    }
    const reason = reasonFor(edge, graph.state(edge.from));
    if (reason === undefined) {
      unexplained.set(edge.action, (unexplained.get(edge.action) ?? 0) + 1);
      continue;
    }
    const key = `${edge.action} ${reason}`;
    explained.set(key, { action: edge.action, reason, edges: (explained.get(key)?.edges ?? 0) + 1 });
  }
  return {
    explained: [...explained.values()].sort((a, b) => b.edges - a.edges),
    unexplained: [...unexplained].map(([action, edges]) => ({ action, edges })),
    beyond,
  };
}

function reasonFor({ action }: Edge, state: State): string | undefined {
  const view = state as unknown as View;
  return REASONS.find(({ actions, applies }) => actions.includes(action) && applies(view))?.reason;
}
