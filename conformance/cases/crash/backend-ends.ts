/**
 * A backend crashes or falls silent at one point or another of a hand-off (ERR-2): its client is reset within the bound, its rule removed,
 * and a neighbour at the other backend notices nothing.
 */
import type { ControlFault, JobResult, RoleFault, ScriptStep } from '../../../harness/world.js';
import type { CaseContext, ConformanceCase } from '../case.js';
import { type CaseEvidence, lineOf, logged } from '../evidence.js';
import {
  expectObjects,
  expectReset,
  gets,
  header,
  pause,
  response,
  runAll,
  runOne,
  script,
  send,
  sendBody,
  waitClose,
  writeHeader,
} from '../vocabulary.js';

/** Short, so that silence is noticed while a client waits. A target may state another. */
const BOUND_MS = 1500;
/** Beyond the bound: the repeated RST, and a machine that is busy with other things. */
const SLACK_MS = 8000;

const VICTIM = 'backend0';

interface Moment {
  readonly at: string;
  /** In words, behind "A backend crashes". */
  readonly when: string;
  readonly on: RoleFault['on'];
  readonly afterMs?: number;
  readonly steps: readonly ScriptStep[];
  /** Whole responses before the end. */
  readonly responses?: number;
  readonly serviceDelayMs?: number;
  readonly controlFaults?: readonly ControlFault[];
}

const BODY = { size: 512 * 1024, seed: 61 };

const MOMENTS: readonly Moment[] = [
  {
    at: 'before-take-over',
    when: 'before it hears of the hand-off',
    on: { control: { verb: 'handoff', to: VICTIM } },
    // Otherwise it might still be quick enough to take over.
    controlFaults: [{ kind: 'drop', match: { verb: 'handoff', to: VICTIM } }],
    steps: [send(header('GET', '/a/8k')), response()],
  },
  {
    at: 'before-the-first-byte',
    when: 'when it has taken over and sent nothing yet',
    on: { control: { answers: 'handoff', from: VICTIM } },
    serviceDelayMs: 1000,
    steps: [send(header('GET', '/a/8k')), response()],
  },
  {
    at: 'within-the-response',
    when: 'in the middle of its response',
    on: { frame: { from: VICTIM, to: 'client', payload: true }, nth: 20 },
    steps: [send(header('GET', '/a/8m')), response()],
  },
  {
    at: 'within-the-payload',
    when: 'in the middle of the payload of a write',
    on: { frame: { from: 'client', to: VICTIM, payload: true }, nth: 20 },
    steps: [send(writeHeader(BODY)), pause(40), sendBody(BODY), response('PUT')],
  },
  {
    at: 'before-its-report',
    when: 'when its response is acknowledged and not yet reported',
    on: { control: { verb: 'complete', from: VICTIM } },
    controlFaults: [{ kind: 'drop', match: { verb: 'complete', from: VICTIM } }],
    steps: [send(header('GET', '/a/8k')), response(), waitClose],
    responses: 1,
  },
];

const NEIGHBOURS = ['/b/1k', '/b/8k', '/b/64k'];

/** The neighbour is at the other backend all the time. */
const neighbour = script(...NEIGHBOURS.flatMap((path) => [...gets(path), pause(150)]));

function ruleRemoved({ control, topology, expect }: CaseEvidence): void {
  const bound = BigInt(Math.round((topology.bounds?.handoffMs ?? 60_000) + SLACK_MS)) * 1_000_000n;
  const adds = logged(control, 'add', 'received', 'switch');
  for (const entry of adds) {
    const { t, message } = entry;
    if (message.verb !== 'add' || message.rule.backend.name !== VICTIM) continue;
    const { port } = message.rule.conn.client;
    const removed = logged(control, 'remove', 'received', 'switch').find(
      (one) => one.message.verb === 'remove' && one.message.conn.client.port === port && BigInt(one.t) > BigInt(t),
    );
    const inTime = removed !== undefined && BigInt(removed.t) - BigInt(t) <= bound;
    expect(
      inTime,
      `expected the rule of port ${port} to be removed within the bound, ${removed ? 'it took longer' : 'it was not'}`,
      lineOf(control, entry, 'the rule'),
    );
  }
}

async function expectEnd(context: CaseContext, moment: Moment): Promise<JobResult | undefined> {
  const timeoutMs = (context.world.topology.bounds?.handoffMs ?? 60_000) + SLACK_MS;
  const [victim, other] = await runAll(context, [{ kind: 'script', steps: moment.steps, timeoutMs }, neighbour]);
  if (victim) expectReset(context, victim, moment.responses ?? 0);
  if (other) expectObjects(context, other, NEIGHBOURS);
  return victim;
}

function ends(kind: RoleFault['kind'], moment: Moment): ConformanceCase {
  const verb = kind === 'crash' ? 'crashes' : 'falls silent';
  const { on, afterMs, serviceDelayMs, controlFaults } = moment;
  return {
    id: `ERR-2.backend-${kind === 'crash' ? 'crashes' : 'falls-silent'}-${moment.at}`,
    clauses: ['ERR-2', 'RET-6'],
    summary: `A backend ${verb} ${moment.when}: its client is reset, its rule removed, and a neighbour served.`,
    worlds: ['sim', 'linux'],
    needs: ['crash'],
    options: {
      bounds: { handoffMs: BOUND_MS },
      roleFaults: [{ kind, role: VICTIM, on, ...(afterMs === undefined ? {} : { afterMs }) }],
      ...(serviceDelayMs === undefined ? {} : { serviceDelayMs }),
      ...(controlFaults === undefined ? {} : { controlFaults }),
    },
    async run(context) {
      await expectEnd(context, moment);
      // The other backend goes on.
      expectObjects(context, await runOne(context, script(...gets('/b/1'))), ['/b/1']);
    },
    afterwards: ruleRemoved,
  };
}

export const backendEnds: readonly ConformanceCase[] = (['crash', 'silence'] as const).flatMap((kind) =>
  MOMENTS.map((moment) => ends(kind, moment)),
);

export const crashAfterReport: ConformanceCase = {
  id: 'ERR-2.backend-crashes-after-its-report',
  clauses: ['ERR-2', 'RET-1'],
  summary:
    'A backend crashes when it has reported completion: the connection lives on, and only its own requests fail.',
  worlds: ['sim', 'linux'],
  needs: ['crash'],
  options: {
    bounds: { handoffMs: BOUND_MS },
    // Late enough for the report to be heard, early enough for nothing else to begin.
    roleFaults: [{ kind: 'crash', role: VICTIM, on: { control: { answers: 'complete', to: VICTIM } }, afterMs: 50 }],
  },
  async run(context) {
    const steps = [...gets('/a/8k'), pause(300), ...gets('/b/8k'), send(header('GET', '/a/8k')), response()];
    const result = await runOne(context, script(...steps));
    context.expectBody(result.responses[0], 200, '/a/8k');
    context.expectBody(result.responses[1], 200, '/b/8k');
    const third = result.responses[2];
    const failed = third === undefined ? result.closedBy === 'server-rst' : third.status >= 500;
    context.expect(
      failed,
      `expected a request for a crashed backend to be answered 500 or above or reset, got ${third?.status ?? result.closedBy}`,
    );
  },
};

export const crashWithPipelinedRequest: ConformanceCase = {
  id: 'ERR-2.backend-crashes-with-a-request-behind',
  clauses: ['ERR-2', 'RET-6'],
  summary:
    'A backend crashes while the client has another request in flight: the reset reaches the client all the same.',
  worlds: ['sim', 'linux'],
  needs: ['crash'],
  options: {
    bounds: { handoffMs: BOUND_MS },
    serviceDelayMs: 700,
    roleFaults: [{ kind: 'crash', role: VICTIM, on: { control: { answers: 'handoff', from: VICTIM } }, afterMs: 300 }],
  },
  async run(context) {
    const result = await runOne(
      context,
      script(send(header('GET', '/a/8k') + header('GET', '/b/8k')), response(), response()),
    );
    expectReset(context, result);
  },
  afterwards: ruleRemoved,
};
