/** TLC's dump of a state graph, and the graphs that are kept. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { DotError, readDot } from '../../../model/graph/dot.js';
import { NOWHERE } from '../../../model/graph/graph.js';
import { loadGraph, storeGraph } from '../../../model/graph/store.js';

const DOT = String.raw`strict digraph DiskGraph {
-12 [label="/\\ x = 1\n/\\ s = \"up\"",style = filled]
-12 -> 34 [label="Go",color="black",fontcolor="black"];
-12 -> 34 [label="Go",color="black",fontcolor="black"];
34 [label="/\\ s = \"down\"\n/\\ x = 2"];
34 -> -12 [label="Back",color="black",fontcolor="black"];
}
`;
const DIGEST = 'a'.repeat(64);

t.test('states, steps and the initial state; a step that TLC writes twice is one', async (t) => {
  const folder = t.testdir({ 'g.dot': DOT });
  const graph = await readDot(join(folder, 'g.dot'));
  t.same([graph.nodes, graph.edges, graph.variables], [2, 2, ['s', 'x']]);
  const first = graph.find(['"up"', '1']);
  t.same(graph.initial, [first]);
  t.equal(graph.find(['"up"', '2']), NOWHERE);
  const [go] = graph.out(first);
  t.equal(go?.action, 'Go');
  t.same(graph.state(go?.to ?? 0), { s: 'down', x: 2 });
  t.ok(graph.step(first, 'Go', go?.to ?? 0));
  t.notOk(graph.step(first, 'Back', go?.to ?? 0));
});

t.test('what ends early or is something else is refused', async (t) => {
  const folder = t.testdir({
    'early.dot': DOT.slice(0, -3),
    'edge.dot': DOT.replace('label="Back"', 'name'),
    'missing.dot': DOT.replace(/^34 \[.*\n/m, ''),
    'empty.dot': '',
  });
  for (const name of readdirSync(folder)) await t.rejects(readDot(join(folder, name)), DotError, name);
});

t.test('a graph that was kept is the same; a damaged or absent one is none', async (t) => {
  const folder = t.testdir({ 'g.dot': DOT });
  const graph = await readDot(join(folder, 'g.dot'));
  t.equal(loadGraph(folder, DIGEST), undefined);
  storeGraph(folder, DIGEST, graph);
  const again = loadGraph(folder, DIGEST);
  const facts = (g: typeof graph | undefined) =>
    g && Array.from({ length: g.nodes }, (_, node) => [g.state(node), g.out(node)]);
  t.same(facts(again), facts(graph));
  t.same(again?.initial, graph.initial);
  const [file = ''] = readdirSync(folder).filter((name) => name.startsWith('graph-'));
  const whole = readFileSync(join(folder, file), 'utf8');
  for (const damaged of [whole.slice(0, 100), whole.replace('up', 'ub'), whole.replace(/\d(?=[^\d]*$)/, '7'), '']) {
    writeFileSync(join(folder, file), damaged);
    t.equal(loadGraph(folder, DIGEST), undefined);
  }
});

t.test('only a few are kept, and a folder that cannot be is no error', async (t) => {
  const folder = t.testdir({ 'g.dot': DOT, file: '' });
  const graph = await readDot(join(folder, 'g.dot'));
  for (const digit of '0123456789') storeGraph(folder, digit.repeat(64), graph);
  t.ok(readdirSync(folder).filter((name) => name.startsWith('graph-')).length <= 4);
  storeGraph(join(folder, 'file', 'in'), DIGEST, graph);
});
