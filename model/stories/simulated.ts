/** The search for a story that fails in the simulated world. */
import { addFigures, type Figures, noFigures } from '../../harness/simulate/figures.js';
import type { SimulatedRoles } from '../../harness/simulate/roles.js';
import { tellStory } from '../../harness/simulate/story.js';
import type { RemedyName } from '../../reference-impl/core/remedies.js';
import { type Searched, type SearchOptions, searchStories } from './search.js';

export interface SimulatedSearch extends Searched {
  /** Sums over the stories, those that were told to make one short left out. */
  readonly figures: Figures;
}

const LONGEST = 60;
const HIGHEST_WORLD = 0xffff;

type Options = Omit<SearchOptions, 'highestWorld' | 'longest'>;

export async function searchSimulated(
  roles: SimulatedRoles,
  without: readonly RemedyName[],
  options: Options,
): Promise<SimulatedSearch> {
  const figures = noFigures();
  let failed = false;
  const searched = await searchStories(
    ({ seed, choices }) => {
      const told = tellStory({ seed, without, choices }, roles);
      if (!failed) addFigures(figures, told.figures);
      failed ||= told.failure !== null;
      return { failed: told.failure !== null, choices: told.choices };
    },
    { ...options, highestWorld: HIGHEST_WORLD, longest: LONGEST },
  );
  return { ...searched, figures };
}
