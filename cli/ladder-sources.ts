/** Where the captures lie that a report draws its ladders from. */
import { existsSync, readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { parseControlLog } from '../conformance/control-log.js';
import type { JudgeInput } from '../conformance/judge.js';
import type { LadderSource } from '../conformance/report/ladder/problems.js';
import type { FilesInput } from '../conformance/stream/judge-files.js';
import { Topology } from '../harness/topology.js';

/** The whole capture is read, which takes seconds for one of this size. */
const MAX_CAPTURE_BYTES = 128 * 1024 * 1024;

const CONTROL_LOG = /\.control\.ndjson$/;
const CAPTURE = /\.(pcapng|pcap)$/;

/** A report folder as `prism test` and `prism verify` leave it: `WORLD/CASE/capture.pcapng`, control log and topology beside it. */
export function folderSource(folder: string): LadderSource {
  // Results of one case follow each other: one run at a time is kept.
  let last: { readonly capture: string; readonly found: ReturnType<LadderSource> } | undefined;
  return (file) => {
    const capture = file.replace(CONTROL_LOG, '.pcapng');
    if (!CAPTURE.test(capture)) return undefined;
    if (last?.capture !== capture) last = { capture, found: readRun(folder, capture) };
    return last.found;
  };
}

function readRun(folder: string, capture: string): NonNullable<ReturnType<LadderSource>> {
  try {
    const path = join(folder, capture);
    const { size } = statSync(path);
    if (size > MAX_CAPTURE_BYTES)
      return { ok: false, reason: `${capture} has ${Math.round(size / 1e6)} MB, too much for a ladder` };
    const topology = Topology.parse(JSON.parse(readFileSync(join(dirname(path), 'topology.json'), 'utf8')));
    const input: JudgeInput = { captures: [{ name: capture, bytes: readFileSync(path) }], topology };
    const log = capture.replace(CAPTURE, '.control.ndjson');
    if (!existsSync(join(folder, log))) return { ok: true, input };
    const parsed = parseControlLog(readFileSync(join(folder, log), 'utf8'));
    return { ok: true, input: parsed.ok ? { ...input, controlLog: { name: log, entries: parsed.entries } } : input };
  } catch {
    return { ok: false, reason: `${capture} or its topology.json is not there any more` };
  }
}

/** The files of runs that were judged piece by piece, read once more where a ladder needs them. */
export function filesSource(runs: readonly FilesInput[]): LadderSource {
  const found = new Map<FilesInput, ReturnType<LadderSource>>();
  return (file) => {
    const run = runs.find(
      ({ files, controlLog }) => files.some(({ name }) => name === file) || controlLog?.name === file,
    );
    if (run === undefined) return undefined;
    const known = found.get(run) ?? readFiles(run);
    found.set(run, known);
    return known;
  };
}

function readFiles({ files, topology, controlLog }: FilesInput): NonNullable<ReturnType<LadderSource>> {
  try {
    if (files.some(({ path }) => path === '-'))
      return { ok: false, reason: 'what came by standard input is gone, and cannot be drawn' };
    const size = files.reduce((sum, { path }) => sum + statSync(path).size, 0);
    if (size > MAX_CAPTURE_BYTES)
      return { ok: false, reason: `the captures of the run have ${Math.round(size / 1e6)} MB, too much for a ladder` };
    const captures = files.map(({ name, path, vantage }) => {
      const stored = readFileSync(path);
      const bytes =
        stored[0] === 0x1f && stored[1] === 0x8b ? gunzipSync(stored, { maxOutputLength: MAX_CAPTURE_BYTES }) : stored;
      return { name, bytes, ...(vantage === undefined ? {} : { vantage }) };
    });
    return { ok: true, input: { captures, topology, ...(controlLog === undefined ? {} : { controlLog }) } };
  } catch {
    return { ok: false, reason: 'the captures of the run cannot be read a second time' };
  }
}
