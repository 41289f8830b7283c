/** Forged frames: what the project's own builder makes of a description, scapy makes of it too, byte for byte. */
import fc from 'fast-check';
import t from 'tap';
import { createContext } from '../../conformance/cases/context.js';
import { HOSTILE_CASES } from '../../conformance/cases/hostile/index.js';
import { Scapy, ScapyMissing } from '../../harness/scapy/bridge.js';
import { type Craft, craft } from '../../harness/segments/craft.js';
import { describeForgery, type Present } from '../../harness/segments/forgery.js';
import { FLAGS, type Forgery, type SegmentStep } from '../../harness/segments/story.js';
import { defaultTopology } from '../../harness/topology.js';
import type { ClientJob, JobResult, World } from '../../harness/world.js';
import { parseFrame } from '../../reference-impl/wire/frame.js';

const PRESENT: Present = {
  client: { ip: '198.18.1.3', port: 20_000, mac: '02:50:52:00:01:03' },
  logical: { ip: '198.18.0.80', port: 80, mac: '02:50:52:00:00:01' },
  seq: 0xffff_fff0,
  ack: 7,
  window: 65_535,
  timestamps: { value: 123_456, echo: 99 },
  ipId: 4711,
};

/** The forged frames of every hostile case: its story is played to a world that only listens. */
async function forgeries(): Promise<readonly Forgery[]> {
  const steps: SegmentStep[] = [];
  const world: World = {
    kind: 'sim',
    topology: defaultTopology(),
    async runClients(jobs: readonly ClientJob[]): Promise<readonly JobResult[]> {
      for (const job of jobs) if (job.kind === 'segments') steps.push(...job.story.steps);
      return jobs.map(() => ({ ok: true, responses: [] }));
    },
    async settle() {},
    async finish() {
      throw new Error('nothing was played');
    },
    async destroy() {},
  };
  for (const hostile of HOSTILE_CASES) await hostile.run(createContext(world));
  return steps.flatMap((step) => (step.do === 'forge' ? step.frame : []));
}

const anyForgery: fc.Arbitrary<Forgery> = fc.record(
  {
    flags: fc.subarray([...FLAGS]),
    shift: fc.record({ seq: fc.integer(), ack: fc.integer() }, { requiredKeys: [] }),
    window: fc.integer({ min: 0, max: 65_535 }),
    urgentPointer: fc.integer({ min: 0, max: 65_535 }),
    text: fc.string({ unit: 'binary-ascii', maxLength: 60 }),
    tsval: fc.option(fc.integer()),
    protocol: fc.constantFrom('tcp', 'udp', 'icmp'),
    ttl: fc.integer({ min: 0, max: 255 }),
    ipOptions: fc.constantFrom('', '94040000', '01010101'),
    asServer: fc.boolean(),
    wrong: fc.constantFrom('ip-checksum', 'tcp-checksum'),
    dataOffset: fc.integer({ min: 0, max: 15 }),
    cutTo: fc.integer({ min: 14, max: 90 }),
    fragments: fc.constantFrom(
      [
        { at: 0, length: 8 },
        { at: 8, length: 200 },
      ],
      [
        { at: 0, length: 24 },
        { at: 16, length: 200, garble: true },
      ],
    ),
  },
  { requiredKeys: [] },
);

/** What only a TCP segment has is not asked of others. */
function sensible(forgery: Forgery): Forgery {
  if ((forgery.protocol ?? 'tcp') === 'tcp') return forgery;
  const { dataOffset: _, wrong, ...rest } = forgery;
  return wrong === 'ip-checksum' ? { ...rest, wrong } : rest;
}

let scapy: Scapy | undefined;
try {
  scapy = new Scapy();
} catch (error) {
  if (!(error instanceof ScapyMissing)) throw error;
  if (process.env.CI === 'true') t.fail(error.message);
  else t.comment(`skipped: ${error.message}`);
}

const hex = (frames: readonly Uint8Array[]): string[] => frames.map((bytes) => Buffer.from(bytes).toString('hex'));

if (scapy !== undefined) {
  const oracle = scapy;
  t.teardown(() => oracle.close());

  t.test('every forged frame of the hostile cases', async (t) => {
    const all = await forgeries();
    t.ok(all.length >= 40, `${all.length} of them`);
    const items: Craft[] = all.map((forgery) => describeForgery(forgery, PRESENT));
    t.strictSame(hex(items.flatMap(craft)), hex(await oracle.craft(items)));
  });

  t.test('any forged frame', async (t) => {
    const items = fc
      .sample(anyForgery, { numRuns: 500, ...(process.env.PRISM_SEED && { seed: Number(process.env.PRISM_SEED) }) })
      .map((forgery) => describeForgery(sensible(forgery), PRESENT));
    const ours = items.map((item) => hex(craft(item)));
    let at = 0;
    const theirs = hex(await oracle.craft(items));
    for (const [i, frames] of ours.entries()) {
      t.strictSame(frames, theirs.slice(at, at + frames.length), JSON.stringify(items[i]));
      at += frames.length;
    }
  });
}

t.test('a wrong checksum is wrong, and everything else is right', async (t) => {
  const [ip] = craft(describeForgery({ wrong: 'ip-checksum' }, PRESENT));
  const [tcp] = craft(describeForgery({ wrong: 'tcp-checksum' }, PRESENT));
  const view = (bytes: Uint8Array | undefined) => {
    const parsed = parseFrame(bytes ?? new Uint8Array(0));
    return parsed.ok ? parsed.value : undefined;
  };
  const [first, second] = [view(ip), view(tcp)];
  t.equal(first?.ipv4?.checksumValid(), false);
  t.equal(second?.ipv4?.checksumValid(), true);
  t.equal(first?.ipv4 && first.tcp?.checksumValid(first.ipv4), true);
  t.equal(second?.ipv4 && second.tcp?.checksumValid(second.ipv4), false);
});
