/** The switch refuses a rule, or never says a word about it: the connection stays with the controller (ERR-3). */
import type { ControlFault } from '../../../harness/world.js';
import type { ConformanceCase } from '../case.js';
import { lineOf, logged } from '../evidence.js';
import {
  expectNotServed,
  expectObjects,
  gets,
  header,
  pause,
  response,
  runAll,
  runOne,
  script,
  send,
} from '../vocabulary.js';

const REFUSED = header('GET', '/a/8k');

function withoutRule(story: string, summary: string, fault: ControlFault): ConformanceCase {
  return {
    id: `ERR-3.${story}`,
    clauses: ['ERR-3', 'RET-6'],
    summary,
    worlds: ['sim', 'linux'],
    options: { controlFaults: [fault] },
    async run(context) {
      expectNotServed(context, await runOne(context, script(send(REFUSED), response())));
      expectObjects(context, await runOne(context, script(...gets('/b/8k'))), ['/b/8k']);
    },
    afterwards({ control, expect }) {
      const [first] = logged(control, 'add', 'sent', 'controller').map(({ message }) => message);
      const conn = first?.verb === 'add' ? first.rule.conn.client.port : undefined;
      const handed = logged(control, 'handoff', 'sent', 'controller').find(
        ({ message }) => message.verb === 'handoff' && message.conn.client.port === conn,
      );
      const shownBy = handed ? [lineOf(control, handed, 'handed off without a rule')] : [];
      const wanted = 'expected no hand-off of the connection whose rule was not installed, saw one';
      expect(handed === undefined, wanted, ...shownBy);
    },
  };
}

const match = { verb: 'add', to: 'switch' } as const;

export const ruleRefusedFull = withoutRule(
  'rule-refused-table-full',
  'The switch refuses a rule because its table is full: the controller answers or resets, and the next client is served.',
  { kind: 'refuse', match, nth: [1], code: 'full' },
);

export const ruleRefusedConflict = withoutRule(
  'rule-refused-conflict',
  'The switch refuses a rule as conflicting: the controller answers or resets, and the next client is served.',
  { kind: 'refuse', match, nth: [1], code: 'conflict' },
);

export const ruleNeverConfirmed: ConformanceCase = {
  id: 'ERR-3.rule-never-confirmed',
  clauses: ['ERR-3'],
  summary: 'The switch never hears of the rule, so it never confirms it: the controller answers or resets by itself.',
  worlds: ['sim', 'linux'],
  options: { controlFaults: [{ kind: 'drop', match }] },
  async run(context) {
    expectNotServed(context, await runOne(context, script(send(REFUSED), response())));
  },
  afterwards({ control, expect }) {
    const [handed] = logged(control, 'handoff', 'sent');
    const shownBy = handed ? [lineOf(control, handed, 'handed off without a rule')] : [];
    expect(handed === undefined, 'expected no hand-off without a rule, saw one', ...shownBy);
  },
};

/** More connections than rules, for as long as the backends take. */
const CLIENTS = 6;

export const fewerRulesThanConnections: ConformanceCase = {
  id: 'SWT-9.fewer-rules-than-connections',
  clauses: ['SWT-9', 'ERR-3', 'RET-6'],
  summary:
    'Six clients at a switch of two rules: each is served or refused, none hangs, and the table is free afterwards.',
  worlds: ['sim', 'linux'],
  options: { ruleCapacity: 2, serviceDelayMs: 400 },
  async run(context) {
    const jobs = Array.from({ length: CLIENTS }, (_, i) =>
      script(send(header('GET', i % 2 === 0 ? '/a/8k' : '/b/8k')), response()),
    );
    const results = await runAll(context, jobs);
    const served = results.filter(({ responses }) => responses[0]?.status === 200);
    for (const [i, result] of results.entries())
      if (result.responses[0]?.status === 200)
        context.expectBody(result.responses[0], 200, i % 2 === 0 ? '/a/8k' : '/b/8k');
      else expectNotServed(context, result);
    context.expect(served.length >= 2, `expected the two rules to serve two clients, ${served.length} were served`);
    context.expect(served.length < CLIENTS, 'expected fewer clients served than there were, for want of rules');
    expectObjects(context, await runOne(context, script(pause(100), ...gets('/a/1', '/b/1'))), ['/a/1', '/b/1']);
  },
  afterwards({ control, expect }) {
    const full = logged(control, 'refused', 'sent', 'switch').some(
      ({ message }) => message.verb === 'refused' && message.code === 'full',
    );
    const refusals = logged(control, 'refused', 'sent', 'switch');
    const codes = refusals.length;
    const shownBy = refusals.slice(0, 1).map((entry) => lineOf(control, entry, 'refused'));
    const wanted = `expected the code full for a rule beyond the table, saw ${codes} other refusals`;
    expect(full || codes === 0, wanted, ...shownBy);
    // Two rules at once are all there is room for.
    let held = 0;
    for (const entry of control) {
      if (entry.at !== 'switch' || entry.direction !== 'sent' || entry.message.verb !== 'ok') continue;
      const { re } = entry.message;
      const asked = control.find(({ message }) => 'id' in message && message.id === re)?.message.verb;
      held += asked === 'add' ? 1 : asked === 'remove' ? -1 : 0;
      if (held <= 2) continue;
      expect(false, `expected at most two rules at once, the switch confirmed ${held}`, lineOf(control, entry, 'ok'));
      break;
    }
  },
};
