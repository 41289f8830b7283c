/** Stories of the cores: found where the specification has no such step, short, and told again by their token. */
import t from 'tap';
import { specificationGraph } from '../../../model/graph/spec-graph.js';
import { type Cores, REFERENCE } from '../../../model/refine/roles.js';
import { tell } from '../../../model/refine/story.js';
import { readRefineToken, writeRefineToken } from '../../../model/refine/token.js';
import { World } from '../../../model/refine/world.js';
import { findToolbox } from '../../../model/spec/toolbox.js';
import { searchCores } from '../../../model/stories/cores.js';
import type { RemedyName } from '../../../reference-impl/core/remedies.js';
import { readSpecification, shippedSpecification } from '../../../spec/formal.js';

const finding = await findToolbox();
if (finding.kind !== 'found') throw new Error('the refinement needs Java and TLC');
const specification = readSpecification(shippedSpecification());
const model = specification.models.find(({ id }) => id === 'ci');
if (model === undefined) throw new Error('no model ci');
const MISFORTUNE = 1;
const made = await specificationGraph({
  toolbox: finding.toolbox,
  specification,
  model,
  constants: { Events: `${MISFORTUNE}` },
  workers: 2,
  heapMegabytes: 2048,
  timeoutMs: 300_000,
  cache: true,
});
if (made.kind === 'failed') throw new Error(`TLC: ${made.outcome.kind}`);
const { graph } = made;

t.test('the specification has every story of the reference', async (t) => {
  const begun = performance.now();
  const options = { stories: 300, seed: 3 };
  const { stories, steps, divergence } = await searchCores({ graph, misfortune: MISFORTUNE, without: [] }, options);
  t.comment(`${stories} stories, ${steps} steps, ${Math.round(performance.now() - begun)} ms`);
  t.equal(divergence, null);
  t.equal(stories, 300);
  t.ok(steps > 20 * stories, 'no choice is thrown away');
});

/** A backend whose reports are lost in itself. */
const silent: Cores = {
  ...REFERENCE,
  backend: (...given) => {
    const { state, outputs } = REFERENCE.backend(...given);
    return { state, outputs: outputs.filter((output) => output.kind !== 'control') };
  },
};

const FAILING: readonly (readonly [name: string, cores: Cores, without: readonly RemedyName[]])[] = [
  ['backend-guard off', REFERENCE, ['backend-guard']],
  ['header-only-ack off', REFERENCE, ['header-only-ack']],
  ['window-closing off', REFERENCE, ['window-closing']],
  ['a backend that reports nothing', silent, []],
];

for (const [name, cores, without] of FAILING)
  t.test(`${name}: found, short, and its token tells it again`, async (t) => {
    const searched = await searchCores({ graph, misfortune: MISFORTUNE, without, cores }, { stories: 400, seed: 5 });
    const { divergence } = searched;
    t.ok(divergence);
    const path = divergence?.path ?? [];
    t.comment(path.map(({ label }) => label).join('; '));
    t.ok(path.length > 3 && path.length <= 20, `${path.length} steps`);
    const choices = path.map(({ choice }) => choice);
    const read = readRefineToken(writeRefineToken({ misfortune: MISFORTUNE, live: true, without, choices }) ?? '');
    if (!read.ok) throw new Error(read.error);
    const { misfortune, live, choices: told } = read.token;
    const again = tell(new World(graph.values, misfortune, { live, without: read.token.without, cores }), graph, told);
    t.same(again, divergence);
  });
