/** The words of segment stories: one line a step, as in vocabulary.ts for scripts. */
import type { ConnectStep, ExpectNothingStep, ExpectStep, Forgery, SegmentStep } from '../../harness/segments/story.js';
import type { ClientJob } from '../../harness/world.js';

/** Plays these steps from the packet-level client. */
export const segments = (...steps: readonly SegmentStep[]): ClientJob => segmentsFrom({}, ...steps);

/** Plays these steps from that client and port. */
export const segmentsFrom = (
  place: { readonly client?: number; readonly port?: number },
  ...steps: readonly SegmentStep[]
): ClientJob => ({ kind: 'segments', story: { ...place, steps }, timeoutMs: 30_000 });

/** What Linux offers, in a window that nobody has to scale. */
export const connect = (options: Omit<ConnectStep, 'do'> = {}): SegmentStep => ({
  do: 'connect',
  timestamps: true,
  sack: true,
  windowScale: 0,
  ...options,
});
export const sendText = (text: string): SegmentStep => ({ do: 'send', text });
export const expectSegment = (wanted: Omit<ExpectStep, 'do'>): SegmentStep => ({ do: 'expect', ...wanted });
export const expectNothing = (ms: number, unwanted: Omit<ExpectNothingStep, 'do' | 'ms'> = {}): SegmentStep => ({
  do: 'expect-nothing',
  ms,
  ...unwanted,
});
export const readResponse: SegmentStep = { do: 'response' };
export const wait = (ms: number): SegmentStep => ({ do: 'wait', ms });
export const withholdAcks: SegmentStep = { do: 'auto-ack', on: false };
export const resumeAcks: SegmentStep = { do: 'auto-ack', on: true };
export const fin: SegmentStep = { do: 'shutdown' };
export const reset: SegmentStep = { do: 'reset' };
export const probe: SegmentStep = { do: 'probe' };
export const retransmit: SegmentStep = { do: 'retransmit' };
export const allAcknowledged: SegmentStep = { do: 'acknowledged' };
export const serverCloses: SegmentStep = { do: 'closed', by: 'fin' };
export const forge = (frame: Forgery): SegmentStep => ({ do: 'forge', frame });
