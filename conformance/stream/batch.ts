/** Connections that the columns did not explain, brought before the checks: a few at a time, with what is known of the others. */
import type { Topology } from '../../harness/topology.js';
import type { Finding } from '../checks/check.js';
import { CHECKS } from '../checks/index.js';
import { decodeFrame, type Frame, type Hosts, type Segment } from '../flows/decode.js';
import { type Beside, type Judged, judgedOf } from '../flows/judged.js';
import type { ControlLog } from '../flows/logged.js';
import type { Flow } from './flow-table.js';
import { Place, STRIDE, Word } from './frames.js';

export interface BatchContext {
  readonly topology: Topology;
  readonly hosts: Hosts;
  readonly log: ControlLog | undefined;
  /** By number. */
  readonly vantages: readonly string[];
  /** The capture files' names. */
  readonly captures: readonly string[];
  readonly seen: ReadonlySet<string>;
  readonly notes: readonly string[];
  readonly names: Map<number, string>;
}

/** A flow's frames as the checks know them; they are views of the flow's storage. */
function segmentsOf({ frames }: Flow, context: BatchContext): (Frame | Segment)[] {
  const { words, t, count } = frames;
  const segments: (Frame | Segment)[] = [];
  for (let index = 0; index < count; index++) {
    const w = index * STRIDE;
    const captured = words[w + Word.CAPTURED_FILE] ?? 0;
    const file = captured >>> 20;
    const place = {
      capture: context.captures[file] ?? '',
      number: words[w + Word.NUMBER] ?? 0,
      file,
      vantage: context.vantages[((words[w + Word.LENGTH_FLAGS_PLACE] ?? 0) >>> 24) & Place.VANTAGE] ?? '',
      t: t[index] ?? 0,
    };
    const frame = decodeFrame(frames.frame(index), place, context.hosts, context.names);
    if (frame !== undefined) segments.push(frame);
  }
  return segments;
}

export interface Batch {
  readonly judged: Judged;
  /** In the order of `CHECKS`. */
  readonly findings: readonly Finding[];
}

export function judgeBatch(
  flows: readonly Flow[],
  others: readonly Frame[],
  context: BatchContext,
  beside: Beside,
): Batch {
  const segments = flows.flatMap((flow) => segmentsOf(flow, context)).filter((one) => 'towards' in one) as Segment[];
  const { topology, seen, notes, log } = context;
  const judged = judgedOf({ segments, others, vantages: seen, notes }, topology, log, beside);
  return { judged, findings: CHECKS.map((check) => check.judge(judged)) };
}

/** The flows of a batch that a failing finding's evidence names. */
export function suspectsOf(flows: readonly Flow[], { findings }: Batch, context: BatchContext): Flow[] {
  const named = new Set<string>();
  for (const { verdict, evidence } of findings) {
    if (verdict !== 'fail') continue;
    for (const { capture, frame } of evidence) named.add(`${context.captures.indexOf(capture)} ${frame}`);
  }
  if (named.size === 0) return [];
  return flows.filter(({ frames: { words, count } }) => {
    for (let index = 0; index < count; index++) {
      const w = index * STRIDE;
      const file = (words[w + Word.CAPTURED_FILE] ?? 0) >>> 20;
      if (named.has(`${file} ${words[w + Word.NUMBER]}`)) return true;
    }
    return false;
  });
}
