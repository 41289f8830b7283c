/** The same right run as many others would have captured it: no shape draws a false fail, and what cannot be judged is said. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { judgeFiles } from '../../conformance/stream/judge-files.js';
import type { Topology } from '../../harness/topology.js';
import type { Piece } from './retaken/frame.js';
import { shotsOf } from './retaken/frame.js';
import { SHAPES, type Shape } from './retaken/shapes.js';
import { read, Story, Talk, type Wire, write } from './story.js';

const folder = mkdtempSync(join(tmpdir(), 'prism-retaken-'));
t.teardown(() => rmSync(folder, { recursive: true, force: true }));

function tell(story: Story): void {
  const talk = new Talk(story);
  talk.connect();
  read(talk, '/a/8k', 8192);
  write(talk, '/b/w', 4000);
  read(talk, '/b/1k', 1024);
  talk.close();
}

interface Outcome {
  readonly error?: string;
  readonly fails: readonly string[];
  readonly passes: number;
  readonly messages: readonly string[];
  readonly notes: readonly string[];
}

async function judged(pieces: readonly Piece[], topology: Topology): Promise<Outcome> {
  const files = pieces.map(({ name, bytes, vantage }, index) => {
    const path = join(folder, `${index}`);
    writeFileSync(path, bytes);
    return { name, path, ...(vantage !== undefined && { vantage }) };
  });
  const outcome = await judgeFiles({ files, topology });
  if (!outcome.ok) return { error: outcome.error, fails: [], passes: 0, messages: [], notes: [] };
  const { findings, notes } = outcome;
  const of = (verdict: string) => findings.filter(({ finding }) => finding.verdict === verdict);
  return {
    fails: of('fail').map(({ clause, finding }) => `${clause}: ${finding.message}`),
    passes: of('pass').length,
    messages: of('inconclusive').map(({ finding }) => finding.message),
    notes,
  };
}

const right = new Story();
tell(right);
const shots = shotsOf(right.capture());

/** What contradicts the topology is named by the first frames that do. */
const MISFITS: Readonly<Record<string, RegExp>> = {
  'wrong logical port': /does not fit.*speaks to 198\.18\.0\.80:80 in frame 1 of.*198\.18\.0\.80:8080 is in no frame/,
  'wrong logical address': /does not fit.*speaks to 198\.18\.0\.80:80 in frame 1 of.*198\.18\.0\.81:80 is in no frame/,
  'wrong backend address': /does not fit.*backend0 speaks from 198\.18\.10\.2:80 in frame \d+/,
};

for (const shape of SHAPES) {
  t.test(shape.name, async (t) => {
    const { pieces, topology } = shape.make(shots, right.topology);
    const { error, fails } = await judged(pieces, topology);
    const misfit = MISFITS[shape.name];
    if (misfit === undefined) t.equal(error, undefined);
    else t.match(error, misfit);
    t.same(fails, []);
  });
}

function shapeNamed(name: string): Shape {
  const found = SHAPES.find((one) => one.name === name);
  if (found === undefined) throw new Error(`no shape ${name}`);
  return found;
}

t.test('what is kept in spite of the shape: as many clauses pass', async (t) => {
  const plain = await judged(shapeNamed('as it is').make(shots, right.topology).pieces, right.topology);
  for (const name of [
    'a router before the client, captured at the client',
    'a router before the client, captured at the switch',
    'a router before the backends',
    'stamps of a millisecond',
    'stamps of a second',
    'every frame twice, 3 ms later',
    'wrong fabric MAC',
    'wrong backend MAC',
    'interfaces without names',
    'pcapng, a section a vantage, one behind the other',
  ]) {
    const { pieces, topology } = shapeNamed(name).make(shots, right.topology);
    const { passes } = await judged(pieces, topology);
    // What only the columns of an untouched run count may be one clause more or less.
    t.ok(passes >= plain.passes, `${name}: ${passes} of ${plain.passes}`);
  }
});

t.test('a switch that keeps source addresses is named in every shape that shows them', async (t) => {
  const story = new Story();
  const forward = story.forward.bind(story);
  story.forward = (wire: Wire) => {
    const out = forward(wire);
    return out.vantage === 'client' ? { ...out, src: wire.src } : out;
  };
  tell(story);
  for (const name of [
    'as it is',
    'three routers before the client, a file a vantage',
    'stamps of a second',
    'every frame twice, 3 ms later',
    'wrong fabric MAC',
    'jitter of 10 ms, a file a vantage',
    'QinQ',
    'raw IP',
  ]) {
    const { pieces, topology } = shapeNamed(name).make(shotsOf(story.capture()), story.topology);
    const { fails } = await judged(pieces, topology);
    t.ok(
      fails.some((fail) => /^EST-2: expected 198\.18\.0\.80 as source/.test(fail)),
      name,
    );
  }
});

t.test('a backend that repeats one frame byte for byte is no mirror', async (t) => {
  const story = new Story();
  const talk = new Talk(story);
  talk.connect();
  read(talk, '/a/1k', 1024);
  story.pass(3000);
  const again = { at: talk.server.next - 100, payload: new Uint8Array(100), id: 777, tsval: 9_050, tsecr: 5_000 };
  talk.fromServer('backend0', again);
  story.pass(3000);
  talk.fromServer('backend0', again);
  const { pieces, topology } = shapeNamed('as it is').make(shotsOf(story.capture()), story.topology);
  const { fails, notes } = await judged(pieces, topology);
  t.ok(fails.some((fail) => fail.startsWith('BKD-9')));
  t.notOk(notes.some((note) => /copies/.test(note)));
});

t.test('clocks that contradict the frames are named, and nobody is accused', async (t) => {
  const { pieces, topology } = shapeNamed('jitter of 10 ms, a file a vantage').make(shots, right.topology);
  const { messages } = await judged(pieces, topology);
  const doubt = messages.filter((message) => message.startsWith('cannot be judged because'));
  for (const message of doubt) t.match(message, /frame \d+ of \w+\.pcap is stamped \d+\.\d{3} ms/);
});
