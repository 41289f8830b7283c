/** The files of `prism trace check`: event traces and captures, told apart by their content, to programs for the specification. */
import { closeSync, existsSync, openSync, readSync, statSync } from 'node:fs';
import { liftCaptures } from '../../conformance/lift/lift.js';
import { defaultTopology } from '../../harness/topology.js';
import { readEventLines } from '../../model/trace/event-lines.js';
import { eventPrograms } from '../../model/trace/event-programs.js';
import { observedSteps, type TraceProgram } from '../../model/trace/program.js';
import { type CaptureFile, openCapture, readTopology, runsOf, topologyBeside } from '../capture-files.js';
import { Failure, fileReason } from '../failure.js';

export interface OpenedTrace {
  readonly files: readonly string[];
  readonly kind: 'events' | 'capture';
  readonly program: TraceProgram;
}

export interface OpenedTraces {
  readonly traces: readonly OpenedTrace[];
  /** What was not looked at, and why. */
  readonly leftOut: readonly string[];
}

/** Magic numbers of pcapng and of classic pcap, both byte orders, both resolutions. */
const CAPTURE_MAGICS = new Set([0x0a0d0d0a, 0xa1b2c3d4, 0xd4c3b2a1, 0xa1b23c4d, 0x4d3cb2a1]);
const PIECE_BYTES = 1 << 16;

/** Throws a Failure for input that cannot be used: the file, the line or byte, and why. */
export function openTraces(arguments_: readonly string[], topology: string | undefined): OpenedTraces {
  const traces: OpenedTrace[] = [];
  const leftOut: string[] = [];
  const captures: CaptureFile[] = [];
  for (const argument of arguments_) {
    if (isCapture(argument)) captures.push(openCapture(argument));
    else openEvents(argument, traces, leftOut);
  }
  for (const run of runsOf(captures)) openRun(run, topology, traces, leftOut);
  if (traces.length === 0)
    throw new Failure(
      2,
      `${arguments_.join(', ')}: no connection whose beginning is there${leftOut.length > 0 ? ` (${leftOut[0]})` : ''}`,
    );
  return { traces, leftOut };
}

function isCapture(argument: string): boolean {
  const at = argument.lastIndexOf('@');
  const path = at > 0 && !existsSync(argument) ? argument.slice(0, at) : argument;
  const [head] = pieces(path, 4);
  return (
    path !== argument ||
    (head !== undefined && head.length === 4 && CAPTURE_MAGICS.has(Buffer.from(head).readUInt32BE(0)))
  );
}

/** A file piece by piece, so that a long line is noticed before it is held. */
function* pieces(path: string, size: number): Generator<Uint8Array> {
  let file: number;
  try {
    if (statSync(path).isCharacterDevice()) throw new Failure(2, `${path}: a device, not a file`);
    file = openSync(path, 'r');
  } catch (error) {
    throw error instanceof Failure ? error : new Failure(2, `${path}: ${fileReason(error)}`);
  }
  try {
    for (;;) {
      const piece = new Uint8Array(size);
      let length: number;
      try {
        length = readSync(file, piece);
      } catch (error) {
        throw new Failure(2, `${path}: ${fileReason(error)}`);
      }
      if (length === 0) return;
      yield piece.subarray(0, length);
    }
  } finally {
    closeSync(file);
  }
}

function openEvents(path: string, traces: OpenedTrace[], leftOut: string[]): void {
  const read = readEventLines(pieces(path, PIECE_BYTES));
  if (!read.ok) throw new Failure(2, `${path}: ${read.error}`);
  const { programs, aside } = eventPrograms(read.events);
  if (aside > 0) leftOut.push(`${path}: ${aside} events that are about no connection, or change nothing`);
  for (const program of programs) traces.push({ files: [path], kind: 'events', program });
}

function openRun(
  run: readonly CaptureFile[],
  topologyPath: string | undefined,
  traces: OpenedTrace[],
  leftOut: string[],
): void {
  const files = run.map(({ name }) => name);
  const path = topologyPath ?? topologyBeside(run);
  const topology = path === undefined ? defaultTopology() : readTopology(path);
  const captures = run.map(({ name, bytes, vantage }) => ({
    name,
    bytes,
    ...(vantage === undefined ? {} : { vantage }),
  }));
  const lifted = liftCaptures(captures, topology);
  if (!lifted.ok) throw new Failure(2, lifted.error);
  leftOut.push(...lifted.notes.map((note) => `${files.join(', ')}: ${note}`));
  for (const program of lifted.programs) {
    if (observedSteps(program) > 0) traces.push({ files, kind: 'capture', program });
    leftOut.push(...program.notes.map((note) => `${files.join(', ')}: ${program.connection}: ${note}`));
  }
}
