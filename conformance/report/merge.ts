/** The documents of a run's shards made into the document of the whole run. */
import { compareClauses } from '../../spec/requirements.js';
import { needless } from '../excuses.js';
import { type ResultDocument, resultDocument } from '../result-schema.js';
import { parseShard } from '../shard.js';
import type { EvidenceFrame, Result, Verdict } from '../verdict.js';

/** A shard's document and where its captures lie, as a prefix for their paths (`shard1/`; empty for none). */
export interface ShardReport {
  /** For messages: the file. */
  readonly name: string;
  readonly document: ResultDocument;
  readonly prefix: string;
}

export type Merged =
  | { readonly ok: true; readonly document: ResultDocument }
  /** One line: which file, and why it is no part of the same run. */
  | { readonly ok: false; readonly error: string };

/** The graver verdict decides a clause that several shards judged; what one shard exercised outweighs what another left open. */
const GRAVITY: Readonly<Record<Verdict, number>> = { error: 4, fail: 3, pass: 2, inconclusive: 1, unsupported: 0 };
const MOST_FRAMES = 12;

function joined(results: readonly Result[]): Result[] {
  const byId = new Map<string, Result[]>();
  for (const result of results) byId.set(result.id, [...(byId.get(result.id) ?? []), result]);
  const passive = [...byId].filter(([id]) => id.startsWith('check.'));
  passive.sort(([a], [b]) => compareClauses(a.slice('check.'.length), b.slice('check.'.length)));
  const others = [...byId].filter(([id]) => !id.startsWith('check.'));
  return [...others, ...passive].map(([, same]) => {
    const [first] = [...same].sort((a, b) => gravity(b) - gravity(a));
    if (first === undefined) throw new Error('a group without members');
    const exercised = same.reduce((sum, r) => sum + r.exercised, 0);
    const evidence = same.filter((r) => gravity(r) === gravity(first)).flatMap((r) => r.evidence);
    return { ...first, exercised, evidence: evidence.slice(0, MOST_FRAMES) };
  });
}

/** A waived failure is `unsupported` by name only: it outweighs a pass. */
const gravity = (result: Result): number => (result.waiver === undefined ? GRAVITY[result.verdict] : 2.5);

/**
 * Joins the shards of one run: each of 1/n to n/n exactly once, of the same version, target, world and seed. A clause judged in several is one
 * result; evidence names captures by their path behind the shard's prefix; waivers that none of the shards needed become errors.
 */
export function mergeShards(reports: readonly ShardReport[]): Merged {
  const [first] = reports;
  if (first === undefined) return { ok: false, error: 'there is nothing to merge' };
  const seen = new Map<number, string>();
  let of = 0;
  for (const { name, document } of reports) {
    const shard = parseShard(document.shard ?? '');
    if (shard === undefined) return { ok: false, error: `${name} is no shard: it was made without --shard` };
    of ||= shard.of;
    if (shard.of !== of) return { ok: false, error: `${name} is a shard of ${shard.of}, ${first.name} one of ${of}` };
    const twin = seen.get(shard.index);
    if (twin !== undefined) return { ok: false, error: `${name} and ${twin} are both shard ${document.shard}` };
    seen.set(shard.index, name);
    for (const key of ['version', 'target', 'world', 'seed'] as const)
      if (document[key] !== first.document[key])
        return {
          ok: false,
          error: `${name} has ${key} ${document[key]}, ${first.name} has ${first.document[key]}: they are not of one run`,
        };
  }
  const missing = Array.from({ length: of }, (_, i) => i + 1).filter((index) => !seen.has(index));
  if (missing.length > 0)
    return { ok: false, error: `missing: ${missing.map((index) => `${index}/${of}`).join(', ')}` };

  const results = joined(
    reports.flatMap(({ document, prefix }) =>
      document.results.map((result) => ({
        ...result,
        evidence: result.evidence.map((e): EvidenceFrame => ({ ...e, capture: prefix + e.capture })),
      })),
    ),
  );
  const waivers = first.document.waivers ?? [];
  const started = Math.min(...reports.map(({ document }) => Date.parse(document.startedAt)));
  const finished = Math.max(...reports.map(({ document: d }) => Date.parse(d.startedAt) + d.durationMs));
  return {
    ok: true,
    document: resultDocument(
      {
        version: first.document.version,
        command: first.document.command.replace(/ --shard[ =]\S+/, ''),
        startedAt: new Date(started),
        finishedAt: new Date(finished),
        seed: first.document.seed,
        target: first.document.target,
        world: first.document.world,
        waivers,
        leftOut: [...new Set(reports.flatMap(({ document }) => document.leftOut ?? []))],
        tables: reports.flatMap(({ document }) =>
          (document.tables ?? []).map((table) => ({ ...table, name: `shard ${document.shard}: ${table.name}` })),
        ),
      },
      [...results, ...needless(results, waivers)],
    ),
  };
}
