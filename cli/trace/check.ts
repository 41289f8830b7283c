/** `prism trace check`: event traces and captures are run through the specification by TLC; where one leaves it is told. */
import { join } from 'node:path';
import type { Command } from 'commander';
import { TraceDocument, type TraceResult } from '../../conformance/lift/trace-result.js';
import { checkTraces, type TraceVerdict } from '../../model/trace/check.js';
import { observedSteps } from '../../model/trace/program.js';
import { departureWords } from '../../model/trace/words.js';
import { Failure } from '../failure.js';
import { withInterrupt } from '../interrupt.js';
import { commandLine } from '../judgement.js';
import { addOutputOptions, Output, type OutputOptions, prepareOut, writeOutput } from '../output.js';
import { noVerdict } from '../spec/results.js';
import { openSpecification, openToolbox, parsePositive } from '../spec/tools.js';
import { VERSION } from '../version.js';
import { type OpenedTrace, openTraces } from './input.js';

interface TraceCheckOptions extends OutputOptions {
  readonly topology?: string;
  readonly spec?: string;
  readonly heap: number;
  readonly timeLimit: number;
}

async function check(files: readonly string[], options: TraceCheckOptions): Promise<number> {
  const startedAt = new Date();
  const output = new Output(options, (word) => /\.(p?cap(ng)?|ndjson)(@|$)/.test(word));
  const specification = openSpecification(options.spec);
  if (specification.modules['Trace.tla'] === undefined)
    throw new Failure(
      2,
      `${specification.folder}: there is no Trace.tla; a specification that traces are held against has it`,
    );
  const { traces, leftOut } = openTraces(files, options.topology);
  const folder = options.out === undefined ? undefined : prepareOut(options.out);
  return withInterrupt(async (signal) => {
    output.progress('looking for Java and TLC');
    const finding = await openToolbox(signal);
    if (finding.kind !== 'found') throw new Failure(finding.kind === 'not-tlc' ? 2 : 4, finding.message);
    const { toolbox } = finding;
    const checked = await checkTraces(
      toolbox,
      specification,
      traces.map(({ program }) => program),
      {
        heapMegabytes: options.heap,
        timeoutMs: options.timeLimit * 1000,
        signal,
        onProgress: (done, total) => output.progress(`TLC ${toolbox.tlcVersion}: ${done} of ${total} traces`),
        ...(folder === undefined ? {} : { keepFolder: join(folder, 'tlc') }),
      },
    );
    output.endProgress();
    if (!checked.ok) {
      if (checked.outcome.kind === 'interrupted') throw signal.reason;
      const context = { folder: specification.folder, heapMegabytes: options.heap };
      const reason = noVerdict(checked.outcome, context);
      throw new Failure(reason?.code ?? 4, `traces: ${reason?.message ?? `TLC ended with ${checked.outcome.kind}`}`);
    }
    const results = traces.map((trace, index) => resultOf(trace, checked.verdicts[index]));
    const document: TraceDocument = TraceDocument.parse({
      schema: 'prism-trace/1',
      tool: 'prism-conformance',
      version: VERSION,
      command: commandLine(),
      startedAt: startedAt.toISOString(),
      durationMs: Date.now() - startedAt.getTime(),
      tlc: toolbox.tlcVersion,
      summary: {
        accepted: results.filter(({ verdict }) => verdict === 'accepted').length,
        rejected: results.filter(({ verdict }) => verdict === 'rejected').length,
      },
      traces: results,
      leftOut: [...leftOut],
    } satisfies TraceDocument);
    tell(output, document, checked.states);
    if (folder !== undefined) writeOutput(join(folder, 'result.json'), `${JSON.stringify(document, null, 2)}\n`);
    output.document(document);
    return document.summary.rejected > 0 ? 1 : 0;
  });
}

function resultOf({ files, kind, program }: OpenedTrace, verdict: TraceVerdict | undefined): TraceResult {
  if (verdict === undefined) throw new Error(`${program.connection}: no verdict`);
  const facts = { files: [...files], kind, connection: program.connection, observed: observedSteps(program) };
  const notes = [...program.notes];
  if (verdict.kind === 'accepted')
    return { ...facts, verdict: 'accepted', matched: verdict.matched, departure: null, notes };
  const { state, allowed } = departureWords(program, verdict);
  const { number, words } = verdict.source;
  const departure = { number, observed: words, state: [...state], allowed: [...allowed] };
  return { ...facts, verdict: 'rejected', matched: verdict.matched, departure, notes };
}

function tell(output: Output, document: TraceDocument, states: number): void {
  for (const { files, kind, connection, verdict, matched, observed, departure } of document.traces) {
    const things = kind === 'events' ? 'events' : 'frames';
    const name = `${files.join(', ')}: ${connection}`;
    if (verdict === 'accepted' || departure === null) {
      output.line(`${output.paint('pass', 'accepted')} ${name}: ${matched} ${things}`);
      continue;
    }
    const place = `${kind === 'events' ? 'line' : 'frame'} ${departure.number}`;
    output.problem(
      `${output.paint('fail', 'REJECTED')} ${name}: leaves the specification at ${place} (${matched} of ${observed} ${things} match)`,
    );
    output.problem(`  ${departure.observed}`);
    output.problem('  the last matching state:');
    for (const line of departure.state) output.problem(`    ${line}`);
    output.problem('  allowed there:');
    for (const line of departure.allowed.length > 0 ? departure.allowed : ['nothing that a role or the switch does'])
      output.problem(`    ${line}`);
  }
  for (const line of document.leftOut) output.line(`left out: ${line}`);
  const { accepted, rejected } = document.summary;
  output.line(
    `${accepted} accepted, ${rejected} rejected by TLC ${document.tlc} in ${(document.durationMs / 1000).toFixed(1)} s (${states.toLocaleString('en-US')} states)`,
  );
}

export function registerTraceCheck(trace: Command): void {
  const command = trace
    .command('check')
    .summary('are event traces and captures behaviours of the specification?')
    .description(
      'Holds traces against the TLA+ specification: TLC runs its actions along what was observed, connection by connection. A FILE is an event\n' +
        'trace (NDJSON, as every world writes it), or a capture with every vantage (pcapng, or plain pcaps as FILE@vantage), which is lifted to a\n' +
        'trace alone, without control log or events. Where a trace leaves the specification is told: the event or frame, the last matching state,\n' +
        'and what would have been allowed there. Of a capture, the order of its frames counts.',
    )
    .argument('<FILE...>', 'event traces and captures; which is which is told by their content')
    .option(
      '--topology <FILE>',
      'who is who in captures (default: topology.json beside the capture, else that of the shipped worlds)',
    )
    .option('--spec <DIR>', 'the specification in this folder instead of the shipped one')
    .option('--heap <MIB>', "limit of the JVM's heap", parsePositive, 2048)
    .option('--time-limit <SECONDS>', 'for each run of TLC', parsePositive, 900);
  addOutputOptions(command, {
    out: 'also write result.json, and the modules and what TLC printed, into this folder',
    seed: 'accepted as everywhere; nothing here is random',
  }).addHelpText(
    'after',
    `
Exit codes: 0 every trace is accepted; 1 one is rejected; 2 a file cannot be used; 4 Java or TLC is not there.

Examples:
  prism trace check prism-report/sim/*/trace.ndjson       the roles' own events
  prism trace check run.pcapng --topology topology.json   a capture alone`,
  );
  command.action(async (files: string[], options: TraceCheckOptions) => {
    process.exitCode = await check(files, options);
  });
}
