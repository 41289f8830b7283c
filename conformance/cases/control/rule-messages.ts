/** Requests to the switch and their confirmations that are late, lost or come twice (SWT-9, HOF-1, RET-1). */
import type { ControlFault } from '../../../harness/world.js';
import type { ConformanceCase } from '../case.js';
import { type CaseEvidence, lineOf, logged } from '../evidence.js';
import { expectStored, gets, header, pause, putText, response, runOne, script, send } from '../vocabulary.js';
import { type UnderFault, underFault } from './under-fault.js';

/** One connection meets the fault, another at the same time does not, and both are served whole. */
const story = (id: string, clauses: readonly string[], summary: string, fault: ControlFault, more: UnderFault = {}) =>
  underFault(id, clauses, summary, fault, { beside: true, ...more });

/** The switch got a request twice, under one id, and answered both alike. */
function answeredTwice(verb: 'add' | 'remove') {
  return ({ control, expectFor }: CaseEvidence): void => {
    const ids = logged(control, verb, 'received', 'switch').map(({ message }) => ('id' in message ? message.id : ''));
    const twice = ids.find((id, i) => ids.indexOf(id) !== i);
    const asked = logged(control, verb, 'sent', 'controller').map((entry) => lineOf(control, entry, verb));
    const once = `expected the switch to get one ${verb} twice, saw ${ids.length} different ones`;
    expectFor('SWT-9', twice !== undefined, once, ...asked.slice(0, 1));
    const answers = control.filter(
      ({ at, direction, message }) =>
        at === 'switch' && direction === 'sent' && 're' in message && message.re === twice,
    );
    const said = answers.map(({ message }) => message.verb).join(', ');
    const shownBy =
      answers.length > 0
        ? answers.slice(-1).map((entry) => lineOf(control, entry, 'the answer to the repetition'))
        : asked.slice(0, 1);
    const both = `expected both of them to be answered ok, saw ${said || 'no answer'}`;
    expectFor('SWT-9', said === 'ok, ok', both, ...shownBy);
  };
}

const LATE_MS = 300;

export const addConfirmationLate = story(
  'HOF-1.confirmation-late',
  ['HOF-1', 'SWT-9'],
  'The confirmation of a rule is late: nobody hands off before it has come.',
  { kind: 'delay', match: { answers: 'add' }, nth: [1], ms: LATE_MS },
  {
    afterwards({ control, expect }) {
      for (const { t, message } of logged(control, 'handoff', 'sent', 'controller')) {
        if (message.verb !== 'handoff') continue;
        const { port } = message.conn.client;
        const added = logged(control, 'add', 'sent', 'controller').findLast(
          (entry) =>
            BigInt(entry.t) <= BigInt(t) &&
            entry.message.verb === 'add' &&
            entry.message.rule.conn.client.port === port,
        );
        const id = added !== undefined && 'id' in added.message ? added.message.id : undefined;
        const confirmed = logged(control, 'ok', 'received', 'controller').some(
          (entry) => BigInt(entry.t) <= BigInt(t) && 're' in entry.message && entry.message.re === id,
        );
        const entry = logged(control, 'handoff', 'sent', 'controller').find((one) => one.message === message);
        const shownBy = entry ? [lineOf(control, entry, 'handed off without a confirmed rule')] : [];
        expect(confirmed, `expected hand-off ${message.handoff} only after its rule was confirmed`, ...shownBy);
      }
    },
  },
);

export const addConfirmationLost = story(
  'SWT-9.confirmation-lost',
  ['SWT-9', 'HOF-1'],
  'The confirmation of a rule is lost: the request is repeated, answered like the first time, and one rule is in force.',
  { kind: 'drop', match: { answers: 'add' }, nth: [1] },
  { afterwards: answeredTwice('add') },
);

export const addLost = story(
  'SWT-9.request-lost',
  ['SWT-9', 'HOF-1'],
  'The request for a rule is lost on its way to the switch: it is repeated, and the client is served.',
  { kind: 'drop', match: { verb: 'add' }, nth: [1] },
);

export const addTwice = story(
  'SWT-9.request-twice',
  ['SWT-9', 'RET-6'],
  'The request for a rule arrives twice: both are answered ok, and one removal leaves nothing.',
  { kind: 'repeat', match: { verb: 'add' }, nth: [1], ms: 5 },
  { afterwards: answeredTwice('add') },
);

/** Behind the late request nothing of its client reaches the backend that it names, until that one gets a request again. */
function bringsNothingBack({ control, segments, topology, expect }: CaseEvidence): void {
  const [asked, again] = logged(control, 'add', 'received', 'switch').filter(
    ({ message }, _, all) =>
      'id' in message && all.filter((one) => 'id' in one.message && one.message.id === message.id).length > 1,
  );
  if (asked?.message.verb !== 'add' || again === undefined) return;
  const { conn, backend } = asked.message.rule;
  const from = BigInt(again.t);
  const next = logged(control, 'add', 'sent', 'controller').find(
    ({ t, message }) => BigInt(t) > from && message.verb === 'add' && message.rule.backend.name === backend.name,
  );
  const astray = segments.find(
    ({ vantage, src, t }) =>
      vantage === backend.name &&
      src === `${conn.client.ip}:${conn.client.port}` &&
      t > from &&
      t < BigInt(next?.t ?? Number.MAX_SAFE_INTEGER * 1_000_000),
  );
  const wanted = `expected a rule that was removed to stay away from ${topology.logical.ip}, frame ${astray?.frame} follows it`;
  const shownBy = astray ? [{ frame: astray.frame, note: 'follows the rule that came back' }] : [];
  expect(astray === undefined, wanted, lineOf(control, again, 'the late request'), ...shownBy);
}

export const addAgainAfterRemoval = story(
  'ERR-4.late-request-for-a-removed-rule',
  ['ERR-4', 'SWT-9', 'RET-6'],
  'A repeated request for a rule arrives when the rule has been removed: it brings nothing back.',
  { kind: 'repeat', match: { verb: 'add' }, nth: [1], ms: 400 },
  // The next request goes elsewhere: a rule that came back would take it to the first backend.
  { steps: [...gets('/a/8k'), pause(700), ...gets('/b/8k')], afterwards: bringsNothingBack },
);

export const removeConfirmationLate = story(
  'RET-1.confirmation-late',
  ['RET-1', 'RET-2'],
  'The confirmation that a rule is gone is late: the window stays closed until it has come.',
  { kind: 'delay', match: { answers: 'remove' }, nth: [1], ms: LATE_MS },
);

export const removeConfirmationLost = story(
  'RET-1.confirmation-lost',
  ['RET-1', 'SWT-9', 'RET-6'],
  'The confirmation that a rule is gone is lost: the removal is repeated and confirmed again.',
  { kind: 'drop', match: { answers: 'remove' }, nth: [1] },
  { afterwards: answeredTwice('remove') },
);

export const removeLost = story(
  'RET-1.removal-lost',
  ['RET-1', 'RET-6'],
  'The removal is lost on its way to the switch: it is repeated, and only then does the window reopen.',
  { kind: 'drop', match: { verb: 'remove' }, nth: [1] },
);

const WRITTEN = { size: 600, seed: 53 };

/** A write first: its window is never closed, so that the next request follows at once and its rule is there when the old removal comes again. */
export const removeAgainDuringTheNext: ConformanceCase = {
  id: 'ERR-4.late-removal-during-the-next-hand-off',
  clauses: ['ERR-4', 'SWT-9'],
  summary: 'A removal arrives once more while the connection is handed off again: it takes away nothing.',
  worlds: ['sim', 'linux'],
  options: {
    controlFaults: [
      { kind: 'repeat', match: { verb: 'remove' }, nth: [1], ms: 250 },
      { kind: 'delay', match: { verb: 'handoff' }, nth: [2], ms: 700 },
    ],
  },
  async run(context) {
    const steps = [
      send(putText('/a/written', WRITTEN)),
      response('PUT'),
      pause(10),
      send(header('GET', '/b/8k')),
      response(),
    ];
    const result = await runOne(context, script(...steps));
    context.expectOk([result]);
    expectStored(context, result.responses[0], WRITTEN);
    context.expectBody(result.responses[1], 200, '/b/8k');
  },
  afterwards({ control, segments, topology, expect, premise }) {
    const [, again] = logged(control, 'remove', 'received', 'switch');
    const [, next] = logged(control, 'add', 'received', 'switch');
    const [told] = logged(control, 'handoff', 'received', 'backend1');
    const between =
      again !== undefined &&
      next !== undefined &&
      told !== undefined &&
      BigInt(next.t) < BigInt(again.t) &&
      BigInt(again.t) < BigInt(told.t);
    premise(between, 'the removal did not come again between the next rule and its hand-off');
    if (again === undefined || told === undefined) return;
    const ip = topology.backends.find(({ name }) => name === 'backend1')?.ip;
    const bare = segments.find(
      ({ vantage, src, t }) => vantage === 'client' && src.startsWith(`${ip}:`) && t > BigInt(told.t),
    );
    const wanted = `expected the next rule to stay in force, frame ${bare?.frame} was not rewritten`;
    const shownBy = bare ? [{ frame: bare.frame, note: 'not rewritten any more' }] : [];
    expect(bare === undefined, wanted, lineOf(control, again, 'the late removal'), ...shownBy);
  },
};

/** What the switch answered to a request under the harness's own id. */
function answersAnother(id: string) {
  return ({ control, expectFor }: CaseEvidence): void => {
    const answer = control.find(
      ({ at, direction, message }) => at === 'switch' && direction === 'sent' && 're' in message && message.re === id,
    );
    const said = answer?.message.verb ?? 'nothing';
    const asked = control.find(({ message }) => 'id' in message && message.id === id);
    const shownBy = [answer ?? asked].flatMap((entry) => (entry ? [lineOf(control, entry, said)] : []));
    const wanted = `expected the same request under another id to be answered ok, got ${said}`;
    expectFor('SWT-9', said === 'ok', wanted, ...shownBy);
  };
}

export const addUnderAnotherId = story(
  'SWT-9.same-rule-under-another-id',
  ['SWT-9', 'RET-6'],
  'The same rule is asked for once more under another id: that is no conflict, and one removal leaves nothing.',
  { kind: 'repeat', match: { verb: 'add' }, nth: [1], ms: 30, as: 'again-1' },
  // Long enough for the rule to be in force when it is asked for again.
  { serviceDelayMs: 300, afterwards: answersAnother('again-1') },
);

export const removeUnderAnotherId = story(
  'SWT-9.removal-under-another-id',
  ['SWT-9', 'RET-1'],
  'A rule that has been removed is removed again under another id: it is confirmed like the first time.',
  { kind: 'repeat', match: { verb: 'remove' }, nth: [1], ms: 30, as: 'again-2' },
  // Behind the next rule it would be that one's removal, rightly obeyed: the pause outlasts what a busy machine delays, and no neighbour
  // that does not pause may be the first to have its rule removed.
  { steps: [...gets('/a/8k'), pause(1500), ...gets('/b/8k')], beside: false, afterwards: answersAnother('again-2') },
);
