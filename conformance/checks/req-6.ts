/** REQ-6: The backend is the one that the declared selection policy names for this request. (SoCC'17 §2.2) */
import type { Topology } from '../../harness/topology.js';
import type { HandedExchange, Judged } from '../flows/judged.js';
import { startOf } from '../flows/judged.js';
import type { Check } from './check.js';
import { at, missingVantages, named, Tally } from './tally.js';

export const REQ_6: Check = {
  clause: 'REQ-6',
  method:
    "The backend whose segments answer a request must be the one that the topology's policy names for its path, or for its turn.",
  needs: 'topology-policy',
  judge(judged) {
    const tally = new Tally();
    const { policy } = judged.topology;
    if (policy === undefined) return tally.finding('', 'the topology declares no selection policy');
    if (policy.kind === 'round-robin') judgeTurns(judged, tally);
    else {
      for (const exchange of judged.handoffs) {
        const path = pathOf(exchange.request.target);
        if (!path.startsWith('/')) {
          tally.doubt(`the request target ${exchange.request.target} is no path`);
          continue;
        }
        const expected = namedBackend(judged.topology, path);
        expectBackend(tally, exchange, expected, `${policy.kind} names ${expected} for ${path}`);
      }
    }
    return tally.finding("requests served by the policy's backend", 'no hand-off in the captures');
  },
  regular({ exchanges }, topology) {
    if (topology.policy === undefined) return 0;
    const fits = exchanges.every(({ target, backend }) => namedBackend(topology, pathOf(target)) === backend);
    return fits ? exchanges.length : undefined;
  },
};

function expectBackend(tally: Tally, exchange: HandedExchange, expected: string | undefined, why: string): void {
  const { handoff, headerAt, headerSent } = exchange;
  if (handoff.backend === expected) {
    tally.hold();
    return;
  }
  const frame = handoff.first ?? headerAt ?? headerSent;
  tally.fail(
    `expected ${expected} (${why}); ${handoff.backend} took over${frame ? ` in ${named(frame)}` : ''}`,
    ...(headerAt ? [at(headerAt, `the request ${exchange.request.method} ${exchange.request.target}`)] : []),
    ...(handoff.first ? [at(handoff.first, `${handoff.backend} speaks`)] : []),
  );
}

function pathOf(target: string): string {
  return target.split('?', 1)[0] ?? '';
}

/** The backend that the policy names by path; undefined for a policy that goes by turns, and for what is no path. */
function namedBackend({ policy, backends }: Topology, path: string): string | undefined {
  if (policy === undefined || policy.kind === 'round-robin' || !path.startsWith('/')) return undefined;
  return policy.kind === 'path-map'
    ? (policy.map.find(({ prefix }) => path.startsWith(prefix))?.backend ?? policy.default)
    : backends[fnv1a(path) % backends.length]?.name;
}

/** FNV-1a, 32 bits, as the topology's policy declares it. */
function fnv1a(text: string): number {
  let hash = 0x811c9dc5;
  for (const byte of Buffer.from(text, 'latin1')) hash = Math.imul(hash ^ byte, 0x01000193) >>> 0;
  return hash;
}

/** Hand-offs that overlap may have been made in either order: together they must take the next turns. */
function judgeTurns(judged: Judged, tally: Tally): void {
  const gap = missingVantages(judged.vantages, 'controller');
  const names = judged.topology.backends.map(({ name }) => name);
  const turns = judged.handoffs
    .map((exchange) => ({ exchange, from: exchange.begins, to: startOf(exchange.handoff) }))
    .sort((a, b) => a.from - b.from);
  const [earliest] = turns;
  if (gap !== undefined || earliest === undefined) {
    if (gap !== undefined) tally.doubt(`${gap}: whose turn it was cannot be seen`);
    return;
  }
  const clusters: (typeof turns)[] = [];
  let end = Number.NEGATIVE_INFINITY;
  for (const turn of turns) {
    const cluster = clusters.at(-1);
    if (cluster !== undefined && turn.from <= end) cluster.push(turn);
    else clusters.push([turn]);
    end = Math.max(end, turn.to);
  }
  // Hand-offs that were refused took a turn too; without a log they cannot be seen.
  const hidden = judged.connections.some(
    ({ exchanges, unread }) =>
      unread !== undefined ||
      exchanges.some(({ handoff, response }) => handoff === undefined && response === undefined),
  );
  if (judged.beside.partial) {
    tally.doubt('round robin goes over all connections, and there are more of them than are held at once');
    return;
  }
  // A vantage that certainly missed a frame may have missed a whole hand-off.
  const gaps = ['client', 'controller', ...names].some((vantage) => judged.missedFrames(vantage));
  let next = names.indexOf(earliest.exchange.handoff.backend);
  if (clusters[0] !== undefined && clusters[0].length > 1)
    next = startOfTurns(
      clusters[0].map(({ exchange }) => exchange.handoff.backend),
      names,
    );
  for (const cluster of clusters) {
    const expected = cluster.map((_, index) => names[(next + index) % names.length] ?? '');
    next = (next + cluster.length) % names.length;
    for (const { exchange } of cluster) {
      const { backend } = exchange.handoff;
      const position = expected.indexOf(backend);
      if (position >= 0) {
        expected.splice(position, 1);
        tally.hold();
      } else if (hidden) tally.doubt('a request without an answer may have taken a turn');
      else if (gaps) tally.doubt('the captures missed frames, perhaps a hand-off that took a turn');
      else {
        expectBackend(tally, exchange, expected[0], 'round robin, after the hand-off before it');
        next = (names.indexOf(backend) + 1) % names.length;
      }
    }
  }
}

/** The turn at which hand-offs of unknown order can have begun. */
function startOfTurns(backends: readonly string[], names: readonly string[]): number {
  for (let start = 0; start < names.length; start++) {
    const expected = backends.map((_, index) => names[(start + index) % names.length]).sort();
    if (expected.join() === [...backends].sort().join()) return start;
  }
  return 0;
}
