/** What the reference does in the cases told segment by segment is right from the captures alone too: no control log, no false fail. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { createContext } from '../../conformance/cases/context.js';
import { HOSTILE_CASES } from '../../conformance/cases/hostile/index.js';
import { STAGE_CASES } from '../../conformance/cases/stages/index.js';
import { judgeEvidence } from '../../conformance/judge.js';
import { createSimWorld } from '../../harness/sim/world.js';
import { defaultPolicy } from '../../harness/topology.js';

const folder = mkdtempSync(join(tmpdir(), 'prism-captures-alone-'));
t.teardown(() => rmSync(folder, { recursive: true, force: true }));

for (const story of [...STAGE_CASES, ...HOSTILE_CASES].filter(({ worlds }) => worlds.includes('sim'))) {
  t.test(story.id, async (t) => {
    const world = await createSimWorld(folder, {
      policy: defaultPolicy,
      faults: [],
      ...story.options,
      seed: 1,
      without: [],
    });
    await story.run(createContext(world));
    await world.settle(30_000);
    const { capture, topology } = await world.finish();
    const judged = judgeEvidence({ captures: [{ name: 'capture', bytes: readFileSync(capture) }], topology });
    if (!judged.ok) throw new Error(judged.error);
    const fails = judged.findings.filter(({ finding }) => finding.verdict === 'fail');
    t.same(
      fails.map(({ clause, finding }) => `${clause}: ${finding.message}`),
      [],
    );
  });
}
