/** Where the captures lie that a report draws its ladders from. */
import { existsSync, readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { parseControlLog } from '../conformance/control-log.js';
import type { JudgeInput } from '../conformance/judge.js';
import type { LadderSource } from '../conformance/report/ladder/problems.js';
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

/** Runs that a command has in memory. */
export function memorySource(inputs: readonly JudgeInput[]): LadderSource {
  return (file) => {
    const input = inputs.find(
      ({ captures, controlLog }) => captures.some(({ name }) => name === file) || controlLog?.name === file,
    );
    if (input === undefined) return undefined;
    const size = input.captures.reduce((sum, { bytes }) => sum + bytes.length, 0);
    return size > MAX_CAPTURE_BYTES
      ? { ok: false, reason: `the captures of the run have ${Math.round(size / 1e6)} MB, too much for a ladder` }
      : { ok: true, input };
  };
}
