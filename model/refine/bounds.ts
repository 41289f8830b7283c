/** How far the refinement is explored, and what is found there: the numbers are pinned, so that a change of either side is seen. */

export interface Bounds {
  readonly id: string;
  readonly summary: string;
  /** How much misfortune one behaviour may have (`Events` of the model `ci`). */
  readonly misfortune: number;
  readonly pinned: Pinned;
}

export interface Pinned {
  /** Of the specification's graph. */
  readonly specStates: number;
  readonly specSteps: number;
  /** Of the explored world. */
  readonly states: number;
  readonly transitions: number;
  readonly depth: number;
  /** Of the graph, by the implementation. */
  readonly reached: number;
  readonly taken: number;
  readonly situations: number;
}

export const BOUNDS: readonly Bounds[] = [
  {
    id: 'ci',
    summary: 'all of the model ci: any single misfortune, two losses, or a failure and a loss',
    misfortune: 2,
    pinned: {
      specStates: 113078,
      specSteps: 340060,
      states: 664989,
      transitions: 2448010,
      depth: 73,
      reached: 96686,
      taken: 284880,
      situations: 20,
    },
  },
  {
    id: 'one',
    summary: 'one loss, or one failure of a backend',
    misfortune: 1,
    pinned: {
      specStates: 10590,
      specSteps: 28395,
      states: 79109,
      transitions: 268513,
      depth: 68,
      reached: 10249,
      taken: 27208,
      situations: 15,
    },
  },
  {
    id: 'none',
    summary: 'no misfortune: only the order of things is free',
    misfortune: 0,
    pinned: {
      specStates: 1314,
      specSteps: 3072,
      states: 7470,
      transitions: 22804,
      depth: 65,
      reached: 1242,
      taken: 2942,
      situations: 12,
    },
  },
];
