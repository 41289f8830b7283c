/** The cases as a collection: well-formed, linked to existing clauses, and covering what they must in both worlds. */
import t from 'tap';
import type { ConformanceCase } from '../../conformance/cases/case.js';
import { CASES } from '../../conformance/cases/index.js';
import { objectCatalogue } from '../../harness/objects.js';
import type { WorldKind } from '../../harness/world.js';
import { CLAUSES } from '../../spec/requirements.js';

const WORLDS: readonly WorldKind[] = ['sim', 'linux'];

const series = (family: string, ...numbers: readonly number[]) => numbers.map((n) => `${family}-${n}`);

/** What every world's cases must make happen. */
const REQUIRED = [
  ...series('EST', 1, 2, 3),
  ...series('REQ', 1, 2, 3, 4, 5, 6),
  ...series('HOF', 1, 2, 4, 6, 7),
  ...series('SWT', 1, 2, 3, 4, 5, 6, 7, 8),
  ...series('BKD', 1, 2, 3, 4, 5, 6, 8, 9),
  ...series('RET', 1, 2, 3, 6),
];

t.test('ids are unique, and each is a clause the case is for and a story in lower-case words', async (t) => {
  t.equal(new Set(CASES.map((c) => c.id)).size, CASES.length);
  for (const { id, clauses } of CASES) {
    const [, clause] = /^([A-Z]{3}-\d+)\.[a-z0-9]+([-.][a-z0-9]+)*$/.exec(id) ?? [];
    t.ok(clause !== undefined && clauses.includes(clause), id);
  }
});

t.test('clauses exist and are listed once', async (t) => {
  const known = new Set(CLAUSES.map((c) => c.id));
  for (const { id, clauses } of CASES) {
    t.same(
      clauses.filter((c) => !known.has(c)),
      [],
      id,
    );
    t.equal(new Set(clauses).size, clauses.length, `${id} lists no clause twice`);
  }
});

t.test('a summary is one sentence', async (t) => {
  for (const { id, summary } of CASES)
    t.match(summary, /^[A-Z][^\n]{20,140}\.$|^curl [^\n]{20,140}\.$|^wget [^\n]{20,140}\.$/, id);
});

for (const world of WORLDS) {
  t.test(`every clause of the first light is exercised in the ${world} world`, async (t) => {
    const there = CASES.filter((c) => c.worlds.includes(world));
    for (const clause of REQUIRED)
      t.ok(
        there.some((c) => c.clauses.includes(clause)),
        clause,
      );
  });
}

t.test('the Linux world stays short: some two seconds a case, two at once, in six minutes', async (t) => {
  t.ok(CASES.filter((c) => c.worlds.includes('linux')).length <= 300);
});

t.test('a case that ends roles says what it needs of a target', async (t) => {
  for (const c of CASES) {
    if (c.options?.roleFaults) t.ok(c.needs?.includes('crash'), c.id);
    if (c.options?.initialSequence !== undefined) t.ok(c.needs?.includes('initial-sequence'), c.id);
  }
});

t.test('faults of roles and control messages name roles that there are, and count from 1', async (t) => {
  const roles = new Set(['controller', 'switch', 'backend0', 'backend1']);
  for (const c of CASES) {
    const { controlFaults = [], roleFaults = [] } = c.options ?? {};
    const triggers = roleFaults.map(({ on }) => ('control' in on ? { match: on.control } : { match: {} }));
    for (const { match } of [...controlFaults, ...triggers])
      for (const role of [match.from, match.to]) if (role !== undefined) t.ok(roles.has(role), `${c.id}: ${role}`);
    for (const { nth } of controlFaults) for (const n of nth ?? []) t.ok(n >= 1, c.id);
    for (const { role } of roleFaults) t.ok(roles.has(role), `${c.id}: ${role}`);
  }
});

t.test('faults name vantages that the topology has, and count from 1', async (t) => {
  const vantages = new Set(['client', 'controller', 'backend0', 'backend1']);
  const faultsOf = (c: ConformanceCase) => c.options?.faults ?? [];
  for (const c of CASES)
    for (const fault of faultsOf(c)) {
      const { from, to } = fault.match;
      t.ok(from !== undefined || to !== undefined, `${c.id}: not everything on every link`);
      for (const vantage of [from, to]) if (vantage !== undefined) t.ok(vantages.has(vantage), `${c.id}: ${vantage}`);
      if ('nth' in fault) for (const n of fault.nth ?? []) t.ok(n >= 1, c.id);
      if ('rate' in fault) t.ok(fault.rate > 0 && fault.rate < 1, c.id);
    }
});

t.test('the hash policy sends the paths of its case to both backends', async (t) => {
  // FNV-1a (32 bit) of the path, as harness/topology.ts declares it; computed here from its definition.
  const hash = (path: string) => [...path].reduce((h, c) => Math.imul(h ^ c.charCodeAt(0), 16777619) >>> 0, 2166136261);
  const paths = ['/a/0', '/a/1', '/a/1k', '/b/0', '/b/1', '/b/1k'];
  t.equal(new Set(paths.map((p) => hash(p) % 2)).size, 2);
  for (const path of paths) t.ok(objectCatalogue().has(path));
});
