/** A story in the simulated world: a row of numbers, each choosing among what could happen, told to its end and judged by the invariants. */
import type { RemedyName } from '../../reference-impl/core/remedies.js';
import type { Figures } from './figures.js';
import { Violation } from './invariants.js';
import type { Plan } from './plan.js';
import type { Recorder } from './recorder.js';
import type { SimulatedRoles } from './roles.js';
import type { Failure } from './run.js';
import { StoryWorld, storyPlan } from './story-world.js';

export interface SimulatedStory {
  /** Connections, requests, policy and addresses follow from it; 0 to 2^32 - 1. */
  readonly seed: number;
  /** Remedies of the reference that are switched off. */
  readonly without: readonly RemedyName[];
  /** Whole numbers from 0, each modulo what could happen then, so that any numbers tell a story. */
  readonly choices: readonly number[];
}

export interface ToldTo {
  readonly plan: Plan;
  readonly figures: Figures;
  /** 16 hex digits over all that happened. */
  readonly digest: string;
  readonly failure: Failure | null;
  /** That were opened. */
  readonly connections: number;
  /** What was chosen, in words. */
  readonly words: readonly string[];
  /** What was really chosen: which of the possible moves it was each time. */
  readonly choices: readonly number[];
}

/** @throws WorldError when the simulation itself is broken. */
export function tellStory(
  { seed, without, choices }: SimulatedStory,
  roles: SimulatedRoles,
  recorder: Recorder | null = null,
): ToldTo {
  const plan = storyPlan(seed, without);
  const world = new StoryWorld(plan, roles, recorder);
  const words: string[] = [];
  const chosen: number[] = [];
  let failure: Failure | null = null;
  try {
    for (const wanted of choices) {
      const moves = world.moves();
      const move = moves[wanted % moves.length];
      if (move === undefined) break;
      words.push(move.words);
      chosen.push(moves.indexOf(move));
      world.take(move);
    }
    world.leaveAlone();
  } catch (error) {
    if (!(error instanceof Violation)) throw error;
    const { invariant, conn, role, message } = error;
    failure = { invariant, conn, role, message, at: world.run.now };
  }
  const { figures, digest } = world.run;
  const connections = world.run.players.filter(({ port }) => port !== null).length;
  return { plan, figures, digest: digest.toString(), failure, connections, words, choices: chosen };
}
