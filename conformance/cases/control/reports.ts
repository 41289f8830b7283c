/** Reports of completion that are lost, come twice or come late, and removals that the client does not wait for. */
import type { ConformanceCase } from '../case.js';
import { type CaseEvidence, lineOf, logged } from '../evidence.js';
import {
  bodyText,
  expectObjects,
  expectWriteAndRead,
  gets,
  header,
  pause,
  QUIET_MS,
  runOne,
  script,
  send,
  writeHeader,
} from '../vocabulary.js';
import { underFault } from './under-fault.js';

const match = { verb: 'complete' } as const;

export const completeLost = underFault(
  'BKD-6.report-lost',
  ['BKD-6', 'RET-1'],
  'The report of completion is lost: it is repeated, and the connection returns.',
  { kind: 'drop', match, nth: [1] },
);

export const completeLate = underFault(
  'RET-1.report-late',
  ['RET-1', 'HOF-4', 'BKD-9'],
  'The report of completion is late: until it has come nobody owns the connection, and nobody speaks on it.',
  { kind: 'delay', match, nth: [1], ms: 500 },
);

export const completeTwice = underFault(
  'ERR-4.report-twice',
  ['ERR-4', 'RET-1'],
  'The report of completion arrives twice in a row: the second changes nothing.',
  { kind: 'repeat', match, nth: [1], ms: 3 },
);

/** Nothing is removed on the word of a report that has been answered: one removal for each hand-off. */
function removedOnceEach({ control, expect }: CaseEvidence): void {
  const removals = logged(control, 'remove', 'sent', 'controller').length;
  const reports = new Set(
    logged(control, 'complete', 'sent').map(({ message }) => (message.verb === 'complete' ? message.handoff : 0)),
  );
  const late = logged(control, 'complete', 'received', 'controller').at(-1);
  const shownBy = late ? [lineOf(control, late, 'the report')] : [];
  expect(
    removals === reports.size,
    `expected one removal for each of ${reports.size} hand-offs, saw ${removals}`,
    ...shownBy,
  );
}

export const completeAgainDuringTheNext = underFault(
  'ERR-4.report-again-during-the-next-hand-off',
  ['ERR-4', 'HOF-4'],
  'A report of completion arrives once more while the next hand-off is in force: that one goes on.',
  { kind: 'repeat', match, nth: [1], ms: 200 },
  { serviceDelayMs: 500, afterwards: removedOnceEach },
);

/** Two hand-offs later the same backend owns the connection again: only the number tells the old report from the new. */
export const reportOfAnOlderHandoff = underFault(
  'ERR-4.report-of-an-older-hand-off',
  ['ERR-4', 'HOF-4'],
  'A report arrives once more when the same backend has the connection again for another request: that goes on.',
  { kind: 'repeat', match, nth: [1], ms: 750 },
  { paths: ['/a/8k', '/b/8k', '/a/1k'], serviceDelayMs: 500 },
);

export const reportConfirmationLost = underFault(
  'BKD-6.report-confirmation-lost',
  ['BKD-6', 'ERR-4'],
  "The controller's answer to a report is lost: the report is repeated and answered again.",
  { kind: 'drop', match: { answers: 'complete' }, nth: [1] },
);

const BODY = { size: 3000, seed: 52 };

/** A write's window is never closed, so that the client's next request leaves at once and meets the backend that has given up. */
export const requestAfterGivingUp: ConformanceCase = {
  id: 'HOF-5.request-after-giving-up',
  clauses: ['HOF-5', 'BKD-9', 'RET-7'],
  summary:
    'The next request meets a backend that gave the connection up while its rule is still there: it draws nothing.',
  worlds: ['sim', 'linux'],
  options: { controlFaults: [{ kind: 'delay', match: { verb: 'remove' }, nth: [1], ms: 400 }] },
  async run(context) {
    await expectWriteAndRead(context, [send(writeHeader(BODY)), pause(QUIET_MS), send(bodyText(BODY))], BODY);
  },
  afterwards({ control, segments, topology, expect, premise }) {
    const backend = topology.backends.find(({ name }) => name === 'backend0');
    const [given] = logged(control, 'complete', 'sent', 'backend0');
    const [gone] = logged(control, 'remove', 'received', 'switch');
    const between = segments.filter(
      ({ vantage, t }) => vantage === 'backend0' && t > BigInt(given?.t ?? 0) && t < BigInt(gone?.t ?? 0),
    );
    const late = between.filter(({ src, payload }) => !src.startsWith(`${backend?.ip}:`) && payload > 0);
    premise(late.length > 0, 'no segment of the client met the backend that had given up');
    const said = between.filter(({ src }) => src.startsWith(`${backend?.ip}:`));
    expect(
      said.length === 0,
      `expected the backend to say nothing after giving up, frame ${said[0]?.frame} says otherwise`,
      ...said.slice(0, 1).map(({ frame }) => ({ frame, note: 'said after giving up' })),
    );
  },
};

export const resetFreesTheRule: ConformanceCase = {
  id: 'RET-5.reset-frees-the-rule',
  clauses: ['RET-5', 'RET-6'],
  summary:
    'The client resets while handed off: the backend reports it, the rule is removed, and the backend falls silent.',
  worlds: ['sim', 'linux'],
  options: { serviceDelayMs: 400 },
  async run(context) {
    const steps = [send(header('GET', '/a/8k')), pause(150), { do: 'abort' as const }];
    context.expectOk([await runOne(context, script(...steps))]);
    expectObjects(context, await runOne(context, script(...gets('/a/1', '/b/1'))), ['/a/1', '/b/1']);
  },
  afterwards({ control, segments, topology, expect, premise }) {
    const [added] = logged(control, 'add', 'received', 'switch');
    if (added?.message.verb !== 'add') return;
    const { conn } = added.message.rule;
    const removed = logged(control, 'remove', 'received', 'switch').some(
      ({ message }) => message.verb === 'remove' && message.conn.client.port === conn.client.port,
    );
    const client = `${conn.client.ip}:${conn.client.port}`;
    const reset = segments.find(
      ({ vantage, src, flags }) => vantage === 'client' && src === client && (flags & 4) !== 0,
    );
    premise(reset !== undefined, 'the client sent no RST');
    const rst = reset ? [{ frame: reset.frame, note: "the client's RST" }] : [];
    const freed = `expected the rule of port ${conn.client.port}, whose client reset, to be removed`;
    expect(removed, freed, lineOf(control, added, 'the rule'), ...rst);
    const backend = topology.backends.find(({ name }) => name === 'backend0');
    const after = segments.find(
      (s) => s.vantage === 'backend0' && s.src.startsWith(`${backend?.ip}:`) && s.dst === client && s.payload > 0,
    );
    const wanted = `expected no response to a client that reset, frame ${after?.frame} is one`;
    expect(after === undefined, wanted, ...(after ? [{ frame: after.frame, note: 'goes on' }] : []));
  },
};
