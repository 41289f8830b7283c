/** What went wrong in one run, put in the order of cause and consequence. Pure: moments and roles are handed in. */
import { compareClauses, findClause } from '../spec/requirements.js';
import { type EvidenceFrame, NO_SINGLE_FRAME, type Offence } from './verdict.js';

/** One of the things that went wrong, before it is known which of them led to the others. */
export interface Charge {
  /** The clause it is charged to; null: an expectation that no clause is charged with. */
  readonly clause: string | null;
  /** `check`: frames and control messages show it. `case`: the story expected something else. */
  readonly by: Offence['by'];
  readonly message: string;
  readonly evidence: readonly EvidenceFrame[];
}

/** When a frame was seen or a control message was logged (nanoseconds since the epoch), and at which vantage. */
export interface Moment {
  readonly t: bigint;
  readonly vantage?: string;
}

/** Undefined for a frame or line that nobody knows. */
export type MomentOf = (frame: EvidenceFrame) => Moment | undefined;

/** Who can have broken a clause: its own role, where that is under test; anybody, where every role is. */
export type Suspects = ReadonlySet<'controller' | 'switch' | 'backend'>;

export const EVERY_ROLE: Suspects = new Set(['controller', 'switch', 'backend']);

/** Clauses that are broken wherever anything before them was: what is left over at the end, and that everything was answered. */
const AFTERMATH: ReadonlySet<string> = new Set(['RET-6', 'RET-7', 'HOF-6']);

/** A charge with what decides its place. */
interface Placed {
  readonly charge: Charge;
  readonly distance: number;
  readonly first: { readonly frame: EvidenceFrame; readonly moment: Moment | undefined } | undefined;
}

/**
 * 0: a clause of a suspect; 1: one of several roles together; 2: of a role that is not under test, so that somebody made it look so; 3: what
 * comes of anything; 4: an expectation that no frame shows disappointed ("the client did not finish").
 */
function distanceOf({ clause, by, evidence }: Charge, suspects: Suspects): number {
  if (by === 'case' && !evidence.some(isDecisive)) return 4;
  if (clause === null) return 3;
  if (AFTERMATH.has(clause)) return 3;
  const role = findClause(clause)?.role;
  if (suspects.size === EVERY_ROLE.size || suspects.has(role as 'switch')) return 0;
  return role === 'system' ? 1 : 2;
}

const isDecisive = ({ note }: EvidenceFrame): boolean => note !== NO_SINGLE_FRAME;

function earliest(evidence: readonly EvidenceFrame[], momentOf: MomentOf): Placed['first'] {
  const decisive = evidence.filter((frame) => isDecisive(frame) && frame.background !== true);
  const placed = (decisive.length > 0 ? decisive : evidence.filter(isDecisive)).map((frame) => ({
    frame,
    moment: momentOf(frame),
  }));
  const [first, ...others] = placed;
  if (first === undefined) return undefined;
  return others.reduce((least, one) => (compareMoments(one.moment, least.moment) < 0 ? one : least), first);
}

/** A clause of one role says more than one of several together that the same frame breaks (attribution: HOF-4's, and BKD-9's too). */
const ofSeveral = ({ charge: { clause } }: Placed): boolean => findClause(clause ?? '')?.role === 'system';

/** What has no moment comes last. */
function compareMoments(a: Moment | undefined, b: Moment | undefined): number {
  if (a === undefined || b === undefined) return Number(a === undefined) - Number(b === undefined);
  return a.t < b.t ? -1 : a.t > b.t ? 1 : 0;
}

/**
 * The causes first: clauses of the roles under test before those that others can only seem to break, by their earliest evidence, then what is
 * a consequence of anything. Where nothing decides, the catalogue's order. `at` is the earliest evidence of each.
 */
export function byCause(
  charges: readonly Charge[],
  momentOf: MomentOf,
  suspects: Suspects = EVERY_ROLE,
): { readonly charge: Charge; readonly offence: Offence }[] {
  const placed = charges.map(
    (charge): Placed => ({
      charge,
      distance: distanceOf(charge, suspects),
      first: earliest(charge.evidence, momentOf),
    }),
  );
  placed.sort(
    (a, b) =>
      a.distance - b.distance ||
      Number(a.first === undefined) - Number(b.first === undefined) ||
      compareMoments(a.first?.moment, b.first?.moment) ||
      Number(ofSeveral(a)) - Number(ofSeveral(b)) ||
      compareClauses(a.charge.clause ?? '', b.charge.clause ?? ''),
  );
  return placed.map(({ charge, first }) => {
    const { clause, by, message } = charge;
    const vantage = first?.moment?.vantage;
    const at = first && {
      capture: first.frame.capture,
      frame: first.frame.frame,
      ...(vantage === undefined ? {} : { vantage }),
    };
    return { charge, offence: { clause, by, message, ...(at ? { at } : {}) } };
  });
}
