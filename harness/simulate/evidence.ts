/** A recorded run as files: what the judges and other people's tools read. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { encodePcapng } from '../capture/pcapng.js';
import type { Nanos } from '../sim/clock.js';
import { EPOCH_NS } from '../sim/world.js';
import { defaultTopology } from '../topology.js';
import type { Plan } from './plan.js';
import type { Recorded } from './recorder.js';
import { policyOf } from './workload.js';

/** Writes capture.pcapng, capture.control.ndjson, trace.ndjson and topology.json; answers their names. Errors are the file system's. */
export function writeEvidence(folder: string, plan: Plan, recorded: readonly Recorded[]): readonly string[] {
  const topology = defaultTopology(policyOf(plan.seed));
  const vantages = ['client', 'controller', ...topology.backends.map(({ name }) => name)];
  const stamp = (at: Nanos): bigint => EPOCH_NS + BigInt(Math.round(at));
  const lines = (rows: readonly object[]): string => rows.map((row) => `${JSON.stringify(row)}\n`).join('');
  const frames = recorded.flatMap((row) => {
    if (row.kind !== 'frame') return [];
    // A vantage is its host's link: what the host sends, and what reaches it.
    const seen = row.fate === 'sent' ? row.from : row.from === 'switch' && REACHED.has(row.fate) ? row.to : undefined;
    const { bytes } = row;
    if (seen === undefined) return [];
    return [{ interfaceName: seen, timestampNs: stamp(row.at), bytes, originalLength: bytes.length }];
  });
  const control = recorded.flatMap((row) => {
    if (row.kind !== 'control' || row.fate === 'lost') return [];
    const { from, to, message } = row;
    const [at, peer] = row.fate === 'sent' ? [from, to] : [to, from];
    return [{ t: String(stamp(row.at)), at, direction: row.fate === 'sent' ? 'sent' : 'received', peer, message }];
  });
  const events = recorded.flatMap((row) =>
    row.kind === 'event' ? [{ t: String(stamp(row.at)), role: row.role, ...row.event }] : [],
  );
  const files: readonly (readonly [string, string | Uint8Array])[] = [
    ['capture.pcapng', encodePcapng(vantages, frames)],
    ['capture.control.ndjson', lines(control)],
    ['trace.ndjson', lines(events)],
    ['topology.json', `${JSON.stringify(topology, null, 2)}\n`],
  ];
  for (const [name, content] of files) writeFileSync(join(folder, name), content);
  return files.map(([name]) => name);
}

const REACHED: ReadonlySet<string> = new Set(['arrives', 'no-host']);
