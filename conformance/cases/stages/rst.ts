/** The client gives the connection up with RST, at every stage: rules, backend and controller are rid of it (RET-5), and its port is as good as new. */
import { type CaseEvidence, lineOf } from '../evidence.js';
import { connect, readResponse, reset, resumeAcks, sendText, wait } from '../segment-words.js';
import { header } from '../vocabulary.js';
import { atEveryStage } from './at-every-stage.js';
import type { Stage } from './stages.js';

const AGAIN = '/b/1k';
const OUTSIDE = new Set(['in-mid-header', 'after-a-lost-reopening', 'when-idle']);

/** Until what went to the client meanwhile has been refused; until every message that was held up has come, too. */
const GONE_MS = 300;
const ALL_COME_MS = 900;

/** The switch's confirmations of rules whose removal it did not confirm. */
function rulesLeft(run: CaseEvidence): CaseEvidence['control'][number][] {
  const requests = new Map<string, CaseEvidence['control'][number]['message']>();
  const rules = new Map<string, CaseEvidence['control'][number]>();
  for (const entry of run.control) {
    const { at, direction, message } = entry;
    if (at !== 'switch') continue;
    if (direction === 'received' && (message.verb === 'add' || message.verb === 'remove'))
      requests.set(message.id, message);
    if (direction !== 'sent' || message.verb !== 'ok') continue;
    const request = requests.get(message.re);
    if (request?.verb === 'add') rules.set(`${request.rule.conn.client.ip}:${request.rule.conn.client.port}`, entry);
    if (request?.verb === 'remove') rules.delete(`${request.conn.client.ip}:${request.conn.client.port}`);
  }
  return [...rules.values()];
}

function isRid(run: CaseEvidence): void {
  const left = rulesLeft(run);
  run.expect(
    left.length === 0,
    `expected no rule to be left after the client's RST, ${left.length} are`,
    ...left.map((entry) => lineOf(run.control, entry, 'a rule that nobody removed')),
  );
}

export const RST_CASES = atEveryStage({
  name: 'rst',
  does: 'The client sends RST',
  word: 'reset',
  clauses: (stage) => (OUTSIDE.has(stage.name) ? ['RET-6'] : ['RET-5', 'RET-6']),
  story: (stage) => [
    reset,
    wait(stage.options.controlFaults ? ALL_COME_MS : GONE_MS),
    resumeAcks,
    connect(),
    sendText(header('GET', AGAIN)),
    readResponse,
  ],
  paths: (stage: Stage) => (stage.responded ? [stage.path, AGAIN] : [AGAIN]),
  afterwards: isRid,
});
