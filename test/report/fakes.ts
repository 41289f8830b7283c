/** Worlds and cases that do only what a test of the runner wants. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ConformanceCase } from '../../conformance/cases/case.js';
import type { Finding } from '../../conformance/checks/check.js';
import type { ClauseFinding, JudgeEvidence } from '../../conformance/judge.js';
import type { RunPlan } from '../../conformance/run.js';
import { defaultTopology } from '../../harness/topology.js';
import type { World, WorldFactory, WorldKind } from '../../harness/world.js';

export interface FakeLog {
  created: number;
  destroyed: number;
  finished: number;
}

/** A world whose clients do nothing; `overrides` replace single methods. */
export function fakeWorld(log: FakeLog, overrides: Partial<World> & { captureDrops?: number } = {}): WorldFactory {
  return async (folder, options) => {
    log.created++;
    const capture = join(folder, 'capture.pcapng');
    const controlLog = join(folder, 'capture.control.ndjson');
    const topology = defaultTopology(options.policy);
    return {
      kind: 'sim',
      topology,
      runClients: async () => [],
      settle: async () => undefined,
      finish: async () => {
        log.finished++;
        writeFileSync(capture, 'frames');
        writeFileSync(controlLog, '');
        return {
          topology,
          capture,
          controlLog,
          trace: join(folder, 'trace.ndjson'),
          captureDrops: overrides.captureDrops ?? 0,
        };
      },
      destroy: async () => {
        log.destroyed++;
      },
      ...overrides,
    };
  };
}

export function fakeCase(
  id: string,
  clauses: readonly string[],
  run: ConformanceCase['run'] = async () => undefined,
  more: Pick<ConformanceCase, 'afterwards'> = {},
): ConformanceCase {
  return { id, clauses, summary: `The story of ${id}.`, worlds: ['sim', 'linux'], run, ...more };
}

export function finding(
  clause: string,
  verdict: Finding['verdict'],
  exercised = verdict === 'inconclusive' ? 0 : 3,
): ClauseFinding {
  const evidence = verdict === 'fail' ? [{ capture: 'c.pcapng', frame: 7, note: 'seen' }] : [];
  return { clause, finding: { verdict, exercised, message: `${clause} is ${verdict}`, evidence } };
}

export const judgeWith =
  (...findings: ClauseFinding[]): JudgeEvidence =>
  () => ({ ok: true, findings });

export function fakePlan(out: string, plan: Partial<RunPlan> & { create: WorldFactory; kind?: WorldKind }): RunPlan {
  const { create, kind = 'sim', ...rest } = plan;
  return {
    cases: [],
    worlds: [{ kind, create }],
    judge: judgeWith(),
    seed: 7,
    without: [],
    out,
    isInstalled: () => true,
    ...rest,
  };
}
