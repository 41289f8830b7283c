/** What the switch swallowed, said in the words of the clause by which it had to carry it. */
import { isFlagged, type Segment } from '../flows/decode.js';
import type { Judged } from '../flows/judged.js';
import { type CarryingClause, type Swallowed, swallowed } from '../flows/swallowed.js';
import { at, named, type Tally } from './tally.js';

/** Frames of one thing that was sent in vain, beyond which more show nothing more. */
const SHOWN = 3;

/** Fails for each thing that the switch swallowed which that clause would have had carried. */
export function failSwallowed(judged: Judged, tally: Tally, clause: CarryingClause): void {
  for (const one of swallowed(judged)) {
    if (one.clause !== clause) continue;
    const [first, ...more] = one.sent;
    if (first === undefined) continue;
    const repeated = more.length === 0 ? '' : `, and neither did what repeated it (sent ${one.sent.length} times)`;
    tally.fail(
      `expected ${named(first)} (${what(first)}) of ${one.connection.name} ${direction(one)}; it went into the switch and did not come out${repeated}`,
      at(first, `never arrived at ${one.owed}`),
      ...more.slice(0, SHOWN - 1).map((segment) => at(segment, 'nor did this')),
    );
  }
}

function direction({ clause, owed }: Swallowed): string {
  if (clause === 'SWT-1') return `at ${owed} by its rule`;
  if (clause === 'SWT-2') return "at the client as the logical server's";
  return `at the ${owed} by the default table`;
}

function what(segment: Segment): string {
  for (const flag of ['SYN', 'RST'] as const) if (isFlagged(segment, flag)) return flag;
  const fin = isFlagged(segment, 'FIN') ? 'FIN' : '';
  if (segment.length > 0) return `${segment.length} bytes${fin === '' ? '' : ` and ${fin}`}`;
  return fin === '' ? 'an acknowledgement' : fin;
}
