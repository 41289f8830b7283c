/** One segment story in both worlds: the same steps are done and the same segments seen, forged ones by scapy and by our own builders included. */
import { spawnSync } from 'node:child_process';
import t from 'tap';
import { createLinuxWorld } from '../../harness/linux/world.js';
import type { SegmentStep } from '../../harness/segments/story.js';
import { createSimWorld } from '../../harness/sim/world.js';
import { defaultPolicy } from '../../harness/topology.js';
import type { JobResult, WorldFactory } from '../../harness/world.js';
import { hasLinux } from './needs-linux.js';

const GET = 'GET /a/1k HTTP/1.1\r\nHost: p\r\n\r\n';

async function play(
  create: WorldFactory,
  folder: string,
  steps: readonly SegmentStep[],
): Promise<JobResult | undefined> {
  const world = await create(folder, { seed: 1, without: [], policy: defaultPolicy, faults: [], serviceDelayMs: 300 });
  try {
    const [result] = await world.runClients([{ kind: 'segments', story: { steps }, timeoutMs: 20_000 }]);
    return result;
  } finally {
    await world.destroy();
  }
}

if (await hasLinux()) {
  const withScapy = spawnSync('sh', ['-c', 'command -v scapy']).status === 0;
  if (!withScapy && process.env.CI === 'true') t.fail('scapy is not installed');

  t.test('a story is played alike in both worlds', async (t) => {
    const owned = { do: 'expect', flags: ['ACK'], payload: false, acks: GET.length, window: 'zero' } as const;
    const forged: SegmentStep[] = [{ do: 'forge', frame: { flags: ['ACK'], shift: { seq: -1 } } }, owned];
    const steps: SegmentStep[] = [
      { do: 'connect', sack: true, windowScale: 7 },
      { do: 'send', text: GET },
      owned,
      { do: 'wait', ms: 100 },
      { do: 'probe' },
      owned,
      ...(withScapy ? forged : []),
      { do: 'response' },
    ];
    const told = (result: JobResult | undefined) => ({
      ok: result?.ok,
      responses: result?.responses,
      closedBy: result?.closedBy,
      steps: result?.observations?.map(({ step, do: word, sent, seen }) => [step, word, sent, seen?.what]),
    });
    const simulated = told(await play(createSimWorld, t.testdir({}), steps));
    t.equal(simulated.ok, true);
    t.strictSame(told(await play(createLinuxWorld, t.testdir({}), steps)), simulated);
  });

  t.test('the kernel of the client neither answers nor resets for it', async (t) => {
    const result = await play(createLinuxWorld, t.testdir({}), [
      { do: 'connect' },
      { do: 'send', text: GET },
      { do: 'auto-ack', on: false },
      { do: 'arrived', bytes: 1024 },
      { do: 'probe' },
      // Nobody acknowledges, so the backend repeats; a kernel's RST would have ended that.
      { do: 'expect', payload: true, withinMs: 5000 },
      { do: 'auto-ack', on: true },
      { do: 'response' },
    ]);
    t.match(result, { ok: true, responses: [{ status: 200, bodySize: 1024 }] });
  });
}
