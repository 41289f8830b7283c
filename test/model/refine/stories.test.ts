/** Stories by fast-check: any row of numbers chooses among what can happen, the real cores live it in virtual time, every step is compared. */
import fc from 'fast-check';
import t from 'tap';
import { specificationGraph } from '../../../model/graph/spec-graph.js';
import { type Divergence, tell } from '../../../model/refine/story.js';
import { World } from '../../../model/refine/world.js';
import { findToolbox } from '../../../model/spec/toolbox.js';
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

const story = fc.array(fc.nat({ max: 99 }), { minLength: 20, maxLength: 90 });

function live(
  choices: readonly number[],
  without: readonly RemedyName[] = [],
): { departed: Divergence | null; steps: number } {
  let steps = 0;
  const world = new World(graph.values, MISFORTUNE, { live: true, without });
  const departed = tell(world, graph, choices, () => steps++);
  return { departed, steps };
}

t.test('whatever story the reference lives, the specification has it', async (t) => {
  let steps = 0;
  let stories = 0;
  fc.assert(
    fc.property(story, (choices) => {
      const lived = live(choices);
      steps += lived.steps;
      stories++;
      return lived.departed === null;
    }),
    { numRuns: 300, seed: 17 },
  );
  t.comment(`${stories} stories, ${steps} steps`);
  t.ok(steps > 20 * stories * 0.5, 'no choice is thrown away');
});

t.test('a remedy that is off is found, and its story shrinks to a short one that is told again', async (t) => {
  for (const remedy of ['backend-guard', 'header-only-ack', 'window-closing'] as const) {
    const found = fc.check(
      fc.property(story, (choices) => live(choices, [remedy]).departed === null),
      { numRuns: 400, seed: 5 },
    );
    t.ok(found.failed, remedy);
    const [choices] = found.counterexample ?? [[]];
    const { departed } = live(choices, [remedy]);
    t.ok(departed, 'the same again');
    t.ok((departed?.path.length ?? 99) <= 20, `${remedy}: ${departed?.path.length} steps`);
  }
});
