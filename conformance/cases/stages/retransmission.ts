/** A late duplicate of the client's data at every stage: no RST, nothing acknowledged beyond, nothing delivered or executed twice. */
import type { CaseEvidence } from '../evidence.js';
import { logged } from '../evidence.js';
import { expectNothing, retransmit } from '../segment-words.js';
import { atEveryStage } from './at-every-stage.js';
import { answerTo, finishRequest, nextRequest, withNext } from './rest.js';
import type { Stage } from './stages.js';

/** Of a request that would be executed a second time, the response would come by then. */
const SECOND_TIME_MS = 50;

function clausesOf(stage: Stage): readonly [string, ...string[]] {
  if (stage.answered === 'never') return ['HOF-5', 'REQ-2'];
  if (stage.vantage === 'backend0') return ['BKD-3', 'REQ-2'];
  return stage.responded ? ['RET-7', 'REQ-2'] : ['REQ-2'];
}

function executedOnce(run: CaseEvidence): void {
  const handed = new Set(
    logged(run.control, 'handoff', 'sent', 'controller').map(({ message }) =>
      message.verb === 'handoff' ? message.handoff : 0,
    ),
  );
  run.expect(
    handed.size <= 2,
    `expected two requests to be handed off once each, the controller handed off ${handed.size}`,
  );
}

export const RETRANSMISSION_CASES = atEveryStage({
  name: 'retransmission',
  does: 'The client repeats what it has sent',
  word: 'retransmit',
  clauses: clausesOf,
  story: (stage) => [
    retransmit,
    answerTo(stage),
    ...(stage.responded ? [expectNothing(SECOND_TIME_MS, { payload: true })] : []),
    ...finishRequest(stage),
    ...nextRequest(),
  ],
  paths: withNext,
  afterwards: executedOnce,
});
