/** What a simulated world leaves behind for the tests of traces, and how they have it judged. */
import { readFileSync } from 'node:fs';
import t from 'tap';
import { createSimWorld } from '../../../harness/sim/world.js';
import { defaultPolicy } from '../../../harness/topology.js';
import type { ClientJob, Evidence, Fault } from '../../../harness/world.js';
import { findToolbox, type Toolbox } from '../../../model/spec/toolbox.js';
import { checkTraces, type TraceVerdict } from '../../../model/trace/check.js';
import { readEventLines } from '../../../model/trace/event-lines.js';
import { eventPrograms } from '../../../model/trace/event-programs.js';
import type { TraceProgram } from '../../../model/trace/program.js';
import { readSpecification, shippedSpecification } from '../../../spec/formal.js';

/** A read, a write and a read of the write's backend, on one connection. */
export const READ_WRITE_READ: ClientJob = {
  kind: 'http',
  program: 'python',
  requests: [
    { method: 'GET', path: '/a/1k' },
    { method: 'PUT', path: '/b/w', body: { size: 3000, seed: 1 } },
    { method: 'GET', path: '/b/1k' },
  ],
};

export async function simEvidence(folder: string, job: ClientJob, faults: readonly Fault[] = []): Promise<Evidence> {
  const world = await createSimWorld(folder, { seed: 1, without: [], policy: defaultPolicy, faults });
  await world.runClients([job]);
  await world.settle(60_000);
  return world.finish();
}

/** Skips the test file with the reason where TLC cannot be run; under CI=true that is a failure. */
export async function toolboxOrSkip(): Promise<Toolbox | undefined> {
  const finding = await findToolbox();
  if (finding.kind === 'found') return finding.toolbox;
  if (process.env.CI === 'true') t.fail(`TLC is needed under CI: ${finding.message}`);
  else t.plan(0, `skipped: ${finding.message}`);
  return undefined;
}

/** All in one JVM. */
export async function verdictsOf(
  toolbox: Toolbox,
  programs: readonly TraceProgram[],
): Promise<readonly TraceVerdict[]> {
  const specification = readSpecification(shippedSpecification());
  const checked = await checkTraces(toolbox, specification, programs, { heapMegabytes: 2048, timeoutMs: 280_000 });
  if (!checked.ok) throw new Error(`TLC: ${checked.outcome.kind}`);
  return checked.verdicts;
}

/** An event as it stands in a trace. */
export type EventLine = Readonly<Record<string, unknown>> & {
  readonly t: string;
  readonly role: string;
  readonly action: string;
};

export function eventLinesOf(path: string): EventLine[] {
  return readFileSync(path, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
}

/** The one connection's program. */
export function programOfLines(lines: readonly EventLine[]): TraceProgram {
  const read = readEventLines([Buffer.from(lines.map((line) => `${JSON.stringify(line)}\n`).join(''))]);
  if (!read.ok) throw new Error(read.error);
  const [program, another] = eventPrograms(read.events).programs;
  if (program === undefined || another !== undefined) throw new Error('not one connection');
  return program;
}
