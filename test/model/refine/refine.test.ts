/** The refinement itself: it holds, and it notices when either side changes alone. */
import t from 'tap';
import type { Graph } from '../../../model/graph/graph.js';
import { specificationGraph } from '../../../model/graph/spec-graph.js';
import { BOUNDS } from '../../../model/refine/bounds.js';
import { goAllPairs } from '../../../model/refine/paths.js';
import { type Refinement, refine } from '../../../model/refine/refine.js';
import { type Cores, REFERENCE } from '../../../model/refine/roles.js';
import { World, type WorldOptions } from '../../../model/refine/world.js';
import { findToolbox } from '../../../model/spec/toolbox.js';
import type { RoleOutput, Stepped } from '../../../reference-impl/core/core.js';
import type { RemedyName } from '../../../reference-impl/core/remedies.js';
import { copyFrame, parseFrame } from '../../../reference-impl/wire/frame.js';
import { setTcpWindow } from '../../../reference-impl/wire/patch.js';
import { readSpecification, type Specification, shippedSpecification } from '../../../spec/formal.js';

const finding = await findToolbox();
if (finding.kind !== 'found') throw new Error('the refinement needs Java and TLC');
const { toolbox } = finding;
const specification = readSpecification(shippedSpecification());

async function graphOf(spec: Specification, misfortune: number): Promise<Graph> {
  const model = spec.models.find(({ id }) => id === 'ci');
  if (model === undefined) throw new Error('no model ci');
  const made = await specificationGraph({
    toolbox,
    specification: spec,
    model,
    constants: { Events: `${misfortune}` },
    workers: 2,
    heapMegabytes: 2048,
    timeoutMs: 300_000,
    cache: spec === specification,
  });
  if (made.kind === 'failed') throw new Error(`TLC: ${made.outcome.kind}`);
  return made.graph;
}

const none = await graphOf(specification, 0);
const one = await graphOf(specification, 1);

const explore = (graph: Graph, misfortune: number, options: WorldOptions = {}): Promise<Refinement> =>
  refine(new World(graph.values, misfortune, options), graph);

t.test('the reference refines the specification, with the numbers that are pinned', async (t) => {
  for (const [graph, misfortune] of [
    [none, 0],
    [one, 1],
  ] as const) {
    const seen = await explore(graph, misfortune);
    const pinned = BOUNDS.find((bounds) => bounds.misfortune === misfortune)?.pinned;
    t.equal(seen.divergence, null);
    t.match(
      { specStates: graph.nodes, specSteps: graph.edges, ...seen },
      {
        specStates: pinned?.specStates,
        specSteps: pinned?.specSteps,
        states: pinned?.states,
        transitions: pinned?.transitions,
        depth: pinned?.depth,
      },
    );
  }
});

/** What the smallest bounds show the want of; the rest needs a loss, an abort or a failure. */
const SHOWN: readonly (readonly [RemedyName, Graph, number])[] = [
  ['header-only-ack', none, 0],
  ['window-closing', none, 0],
  ['backend-ack-limit', none, 0],
  ['confirm-before-handoff', none, 0],
  ['backend-guard', none, 0],
  ['complete-when-acked', none, 0],
  ['rules-before-reopen', none, 0],
  ['drain-rules', none, 0],
  ['answer-probes', none, 0],
  ['timestamp-continuity', none, 0],
  ['exact-reset', one, 1],
  ['repeat-reset', one, 1],
];

for (const [remedy, graph, misfortune] of SHOWN)
  t.test(`without ${remedy} it is no refinement`, async (t) => {
    const { divergence } = await explore(graph, misfortune, { without: [remedy] });
    t.ok(divergence);
    t.ok((divergence?.path.length ?? 0) > 3);
    t.ok((divergence?.allowed.length ?? 0) > 0);
  });

/** The reference with the outputs of one core changed. */
function tampered<Role extends keyof Cores>(
  role: Role,
  change: (output: RoleOutput, outputs: readonly RoleOutput[]) => readonly RoleOutput[],
): Cores {
  const step = REFERENCE[role] as (...given: readonly unknown[]) => Stepped<unknown>;
  const changed = (...given: readonly unknown[]): Stepped<unknown> => {
    const { state, outputs } = step(...given);
    return { state, outputs: outputs.flatMap((output) => change(output, outputs)) };
  };
  return { ...REFERENCE, [role]: changed };
}

const frames = (change: (bytes: Uint8Array) => Uint8Array) => (output: RoleOutput) =>
  output.kind === 'frame' ? [{ ...output, bytes: change(output.bytes) }] : [output];

const FAULTS: readonly (readonly [name: string, cores: Cores, because: RegExp])[] = [
  [
    'a frame of the controller with a bit flipped',
    tampered(
      'controller',
      frames((bytes) => bytes.with(60, (bytes[60] ?? 0) ^ 1)),
    ),
    /checksum/,
  ],
  [
    'a frame of the switch with an open window',
    tampered(
      'switch',
      frames((bytes) => {
        const parsed = parseFrame(bytes);
        if (!parsed.ok || parsed.value.tcp?.window !== 0) return bytes;
        const copy = copyFrame(parsed.value);
        setTcpWindow(copy, 1);
        return copy.bytes;
      }),
    ),
    /no-such-state/,
  ],
  [
    'a switch that loses every frame',
    tampered('switch', (output) => (output.kind === 'frame' ? [] : [output])),
    /no-such/,
  ],
  [
    'a switch that doubles every frame',
    tampered('switch', (output) => (output.kind === 'frame' ? [output, output] : [output])),
    /no-such/,
  ],
  [
    'a switch that confirms nothing',
    tampered('switch', (output) => (output.kind === 'control' ? [] : [output])),
    /no-such/,
  ],
  [
    'a backend that reports nothing',
    tampered('backend', (output) => (output.kind === 'control' && output.message.verb === 'complete' ? [] : [output])),
    /no-such/,
  ],
  [
    'a backend that reports one byte too many',
    tampered('backend', (output) =>
      output.kind === 'control' && output.message.verb === 'complete'
        ? [
            {
              ...output,
              message: {
                ...output.message,
                snapshot: { ...output.message.snapshot, seq: output.message.snapshot.seq + 1 },
              },
            },
          ]
        : [output],
    ),
    /within a unit/,
  ],
  [
    'a controller whose rule does not clear FIN',
    tampered('controller', (output) =>
      output.kind === 'control' && output.message.verb === 'add'
        ? [{ ...output, message: { ...output.message, rule: { ...output.message.rule, clearFin: false } } }]
        : [output],
    ),
    /clear FIN/,
  ],
];

for (const [name, cores, because] of FAULTS)
  t.test(`${name} is no refinement`, async (t) => {
    const { divergence } = await explore(none, 0, { cores });
    const { departure } = divergence ?? {};
    t.match(departure?.kind === 'no-counterpart' ? departure.message : (departure?.kind ?? 'none'), because);
  });

/** One line of the specification changed. */
async function changed(find: string, replace: string): Promise<Graph> {
  const text = specification.modules['Handoff.tla'] ?? '';
  if (text.split(find).length !== 2) throw new Error(`not once in Handoff.tla: ${find}`);
  const modules = { ...specification.modules, 'Handoff.tla': text.replace(find, replace) };
  return graphOf({ ...specification, modules }, 0);
}

t.test('a guard of the specification strengthened alone is noticed', async (t) => {
  for (const [find, replace] of [
    ['/\\ m.type = "complete" /\\ InForce(m)', '/\\ m.type = "complete" /\\ InForce(m) /\\ Quiet'],
    [
      'k.st = "serving" /\\ k.nxt = Reply[h]',
      'k.st = "serving" /\\ client.rcv = Reply[h] /\\ Crossing = {} /\\ k.nxt = Reply[h]',
    ],
  ] as const) {
    const { divergence } = await explore(await changed(find, replace), 0);
    t.match(divergence?.departure.kind, /^no-such/, replace);
  }
});

t.test('a specification that allows more is noticed by what is never taken', async (t) => {
  const more = await changed(
    '/\\ controller.phase = "reading" /\\ controller.rcv = Start[controller.req] /\\ Happens("close")',
    '/\\ controller.phase = "reading" /\\ controller.rcv = Start[controller.req] /\\ Nothing',
  );
  const { divergence, taken } = await explore(more, 0);
  t.equal(divergence, null);
  const never = Array.from({ length: more.edges }, (_, index) => more.edge(index)).filter(
    (edge) => edge.action === 'CloseConnection',
  );
  t.ok(never.length > 0);
  t.ok(never.every((edge) => taken[edge.index] === 0));
});

t.test('paths over every pair of successive actions are gone in virtual time', async (t) => {
  const { taken } = await explore(one, 1);
  const gone = goAllPairs(one, taken, 1);
  t.comment(
    `${gone.ways} paths, ${gone.steps} steps, ${gone.pairs} pairs, ${gone.edges} edges, ${gone.seconds.toFixed(0)} s of virtual time`,
  );
  t.ok(gone.pairs > 250);
  t.same(gone.missing, []);
  const lossy = goAllPairs(one, taken, 1, {
    cores: tampered('backend', (output) => (output.kind === 'control' ? [] : [output])),
  });
  t.ok(lossy.missing.length > 0, 'a broken core is stuck somewhere');
});
