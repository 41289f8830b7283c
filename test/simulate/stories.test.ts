/** Stories in the simulated world: every number is a choice, the reference survives them, and what breaks a rule is told in a few words. */
import fc from 'fast-check';
import t from 'tap';
import { HIGHEST_CHOICE } from '../../harness/replay/choices.js';
import { writeToken } from '../../harness/replay/token.js';
import { INVARIANTS, type InvariantName } from '../../harness/simulate/invariants.js';
import { referenceCores, type SimulatedRoles } from '../../harness/simulate/roles.js';
import { type SimulatedStory, tellStory } from '../../harness/simulate/story.js';
import { readStoryToken, type StoryToken, writeStoryToken } from '../../harness/simulate/story-token.js';
import { searchSimulated } from '../../model/stories/simulated.js';
import { REMEDY_NAMES, type RemedyName } from '../../reference-impl/core/remedies.js';
import { broken, eachControl, eachFrame } from './broken-cores.js';

const stories: fc.Arbitrary<SimulatedStory> = fc.record({
  seed: fc.nat({ max: 0xffff }),
  without: fc.constant([]),
  choices: fc.array(fc.nat({ max: HIGHEST_CHOICE }), { maxLength: 40 }),
});

t.test('no choice is thrown away, and what was really chosen tells the same story', async (t) => {
  const seen = new Set<string>();
  fc.assert(
    fc.property(stories, (story) => {
      const told = tellStory(story, referenceCores);
      for (const words of told.words) seen.add(words.replace(/\d+|\(.*\)/g, '').trim());
      const again = tellStory({ ...story, choices: told.choices }, referenceCores);
      return (
        told.failure === null &&
        told.words.length === story.choices.length &&
        again.digest === told.digest &&
        JSON.stringify(again.words) === JSON.stringify(told.words) &&
        JSON.stringify(again.choices) === JSON.stringify(told.choices)
      );
    }),
    { numRuns: 150, seed: 11 },
  );
  const all = [...seen].join('\n');
  for (const kind of [
    /opens a connection/,
    /sends request/,
    /sends the rest of/,
    /sends the header of/,
    /a piece of the header/,
    /a piece of the payload/,
    /behind one that has no answer yet/,
    /half-closes/,
    /closes, whatever/,
    /resets the connection/,
    /arrives/,
    /is lost/,
    /is doubled/,
    /is held up/,
    /crashes/,
    /starts again/,
    /breaks/,
    /is made again/,
    /fill the switch/,
    /rules are removed/,
  ])
    t.match(all, kind);
});

t.test('the reference survives random stories', async (t) => {
  const begun = performance.now();
  const { stories, steps, failing, figures } = await searchSimulated(referenceCores, [], { stories: 400, seed: 7 });
  t.comment(`${stories} stories, ${steps} choices, ${Math.round(performance.now() - begun)} ms`);
  t.equal(failing, null);
  t.equal(stories, 400);
  t.ok(steps > 20 * stories);
  t.ok(figures.handoffs > stories, 'and is busy meanwhile');
  for (const kind of ['loss', 'duplication', 'delay', 'abort', 'crash', 'control-break', 'rule-full'] as const)
    t.ok(figures.faults[kind] > 0, kind);
});

/** What breaks a rule, and how many choices are enough to show it. */
const FAILING: readonly (readonly [
  name: string,
  roles: SimulatedRoles,
  without: readonly RemedyName[],
  most: number,
])[] = [
  ['backend-guard off', referenceCores, ['backend-guard'], 4],
  ['rules-before-reopen off', referenceCores, ['rules-before-reopen'], 6],
  ['header-only-ack off', referenceCores, ['header-only-ack'], 4],
  [
    'a backend that reports nothing',
    broken(
      'backend',
      eachControl((control) => (control.message.verb === 'complete' ? [] : [control])),
    ),
    [],
    4,
  ],
  [
    'a switch that doubles every frame',
    broken(
      'fabric',
      eachFrame((frame) => [frame, frame]),
    ),
    [],
    2,
  ],
];

for (const [name, roles, without, most] of FAILING)
  t.test(`${name}: found, told in a few choices, and its token tells it again`, async (t) => {
    const { failing } = await searchSimulated(roles, without, { stories: 300, seed: 5 });
    t.ok(failing);
    const story: SimulatedStory = { seed: failing?.seed ?? 0, without, choices: failing?.choices ?? [] };
    const told = tellStory(story, roles);
    t.comment(`${told.failure?.invariant}: ${told.words.join('; ')}`);
    t.ok(told.failure);
    t.ok(told.words.length <= most, `${told.words.length} choices`);
    const read = readStoryToken(writeStoryToken({ story, invariant: told.failure?.invariant ?? null }));
    if (!read.ok) throw new Error(read.error);
    const again = tellStory(read.token.story, roles);
    t.same(again.failure, told.failure);
    t.equal(again.digest, told.digest);
    t.equal(read.token.invariant, told.failure?.invariant);
  });

t.test('a client that closes inside a payload keeps its backend until the lease is over', async (t) => {
  // Header of a write; a second passes; the client closes.
  const told = tellStory({ seed: 13, without: [], choices: [0, 5, 6, 3, 3, 6] }, referenceCores);
  t.match(
    told.words.join('; '),
    /the header of request 2 \(POST [^)]*\), not its payload.*; client 1 closes, whatever/,
  );
  t.equal(told.failure, null);
  t.equal(told.figures.aborted, 1);
});

t.test('the controller that resets such a client goes on from where the backend was', async (t) => {
  const read = readStoryToken('story1-0.none.header-only.0g3568-29908b32');
  if (!read.ok) throw new Error(read.error);
  const told = tellStory(read.token.story, referenceCores);
  t.match(told.words.join('; '), /a piece of the payload of request 1 \(POST [^)]*\); client 1 closes, whatever/);
  t.equal(told.failure, null);
});

t.test('the same seed finds the same story', async (t) => {
  const search = () => searchSimulated(referenceCores, ['header-only-ack'], { stories: 100, seed: 9 });
  t.same(await search(), await search());
});

t.test('an interrupt ends a search', async (t) => {
  const controller = new AbortController();
  const search = searchSimulated(referenceCores, [], {
    stories: 100_000,
    seed: 1,
    signal: controller.signal,
    onProgress: (told) => {
      if (told === 5) controller.abort(new Error('enough'));
    },
  });
  await t.rejects(search, /enough/);
});

const tokens: fc.Arbitrary<StoryToken> = fc.record({
  story: fc.record({
    seed: fc.nat({ max: 0xffffffff }),
    without: fc.subarray([...REMEDY_NAMES]),
    choices: fc.array(fc.nat({ max: HIGHEST_CHOICE }), { maxLength: 100 }),
  }),
  invariant: fc.option(fc.constantFrom(...(Object.keys(INVARIANTS) as InvariantName[]))),
});

t.test('tokens: what is written is read', async () => {
  fc.assert(
    fc.property(tokens, (token) => {
      const read = readStoryToken(writeStoryToken(token));
      return read.ok && JSON.stringify(read.token) === JSON.stringify(token);
    }),
  );
});

t.test('tokens: any text is read or refused in one line; a body that makes no sense is refused', async (t) => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.stringMatching(/^story1-[a-z0-9._-]*$/)), (text) => {
      const read = readStoryToken(text);
      return read.ok || /^[^\n]+$/.test(read.error);
    }),
  );
  for (const body of [
    '01.none.none.0',
    '4294967296.none.none.0',
    '1.nobody.none.0',
    '1.none.never.0',
    '1.none.none._0a',
    '1.none.none',
  ])
    t.notOk(readStoryToken(writeToken({ kind: 'story1', body })).ok, body);
  const long = { seed: 1, without: [], choices: Array.from({ length: 1801 }, () => 0) };
  t.throws(() => writeStoryToken({ story: long, invariant: null }), RangeError);
});
