/** Files of one run to findings, read piece by piece: what `prism check` does. */
import { CaptureSource, sourceError } from '../../harness/capture/source.js';
import type { Topology } from '../../harness/topology.js';
import type { ControlLogEntry } from '../../harness/world.js';
import { fitTopology } from '../flows/fit.js';
import type { ClauseFinding } from '../judge.js';
import { clockShifts } from './clock-sample.js';
import type { CaptureFeed } from './feed.js';
import { sampleFiles } from './sample.js';
import { DEFAULT_LIMITS, StreamJudge, type StreamLimits } from './stream-judge.js';

export interface FileInput {
  readonly name: string;
  /** `-` is standard input. */
  readonly path: string;
  /** For a file that does not name its interfaces. */
  readonly vantage?: string;
}

export interface FilesInput {
  readonly files: readonly FileInput[];
  readonly topology: Topology;
  readonly controlLog?: { readonly name: string; readonly entries: readonly ControlLogEntry[] };
  readonly limits?: StreamLimits;
  /** Now and then: bytes of the files that were read, and frames that were judged or are held. */
  readonly onProgress?: (bytes: number, frames: number) => void;
  /** Aborting it closes the files and rejects with the signal's reason. */
  readonly signal?: AbortSignal;
}

export type FilesOutcome =
  | {
      readonly ok: true;
      /** Of every clause that a passive check judges. */
      readonly findings: readonly ClauseFinding[];
      readonly notes: readonly string[];
      readonly frames: number;
      readonly regular: number;
      readonly irregular: number;
    }
  /** One line: which file, where in it, and why it cannot be read. */
  | { readonly ok: false; readonly error: string };

/** Pieces between two chances for the rest of the process. */
const PIECES_PER_TURN = 16;

/** Clocks that differ by less put no message of a log on the wrong side of a frame. */
const CLOCK_SLACK_NS = 1e6;

export async function judgeFiles(input: FilesInput): Promise<FilesOutcome> {
  const { files, controlLog, signal } = input;
  const sample = await sampleFiles(files, input.topology);
  if ('error' in sample) return { ok: false, error: sample.error };
  const fit = fitTopology([...sample.segments, ...sample.others], input.topology);
  if (!fit.ok) return fit;
  const { topology } = fit;
  const shifts = clockShifts(sample);
  // Whose clock the log goes by is not known where the captures' clocks differ.
  const placeless = controlLog !== undefined && shifts.shifts.some((shift) => Math.abs(shift) > CLOCK_SLACK_NS);
  const surroundings = { distant: fit.distant, doubt: shifts.doubt };
  const judge = new StreamJudge(
    topology,
    placeless ? undefined : controlLog,
    input.limits ?? DEFAULT_LIMITS,
    surroundings,
  );
  const sources: { readonly file: FileInput; readonly source: CaptureSource; readonly feed: CaptureFeed }[] = [];
  try {
    for (const [index, file] of files.entries()) {
      const feed = judge.file(file.name, file.vantage);
      feed.shift = shifts.shifts[index] ?? 0;
      feed.tick = sample.files[index]?.tickNs ?? 1;
      sources.push({ file, source: CaptureSource.open(file.path, feed), feed });
    }
    const open = new Set(sources);
    for (let pieces = 1; open.size > 0; pieces++) {
      signal?.throwIfAborted();
      // The file that is furthest behind goes on, so that all are read side by side.
      let next: (typeof sources)[number] | undefined;
      for (const one of open) if (next === undefined || one.feed.last < next.feed.last) next = one;
      if (next === undefined) break;
      let more: boolean;
      try {
        more = await next.source.step();
      } catch (error) {
        const frames = next.source.parser.frames;
        const known = sourceError(error, frames);
        if (known === undefined) throw error;
        const whole = known.wholeFrames > 0 ? ` (${known.wholeFrames} whole frames before it)` : '';
        return {
          ok: false,
          error: `${next.file.name}: ${known.reason} at byte ${known.offset}: ${known.detail}${whole}`,
        };
      }
      if (!more) {
        next.feed.done = true;
        open.delete(next);
      }
      judge.sweep();
      if (pieces % PIECES_PER_TURN === 0) {
        const bytes = sources.reduce((sum, { source }) => sum + source.read, 0);
        input.onProgress?.(
          bytes,
          sources.reduce((sum, { source }) => sum + source.parser.frames, 0),
        );
        await new Promise((resolve) => setImmediate(resolve));
      }
    }
  } finally {
    for (const { source } of sources) source.close();
  }
  const outcome = judge.finish();
  if ('error' in outcome) return { ok: false, error: `${files.map(({ name }) => name).join(', ')}: ${outcome.error}` };
  const { findings, notes, frames, regular, irregular } = outcome;
  const clocks = [...fit.notes, ...shifts.notes];
  if (placeless)
    clocks.push(
      `${controlLog?.name} was left out: the captures' clocks differ, and none of them is known to be the log's`,
    );
  return { ok: true, findings, notes: [...clocks, ...notes], frames, regular, irregular };
}
