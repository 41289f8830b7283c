/** The JUnit file, read back by Python's XML parser, and held against what its readers expect of its shape. */
import { execFileSync } from 'node:child_process';
import fc from 'fast-check';
import t from 'tap';
import { junitReport } from '../../conformance/report/junit.js';
import type { Result } from '../../conformance/verdict.js';
import { anyResult, documentOf, resultOf } from './documents.js';

interface Element {
  readonly tag: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly text: string;
  readonly children: readonly Element[];
}

/** Parses every document or dies with the parser's complaint. */
const READER = `
import json, sys
import xml.etree.ElementTree as tree
def plain(e):
    return {"tag": e.tag, "attributes": dict(e.attrib), "text": e.text or "", "children": [plain(c) for c in e]}
json.dump([plain(tree.fromstring(text.encode("utf-8"))) for text in json.load(sys.stdin)], sys.stdout)
`;

function readBack(...documents: string[]): Element[] {
  const out = execFileSync('python3', ['-c', READER], {
    input: JSON.stringify(documents),
    maxBuffer: 64 * 1024 * 1024,
  });
  return JSON.parse(out.toString('utf8')) as Element[];
}

/** Tags, their attributes (those with ? may be missing) and children: what is common to the schemas of Jenkins' xUnit plugin and GitLab's reader. */
const SHAPE: Readonly<Record<string, { attributes: readonly string[]; children: readonly string[] }>> = {
  testsuites: { attributes: ['name', 'tests', 'failures', 'errors', 'skipped', 'time'], children: ['testsuite'] },
  testsuite: {
    attributes: ['name', 'tests', 'failures', 'errors', 'skipped', 'time?', 'timestamp'],
    children: ['properties', 'testcase'],
  },
  properties: { attributes: [], children: ['property'] },
  property: { attributes: ['name', 'value'], children: [] },
  testcase: { attributes: ['name', 'classname'], children: ['failure', 'error', 'skipped', 'system-out'] },
  failure: { attributes: ['message', 'type'], children: [] },
  error: { attributes: ['message', 'type'], children: [] },
  skipped: { attributes: ['message'], children: [] },
  'system-out': { attributes: [], children: [] },
};

function complaints(element: Element, above = ''): string[] {
  const path = `${above}/${element.tag}`;
  const shape = SHAPE[element.tag];
  if (shape === undefined) return [`${path}: no such tag`];
  const names = Object.keys(element.attributes);
  const wrong: string[] = [];
  for (const name of shape.attributes)
    if (!name.endsWith('?') && !names.includes(name)) wrong.push(`${path}: ${name} is missing`);
  for (const name of names)
    if (!shape.attributes.includes(name) && !shape.attributes.includes(`${name}?`)) wrong.push(`${path}: ${name}`);
  const order = element.children.map(({ tag }) => shape.children.indexOf(tag));
  if (order.some((at, i) => at < 0 || at < (order[i - 1] ?? 0))) wrong.push(`${path}: children out of order`);
  if (element.tag === 'testsuite' || element.tag === 'testsuites') {
    const cases = element.tag === 'testsuite' ? casesOf(element) : element.children.flatMap(casesOf);
    const count = (tag: string) => cases.filter((c) => c.children.some((child) => child.tag === tag)).length;
    const counted = {
      tests: cases.length,
      failures: count('failure'),
      errors: count('error'),
      skipped: count('skipped'),
    };
    for (const [name, number] of Object.entries(counted))
      if (element.attributes[name] !== String(number)) wrong.push(`${path}: ${name} is not ${number}`);
  }
  return [...wrong, ...element.children.flatMap((child) => complaints(child, path))];
}

function casesOf(suite: Element): Element[] {
  return suite.children.filter(({ tag }) => tag === 'testcase');
}

t.test('a suite a world, a case a result', async (t) => {
  const results = [
    resultOf('sim/REQ-2.story', 'fail'),
    resultOf('sim/a', 'pass'),
    resultOf('linux/b', 'inconclusive'),
    resultOf('linux/c', 'error', { clauses: [] }),
    resultOf('linux/d', 'unsupported', {
      waiver: { reason: 'ticket 7', link: 'https://example.org/7', expires: '2027-01-01' },
    }),
  ];
  const [lenient, strict] = readBack(
    junitReport(documentOf(results, 'sim+linux'), false),
    junitReport(documentOf(results, 'sim+linux'), true),
  );
  if (!lenient || !strict) throw new Error('not read');
  t.same([...complaints(lenient), ...complaints(strict)], []);
  t.match(lenient.attributes, { tests: '5', failures: '1', errors: '1', skipped: '2', time: '1.500' });
  t.match(strict.attributes, { failures: '2', skipped: '1' });
  const [sim, linux] = lenient.children;
  t.match(sim?.attributes, { name: 'sim', tests: '2', timestamp: '1970-01-01T00:00:00' });
  t.same(sim && casesOf(sim)[0], {
    tag: 'testcase',
    attributes: { name: 'REQ-2.story', classname: 'sim.REQ-2' },
    text: '\n      ',
    children: [
      {
        tag: 'failure',
        attributes: { message: 'sim/REQ-2.story is fail', type: 'fail' },
        text: [
          'sim/REQ-2.story is fail',
          'clauses: REQ-2',
          'sim/story/capture.pcapng frame 12: ack 105',
          'again: prism test sim/REQ-2.story',
        ].join('\n'),
        children: [],
      },
      {
        tag: 'system-out',
        attributes: {},
        text: 'clauses: REQ-2\nsim/story/capture.pcapng frame 12: ack 105\nagain: prism test sim/REQ-2.story',
        children: [],
      },
    ],
  });
  t.same(linux && casesOf(linux).map((c) => c.children[0]?.attributes.message), [
    'inconclusive: linux/b is inconclusive',
    'linux/c is error',
    'linux/d is unsupported',
  ]);
});

t.test('what XML cannot hold is shown, not lost', async (t) => {
  const message = 'a\0b\u000b\ud800 \ufffe ]]> <&">\u{1f600}';
  const [read] = readBack(junitReport(documentOf([resultOf('x', 'fail', { message })]), false));
  const [suite] = read?.children ?? [];
  const shown = suite && casesOf(suite)[0]?.children[0]?.attributes.message;
  t.equal(shown, 'a\\x00b \\xd800 \\xfffe ]]> <&">\u{1f600}', 'a vertical tab is white space');
});

t.test('any text gives XML of this shape', async (t) => {
  const sampled = fc.sample(fc.array(anyResult, { maxLength: 5 }), { numRuns: 300, seed: 5 });
  const documents = sampled.map((results: readonly Result[], i) => junitReport(documentOf(results), i % 2 === 0));
  const read = readBack(...documents);
  t.equal(read.length, documents.length);
  t.same(read.flatMap((element) => complaints(element)).slice(0, 5), []);
});
