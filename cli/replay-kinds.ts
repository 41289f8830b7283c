/** The kinds of replay token, and who reruns each. */
import type { TokenParts } from '../harness/replay/token.js';
import type { Output } from './output.js';
import { replayRefinement } from './refine/replay.js';
import { replaySimulation } from './simulate/replay.js';
import { replayStory } from './simulate/replay-story.js';

export interface ReplayContext {
  readonly output: Output;
  /** Where evidence goes, if anywhere. */
  readonly folder: string | undefined;
  readonly signal: AbortSignal;
}

/** Answers the exit code: 1 when it failed again, 0 when it passed. */
export type ReplayKind = (token: string, parts: TokenParts, context: ReplayContext) => Promise<number>;

export const REPLAY_KINDS: ReadonlyMap<string, ReplayKind> = new Map([
  ['sim1', replaySimulation],
  ['story1', replayStory],
  ['refine1', replayRefinement],
]);
