/** The cases about long headers go by the limit that the target declares. */
import t from 'tap';
import type { ConformanceCase } from '../../conformance/cases/case.js';
import { createContext } from '../../conformance/cases/context.js';
import { headerAtTheLimit, headerOneByteTooLong, headerTooLong } from '../../conformance/cases/refusal/refusals.js';
import { defaultPolicy, defaultTopology } from '../../harness/topology.js';
import type { World } from '../../harness/world.js';

/** The length of the longest text that a case's clients send. */
async function longest(testCase: ConformanceCase, headerLimit?: number): Promise<number> {
  const lengths: number[] = [];
  const world: World = {
    kind: 'sim',
    topology: defaultTopology(defaultPolicy),
    runClients: async (jobs) => {
      for (const job of jobs)
        if (job.kind === 'script')
          for (const step of job.steps) if (step.do === 'send') lengths.push(step.text?.length ?? 0);
      return jobs.map(() => ({ ok: true, responses: [] }));
    },
    settle: async () => undefined,
    finish: () => Promise.reject(new Error('nobody asks for evidence')),
    destroy: async () => undefined,
  };
  await testCase.run(createContext(world, headerLimit));
  return Math.max(...lengths);
}

t.test('64 KiB where none is declared, else what is declared', async (t) => {
  t.equal(await longest(headerAtTheLimit), 65_536);
  t.equal(await longest(headerAtTheLimit, 8192), 8192);
  t.equal(await longest(headerOneByteTooLong, 8192), 8193);
  t.ok((await longest(headerTooLong, 8192)) > 8193);
  t.equal(await longest(headerAtTheLimit, 256), 256, 'the least that can be declared');
});
