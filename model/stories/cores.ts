/** The search for a story of the cores, in virtual time, that the specification does not have. */
import type { RemedyName } from '../../reference-impl/core/remedies.js';
import type { Graph } from '../graph/graph.js';
import type { Cores } from '../refine/roles.js';
import { type Divergence, tell } from '../refine/story.js';
import { World } from '../refine/world.js';
import { type Searched, type SearchOptions, searchStories } from './search.js';

export interface CoresSearch extends Searched {
  /** How the story that fails leaves the specification. */
  readonly divergence: Divergence | null;
}

export interface CoresWorld {
  readonly graph: Graph;
  /** How much of it a story may have; the graph is of the same bounds. */
  readonly misfortune: number;
  readonly without: readonly RemedyName[];
  /** In the place of the reference's. */
  readonly cores?: Cores;
}

const LONGEST = 90;

type Options = Omit<SearchOptions, 'highestWorld' | 'longest'>;

export async function searchCores(
  { graph, misfortune, without, cores }: CoresWorld,
  options: Options,
): Promise<CoresSearch> {
  const live = (choices: readonly number[]): { divergence: Divergence | null; choices: number[] } => {
    const chosen: number[] = [];
    const world = new World(graph.values, misfortune, {
      live: true,
      without,
      ...(cores === undefined ? {} : { cores }),
    });
    return { divergence: tell(world, graph, choices, ({ choice }) => chosen.push(choice)), choices: chosen };
  };
  const searched = await searchStories(
    ({ choices }) => {
      const lived = live(choices);
      return { failed: lived.divergence !== null, choices: lived.choices };
    },
    // There is one world only.
    { ...options, highestWorld: 0, longest: LONGEST },
  );
  return { ...searched, divergence: searched.failing === null ? null : live(searched.failing.choices).divergence };
}
