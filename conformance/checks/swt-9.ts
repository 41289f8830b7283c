/**
 * SWT-9: Installing and removing are confirmed, idempotent for the same rule, refused with a clear error for a conflicting rule or a full table.
 * (derived of HOF-1, RET-1)
 */
import { confirmedRules } from '../flows/confirmed.js';
import { neverInstalled } from '../flows/in-force.js';
import type { AskedOfSwitch } from '../flows/switch-answers.js';
import type { Check } from './check.js';
import { at, named, Tally } from './tally.js';

/** A switch that has said nothing for so long does not answer any more. */
const PATIENCE_NS = 1e9;

export const SWT_9: Check = {
  clause: 'SWT-9',
  method:
    'In the control log, each request for a rule that the switch received must be answered under its own id: a removal never refused, an add refused as conflicting only where another rule of the connection is in force; what it confirms must rewrite.',
  needs: 'control-log',
  judge(judged) {
    const { log, connections } = judged;
    const tally = new Tally();
    if (log === undefined) return tally.finding('', 'no control log: frames carry no messages to the switch');
    for (const connection of connections) {
      const { client, from, to } = connection;
      for (const rule of confirmedRules(connection)) {
        const missed = neverInstalled(judged, connection, rule);
        if (missed === undefined) continue;
        tally.fail(
          `expected the rule of ${connection.name} that the switch confirms in line ${rule.ok.line} of ${log.name} to be there; ${named(missed)} met none, nor did anything else`,
          { capture: log.name, frame: rule.ok.line, note: 'ok, but there is no rule' },
          at(missed, 'met no rule'),
        );
      }
      for (const asked of log.askedOfSwitch.get(client) ?? []) {
        if (asked.t < from || asked.t >= to) continue;
        const { message, line, rules, answer } = asked;
        const wrong = offence(asked, log.end);
        if (wrong === 'open') continue;
        if (wrong === undefined) {
          tally.hold();
          continue;
        }
        tally.fail(
          `expected ${wrong}, with ${rules} rules in force; the ${message.verb} for ${client} that the switch received in line ${line} of ${log.name} was ${saidOf(asked)}`,
          { capture: log.name, frame: line, note: message.verb },
          ...(answer === undefined
            ? []
            : [{ capture: log.name, frame: answer.line, note: answer.ok ? 'ok' : `refused: ${answer.code}` }]),
        );
      }
    }
    return tally.finding(
      'requests for rules answered as they had to be',
      'the control log has no request that the switch received',
    );
  },
  regular: () => 0,
};

function saidOf({ answer }: AskedOfSwitch): string {
  if (answer === undefined) return 'not answered';
  return answer.ok ? `confirmed in line ${answer.line}` : `refused in line ${answer.line} (${answer.code})`;
}

/** What was expected instead; undefined where nothing is wrong, `open` where the log ends too early to tell. */
function offence({ message, answer, t, present, repeated }: AskedOfSwitch, end: number): string | undefined {
  if (answer === undefined) return end - t < PATIENCE_NS ? 'open' : 'an answer under the id of the request';
  const conflicts = message.verb === 'add' && present !== undefined && present !== message.rule.backend.name;
  // A late repetition of what is over (ERR-4).
  if (answer.code === 'stale') return undefined;
  if (answer.ok && repeated) return undefined;
  if (answer.ok) return conflicts ? 'the rule to be refused, another one of the connection being in force' : undefined;
  if (message.verb === 'remove') return 'the removal to be confirmed, whether there is such a rule or not';
  return answer.code === 'conflict' && !conflicts
    ? 'the rule to be taken, no other rule of the connection being in force'
    : undefined;
}
