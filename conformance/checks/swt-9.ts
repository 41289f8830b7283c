/** SWT-9: Installing and removing are confirmed, idempotent for the same rule, refused with a clear error for a conflicting rule or a full table. (D of HOF-1, RET-1) */
import { clientOf, type Rule } from '../../reference-impl/control/messages.js';
import type { ControlLog, LoggedEntry } from '../flows/logged.js';
import type { EvidenceFrame } from '../verdict.js';
import type { Check } from './check.js';
import { Tally } from './tally.js';

/** A switch that goes on to answer others has had the time. */
const SILENCE_NS = 1e9;

export const SWT_9: Check = {
  clause: 'SWT-9',
  method:
    "In the switch's part of the control log every request has an answer of its own; what is in force already, or gone already, is confirmed, and what conflicts is refused.",
  needs: 'control-log',
  judge(judged) {
    const tally = new Tally();
    const { log } = judged;
    if (log !== undefined) judgeSwitch(tally, log);
    return tally.finding(
      'requests to the switch answered as they must be',
      log === undefined ? 'no control log' : "the control log does not show the switch's part",
    );
  },
  regular: () => 0,
};

function judgeSwitch(tally: Tally, log: ControlLog): void {
  const rules = new Map<string, Rule>();
  const answered = new Map<string, boolean>();
  const own = log.entries.filter(({ entry }) => entry.at === 'switch');
  const answers = own.filter(({ entry }) => entry.direction === 'sent');
  const used = new Set<LoggedEntry>();
  const lastSpoke = answers.at(-1)?.t ?? Number.NEGATIVE_INFINITY;
  for (const asked of own) {
    const { message } = asked.entry;
    if (asked.entry.direction !== 'received' || (message.verb !== 'add' && message.verb !== 'remove')) continue;
    const answer = answers.find(
      (one) => !used.has(one) && one.t >= asked.t && 're' in one.entry.message && one.entry.message.re === message.id,
    );
    const line = (number: number, note: string): EvidenceFrame => ({ capture: log.name, frame: number, note });
    if (answer === undefined) {
      if (lastSpoke > asked.t + SILENCE_NS)
        tally.fail(
          `expected an answer to ${message.verb} in line ${asked.line}; the switch sent none, though it went on to answer others`,
          line(asked.line, message.verb),
        );
      else tally.doubt(`the switch was silent after line ${asked.line}`);
      continue;
    }
    used.add(answer);
    const ok = answer.entry.message.verb === 'ok';
    const conn = clientOf(message) ?? '';
    const evidence = [line(asked.line, message.verb), line(answer.line, ok ? 'ok' : 'refused')];
    if (message.verb === 'remove') {
      if (ok) {
        rules.delete(conn);
        tally.hold();
      } else if (isStale(answer)) tally.hold();
      else
        tally.fail(
          `expected the removal in line ${asked.line} to be confirmed, whether there was a rule or not; it was refused in line ${answer.line}`,
          ...evidence,
        );
      continue;
    }
    const before = answered.get(message.id);
    if (before !== undefined) {
      // A repetition of the same request is answered like the first, and changes nothing.
      if (before && !ok && !isStale(answer))
        tally.fail(
          `expected the repetition in line ${asked.line} of a request that was confirmed to be confirmed again; it was refused in line ${answer.line}`,
          ...evidence,
        );
      else tally.hold();
      continue;
    }
    answered.set(message.id, ok);
    const known = rules.get(conn);
    const same = known !== undefined && JSON.stringify(known) === JSON.stringify(message.rule);
    if (same && !ok && !isStale(answer))
      tally.fail(
        `expected the rule in line ${asked.line}, which is in force, to be confirmed again; it was refused in line ${answer.line}`,
        ...evidence,
      );
    else if (known !== undefined && !same && ok && known.backend.ip !== message.rule.backend.ip)
      tally.fail(
        `expected the rule in line ${asked.line}, which conflicts with one in force, to be refused; it was confirmed in line ${answer.line}`,
        ...evidence,
      );
    else tally.hold();
    if (ok && known === undefined) rules.set(conn, message.rule);
  }
}

/** A late repetition of what is over (ERR-4). */
function isStale({ entry: { message } }: LoggedEntry): boolean {
  return message.verb === 'refused' && message.code === 'stale';
}
