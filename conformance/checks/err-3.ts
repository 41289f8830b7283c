/** ERR-3: A switch that refuses or does not confirm a rule leaves the connection with the controller, which answers or resets. (D of HOF-1) */
import type { Check } from './check.js';
import { Tally } from './tally.js';

export const ERR_3: Check = {
  clause: 'ERR-3',
  method:
    'In the control log, a request for a rule that was refused, or has no answer, must not be followed by the hand-off it was asked for.',
  needs: 'control-log',
  incidental: true,
  judge(judged) {
    const tally = new Tally();
    const { log } = judged;
    for (const connection of judged.connections) {
      const requests = connection.log;
      for (const [index, add] of requests.entries()) {
        if (add.message.verb !== 'add' || add.answer?.ok === true) continue;
        const next = requests
          .slice(index + 1)
          .find(({ message }) => message.verb === 'add' || message.verb === 'handoff');
        const line = (number: number, note: string) => ({ capture: log?.name ?? '', frame: number, note });
        const what = add.answer === undefined ? 'not confirmed' : `refused in line ${add.answer.line}`;
        if (next?.message.verb === 'handoff') {
          tally.fail(
            `expected ${connection.name} to stay with the controller, its rule being ${what}; line ${next.line} hands it off`,
            line(add.answer?.line ?? add.line, what),
            line(next.line, 'handoff'),
          );
        } else if (add.answer !== undefined || (log !== undefined && log.end > add.t + 1e9)) tally.hold();
        else tally.doubt('the control log ends with a request for a rule');
      }
    }
    const missing =
      log === undefined ? 'no control log' : 'no request for a rule was refused or left without an answer';
    return tally.finding('rules refused or not confirmed, and no hand-off behind them', missing);
  },
  regular: () => 0,
};
