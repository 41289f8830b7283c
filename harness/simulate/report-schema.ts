/** What `prism simulate` and `prism replay` write with `--json`. */
import { z } from 'zod';
import { REMEDIES, type RemedyName } from '../../reference-impl/core/remedies.js';
import { INVARIANTS, type InvariantName } from './invariants.js';
import { FAULT_KINDS } from './plan.js';

const count = z.int().min(0);
const seed = z.int().min(0).max(0xffffffff);
const invariant = z.enum(Object.keys(INVARIANTS) as [InvariantName, ...InvariantName[]]);
const remedy = z.enum(Object.keys(REMEDIES) as [RemedyName, ...RemedyName[]]);

const Figures = z.strictObject({
  runs: count,
  connections: count,
  handoffs: count,
  /** Whole responses that clients got. */
  responses: count,
  /** Connections that a 503 ended. */
  refused: count,
  /** Connections that were reset because their backend was lost. */
  reset: count,
  /** Connections that the client itself reset. */
  aborted: count,
  /** Clients that wait for ever, because every reset that told them of a lost backend was lost too. */
  untold: count,
  frames: count,
  controlMessages: count,
  /** Steps of role cores, each followed by the invariants. */
  steps: count,
  /** Of virtual time. */
  simulatedMs: count,
  /** How often each kind of fault struck. */
  faults: z.strictObject(
    Object.fromEntries(FAULT_KINDS.map((kind) => [kind, count])) as Record<(typeof FAULT_KINDS)[number], typeof count>,
  ),
});

export const FailureReport = z.strictObject({
  seed,
  invariant,
  clauses: z.array(z.string().regex(/^[A-Z]{3}-\d+$/)),
  message: z.string(),
  /** The client's `address:port`, or null where it is about no connection. */
  conn: z.string().nullable(),
  role: z.string(),
  /** From the start of the run, in microseconds of its time. */
  atMicros: count,
  faults: z.array(z.enum(FAULT_KINDS)),
  connections: z.int().min(0),
  token: z.string(),
  replay: z.string(),
  /** What was chosen, in words, where the run was a story. */
  story: z.array(z.string()).optional(),
  ladder: z.array(z.string()),
  /** Paths of what was written with --out. */
  evidence: z.array(z.string()),
});
export type FailureReport = z.infer<typeof FailureReport>;

/** A way of the cores that the specification does not have. */
export const DivergenceReport = z.strictObject({
  /** `no-such-step`: not there; `no-such-state`: nowhere; `no-counterpart`: not even in its words. */
  departure: z.enum(['no-counterpart', 'no-such-state', 'no-such-step']),
  message: z.string(),
  misfortune: z.int().min(0).max(2),
  /** Each step from the initial state, in words; the last is not the specification's. */
  story: z.array(z.string()),
  /** What the specification would have allowed there, by action. */
  allowed: z.array(z.string()),
  token: z.string(),
  replay: z.string(),
  ladder: z.array(z.string()),
});
export type DivergenceReport = z.infer<typeof DivergenceReport>;

const heading = {
  tool: z.literal('prism-conformance'),
  version: z.string(),
  command: z.string(),
  startedAt: z.iso.datetime(),
  durationMs: count,
};

export const SimulationDocument = z.strictObject({
  schema: z.literal('prism-simulation/1'),
  ...heading,
  seeds: z.strictObject({ from: seed, to: seed, run: count }),
  /** The kinds that may occur; a seed says which do. */
  faults: z.array(z.enum(FAULT_KINDS)),
  without: z.array(remedy),
  workers: z.int().min(1),
  /** Over all frames, control messages and events of all runs; the same for the same seeds and version, however many workers. */
  digest: z.string().regex(/^[0-9a-f]{32}$/),
  /** `cut`: the time was over before all seeds were run. */
  verdict: z.enum(['pass', 'fail', 'cut']),
  figures: Figures,
  /** The lowest seed that failed, made small; null when none did. */
  failure: FailureReport.nullable(),
});
export type SimulationDocument = z.infer<typeof SimulationDocument>;

export const StoriesDocument = z.strictObject({
  schema: z.literal('prism-stories/1'),
  ...heading,
  /** Of the search. */
  seed,
  without: z.array(remedy),
  verdict: z.enum(['pass', 'fail']),
  /** In the simulated world, judged by the invariants. */
  simulated: z.strictObject({ stories: count, steps: count, figures: Figures }),
  /** Of the cores in virtual time, compared with the specification's state graph; null where they were not told. */
  cores: z.strictObject({ stories: count, steps: count, misfortune: z.int().min(0).max(2) }).nullable(),
  /** In words, what was left out, and why. */
  leftOut: z.array(z.string()),
  /** Of the first kind that failed, made short; null when none did. */
  failure: z.union([FailureReport, DivergenceReport]).nullable(),
});
export type StoriesDocument = z.infer<typeof StoriesDocument>;

export const ReplayDocument = z.strictObject({
  schema: z.literal('prism-replay/1'),
  ...heading,
  token: z.string(),
  /** `fails`: as the token says. `fails-otherwise`: an invariant is violated, but another one. */
  verdict: z.enum(['pass', 'fails', 'fails-otherwise']),
  expected: invariant.nullable(),
  failure: z.union([FailureReport, DivergenceReport]).nullable(),
});
export type ReplayDocument = z.infer<typeof ReplayDocument>;
