/** What a diagnosis says: the clause whose breach kept a client from being served as it should have been, and what shows it. */
import type { EvidenceFrame } from '../verdict.js';

export interface Diagnosis {
  /** Wrong bytes, an untimely end, or nothing at all. */
  readonly kind: 'content' | 'end' | 'stall';
  readonly clause: string;
  /** What was expected, what was seen. */
  readonly message: string;
  /** At least one frame or line of the control log. */
  readonly evidence: readonly EvidenceFrame[];
  /** When it went wrong, on the clock of the captures: of several, the earliest counts. */
  readonly t: number;
  /** Who did it: a role that a case has ended by itself is not to blame. */
  readonly role: string;
}
