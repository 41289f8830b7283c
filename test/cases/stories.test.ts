/** The stories against an ordinary server: a good one passes all of them, each defect is noticed by some. */
import t from 'tap';
import type { ConformanceCase } from '../../conformance/cases/case.js';
import { createContext } from '../../conformance/cases/context.js';
import { HOSTILE_CASES } from '../../conformance/cases/hostile/index.js';
import { CASES } from '../../conformance/cases/index.js';
import { STAGE_CASES } from '../../conformance/cases/stages/index.js';
import { createOrdinaryWorld, type Defect } from './ordinary-world.js';

async function failuresOf(story: ConformanceCase, defect?: Defect): Promise<readonly string[]> {
  const world = await createOrdinaryWorld(story.options?.serviceDelayMs ?? 0, defect);
  const context = createContext(world);
  try {
    await story.run(context);
  } finally {
    await world.destroy();
  }
  return context.failures.map(({ message }) => message);
}

function caseOf(id: string): ConformanceCase {
  const found = CASES.find((c) => c.id === id);
  if (!found) throw new Error(`no case ${id}`);
  return found;
}

/** Told of an HTTP client; what is told in segments asks for a link, a switch and frames of its own. */
const inSegments = (story: ConformanceCase): boolean => STAGE_CASES.includes(story) || HOSTILE_CASES.includes(story);

/**
 * An ordinary server is one process without rules: what befalls roles and rules cannot befall it. Node counts a header's bytes otherwise, and
 * what is too large for the simulated world is too large for this one.
 */
function befalls({ id, options, worlds }: ConformanceCase): boolean {
  if (!worlds.includes('sim')) return false;
  const { controlFaults, roleFaults, ruleCapacity, bounds } = options ?? {};
  const misfortunes = [controlFaults, roleFaults, ruleCapacity, bounds].some((asked) => asked !== undefined);
  return !misfortunes && id !== 'REQ-7.header-one-byte-too-long';
}

t.test('an ordinary HTTP server passes every story that can befall it', async (t) => {
  const stories = CASES.filter((story) => befalls(story) && !inSegments(story));
  t.ok(stories.length > 90, 'most of them');
  const failures = await Promise.all(stories.map((story) => failuresOf(story)));
  for (const [i, story] of stories.entries()) t.same(failures[i], [], story.id);
});

const NOTICED: readonly (readonly [Defect, string, RegExp])[] = [
  ['swaps-objects', 'HOF-6.curl-alternates-backends', /expected a body with SHA-256/],
  ['truncates', 'BKD-5.response-segment-lost', /expected 65536 bytes of body, got 32768/],
  ['stores-short', 'REQ-5.payload-behind-header', /expected the SHA-256 of the 700 bytes written/],
  ['loses-writes', 'RET-7.reads-and-writes-across-backends', /expected to read back the 1448 bytes written/],
  ['serves-anything', 'REQ-7.unsupported-method', /expected status 501 or 405 or a reset, got status 200/],
];

for (const [defect, id, message] of NOTICED)
  t.test(`${id} notices a server that ${defect.replace('-', ' ')}`, async (t) => {
    t.match((await failuresOf(caseOf(id), defect))[0], message);
  });
