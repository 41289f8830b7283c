/** The frames of a segment story in the capture: what a step sent, where it arrived, and what broke an expectation. */
import type { SeenArrival } from '../../harness/world.js';
import type { CaseEvidence, SeenPacket, SeenSegment } from './evidence.js';

/** The packet-level client's address. */
export function clientOf(run: CaseEvidence): string {
  return run.topology.clients?.[1]?.ip ?? '';
}

/** The first frame that the step of that name sent, as a vantage saw it; the first such step, or the `nth`. */
export function frameOf(run: CaseEvidence, word: string, vantage: string, nth = 1): SeenSegment | undefined {
  const step = (run.results[0]?.observations ?? []).filter((observation) => observation.do === word)[nth - 1];
  const [id] = step?.sent ?? [];
  return run.segments.find((s) => s.ipId === id && s.vantage === vantage && s.src.startsWith(`${clientOf(run)}:`));
}

/** Where else than at the client the packets of the first step of that name were seen. */
export function whereabouts(run: CaseEvidence, word: string): readonly SeenPacket[] {
  const step = (run.results[0]?.observations ?? []).find((observation) => observation.do === word);
  const ids = new Set(step?.sent);
  return run.packets.filter((p) => p.vantage !== 'client' && ids.has(p.ipId) && p.src === clientOf(run));
}

/** Names the frame that broke a story off, or, where one was missing, the frame that was to draw it. */
export function nameOffence(run: CaseEvidence): void {
  for (const result of run.results) {
    if (result.ok || result.observations === undefined) continue;
    const frame = result.offence === undefined ? lastSent(run, result.observations) : arrivalOf(run, result.offence);
    if (frame !== undefined) run.expectServed(false, result.error ?? 'the story broke off', frame);
  }
}

interface NamedFrame {
  readonly frame: number;
  readonly note: string;
}

/** Ten milliseconds: a capture and the client look at one frame at slightly different times. */
const SAME_FRAME_NS = 10_000_000n;

function arrivalOf(run: CaseEvidence, { ipId, t, what }: SeenArrival): NamedFrame | undefined {
  const at = BigInt(t);
  const close = (s: SeenSegment): boolean => s.t <= at + SAME_FRAME_NS && at - s.t < SAME_FRAME_NS * 100n;
  const found = run.segments.filter(
    (s) => s.vantage === 'client' && s.ipId === ipId && s.dst.startsWith(`${clientOf(run)}:`) && close(s),
  );
  const frame = found.at(-1);
  return frame && { frame: frame.frame, note: `not expected: ${what}` };
}

function lastSent(
  run: CaseEvidence,
  steps: NonNullable<CaseEvidence['results'][number]['observations']>,
): NamedFrame | undefined {
  const step = steps.findLast(({ sent }) => sent.length > 0);
  const id = step?.sent.at(-1);
  const frame = run.segments.find(
    (s) => s.vantage === 'client' && s.ipId === id && s.src.startsWith(`${clientOf(run)}:`),
  );
  return frame && step && { frame: frame.frame, note: `what was expected did not follow this (${step.do})` };
}
