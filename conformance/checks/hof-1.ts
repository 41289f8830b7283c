/** HOF-1: The switch's rules for both directions are in force before the backend is told to take over. (SoCC'17 §2.3, steps 4 and 5) */
import { confirmedRules } from '../flows/confirmed.js';
import type { Connection } from '../flows/connection.js';
import { beliedBy } from '../flows/in-force.js';
import type { Judged } from '../flows/judged.js';
import type { LoggedRequest } from '../flows/logged.js';
import { meantBy } from '../flows/told.js';
import type { Check } from './check.js';
import { at, named, Tally } from './tally.js';

export const HOF_1: Check = {
  clause: 'HOF-1',
  method:
    "In the control log, the switch's ok to the connection's add must come before the handoff is sent, and what frames pass the switch behind that ok must meet the rule; the rule must have the backend's addresses.",
  needs: 'control-log',
  judge(judged) {
    const tally = new Tally();
    const { log } = judged;
    if (log === undefined)
      return tally.finding('', 'no control log: when the rules were in force is not seen in frames');
    if (!log.showsSwitch) return tally.finding('', 'the control log has no message to the switch');
    const note = (line: number, text: string) => ({ capture: log.name, frame: line, note: text });
    for (const connection of judged.connections) {
      for (const rule of confirmedRules(connection)) {
        const belied = beliedBy(judged, connection, rule);
        const [missed] = belied?.missed ?? [];
        if (belied === undefined || missed === undefined) continue;
        const { met } = belied;
        const since =
          met === undefined
            ? 'nothing was rewritten in either direction'
            : `nothing was rewritten before ${named(met)}`;
        tally.fail(
          `expected the rule of ${connection.name} to be in force when the switch says ok in line ${rule.ok.line} of ${log.name}; ${named(missed)} met none, and ${since}`,
          note(rule.ok.line, 'ok, but the rule is not in force'),
          at(missed, 'met no rule'),
          ...(met === undefined ? [] : [at(met, 'the first that met it')]),
        );
      }
      for (const handoff of connection.log) {
        // Of a hand-off under another client's name HOF-3 tells.
        if (handoff.message.verb !== 'handoff' || meantBy(judged, connection, handoff) !== undefined) continue;
        const late = lateRule(judged, connection, handoff);
        if (late === undefined) {
          tally.hold();
          continue;
        }
        tally.fail(
          `expected the switch's ok before the hand-off of ${connection.name} in line ${handoff.line} of ${log.name}; ${late.text}`,
          ...(late.line === undefined ? [] : [note(late.line, 'the rule is confirmed, or asked for, here')]),
          note(handoff.line, 'handoff'),
        );
      }
    }
    return tally.finding(
      'hand-offs after the confirmed rule',
      'the control log has no hand-off of a captured connection',
    );
  },
  regular: () => 0,
};

/** A rule that takes the client to other addresses than the backend that it names has. */
function wrongRule({ topology }: Judged, { message, line }: LoggedRequest): string | undefined {
  if (message.verb !== 'add') return undefined;
  const { name, ip, mac } = message.rule.backend;
  const backend = topology.backends.find((one) => one.name === name);
  const wanted = backend && [backend.ip, backend.mac?.toLowerCase() ?? mac].join(' ');
  if (wanted === `${ip} ${mac}`) return undefined;
  return `expected a rule to ${name} at ${wanted ?? 'no address: there is no such backend'}; line ${line} asks for ${ip} ${mac}`;
}

/** Why no confirmed rule was in force at a hand-off; undefined when one was. */
export function lateRule(
  judged: Judged,
  { log }: Connection,
  handoff: LoggedRequest,
): { readonly text: string; readonly line: number | undefined; readonly t: number } | undefined {
  let rule: LoggedRequest | undefined;
  let removed: LoggedRequest | undefined;
  for (const request of log) {
    const { verb } = request.message;
    if (verb === 'add') {
      if (request.t > handoff.t && rule !== undefined) break;
      rule = request;
      removed = undefined;
    } else if (verb === 'remove') {
      if (request.t > handoff.t) break;
      removed = request;
    }
  }
  if (rule === undefined) return { text: 'no rule was asked for', line: undefined, t: Number.POSITIVE_INFINITY };
  const wrong = wrongRule(judged, rule);
  if (wrong !== undefined) return { text: wrong, line: rule.line, t: Number.POSITIVE_INFINITY };
  if (removed !== undefined) {
    return { text: `the rule was removed in line ${removed.line}`, line: removed.line, t: Number.POSITIVE_INFINITY };
  }
  const { answer } = rule;
  if (answer === undefined) {
    return { text: `the add in line ${rule.line} was never answered`, line: rule.line, t: Number.POSITIVE_INFINITY };
  }
  if (!answer.ok)
    return { text: `the add was refused in line ${answer.line}`, line: answer.line, t: Number.POSITIVE_INFINITY };
  if (answer.t > handoff.t) return { text: `it comes in line ${answer.line}`, line: answer.line, t: answer.t };
  return undefined;
}
