/** A capture taken on Linux with curl, lifted alone, is a behaviour of the specification; with two frames exchanged across a hand-off it is none. */
import { readFileSync } from 'node:fs';
import t from 'tap';
import { liftCaptures } from '../../conformance/lift/lift.js';
import { type CaptureFrame, encodePcapng, readCapture } from '../../harness/capture/pcapng.js';
import { createLinuxWorld } from '../../harness/linux/world.js';
import { defaultPolicy, defaultTopology } from '../../harness/topology.js';
import { readEventLines } from '../../model/trace/event-lines.js';
import { eventPrograms } from '../../model/trace/event-programs.js';
import type { TraceProgram } from '../../model/trace/program.js';
import { toolboxOrSkip, verdictsOf } from '../model/trace/observed.js';
import { hasLinux } from './needs-linux.js';

const VANTAGES = ['client', 'controller', 'backend0', 'backend1'];

function lift(frames: readonly CaptureFrame[]): TraceProgram {
  const lifted = liftCaptures([{ name: 'a.pcapng', bytes: encodePcapng(VANTAGES, frames) }], defaultTopology());
  const program = lifted.ok ? lifted.programs[0] : undefined;
  if (program === undefined) throw new Error('nothing was lifted');
  return program;
}

t.test('curl alternates between backends', async (t) => {
  if (!(await hasLinux())) return;
  const toolbox = await toolboxOrSkip();
  if (toolbox === undefined) return;
  const folder = t.testdir({});
  const world = await createLinuxWorld(folder, { seed: 1, without: [], policy: defaultPolicy, faults: [] });
  const paths = ['/a/1k', '/b/1k', '/a/8k'];
  const [result] = await world.runClients([
    { kind: 'http', program: 'curl', requests: paths.map((path) => ({ method: 'GET', path })) },
  ]);
  t.match(result, { ok: true });
  await world.settle(5_000);
  const evidence = await world.finish();

  const capture = readCapture(readFileSync(evidence.capture));
  if (!capture.ok) throw new Error(capture.error.detail);
  const frames = capture.frames.map((frame) => ({
    ...frame,
    interfaceName: capture.interfaces[frame.interfaceIndex]?.name ?? '',
  }));
  const program = lift(frames);
  const find = (words: RegExp): number => {
    const found = program.steps.find(({ source }) => source !== undefined && words.test(source.words))?.source;
    if (found === undefined) throw new Error(`no frame ${words}`);
    return found.number - 1;
  };
  const swapped = (a: number, b: number): TraceProgram => {
    const [first, second] = [frames[a], frames[b]];
    if (first === undefined || second === undefined) throw new Error('no frame');
    return lift(
      frames
        .with(a, { ...second, timestampNs: first.timestampNs })
        .with(b, { ...first, timestampNs: second.timestampNs }),
    );
  };
  const ways: readonly (readonly [string, TraceProgram])[] = [
    [
      'as the client gets them',
      swapped(find(/^arrives at client: at server byte 0, .*window 0/), find(/^arrives at client: server bytes 0 /)),
    ],
    [
      'as they are sent',
      swapped(find(/^controller sends: at server byte 0, .*window 0/), find(/^backend0 sends: server bytes 0 /)),
    ],
    [
      'request and response',
      swapped(find(/^arrives at controller: client bytes 0 /), find(/^backend0 sends: server bytes 0 /)),
    ],
    [
      'reopening and next request',
      swapped(find(/^controller sends: at server byte [1-9]/), find(/^arrives at controller: client bytes [1-9]/)),
    ],
  ];
  const events = readEventLines([readFileSync(evidence.trace)]);
  if (!events.ok) throw new Error(events.error);
  const told = eventPrograms(events.events).programs;
  const verdicts = await verdictsOf(toolbox, [program, ...told, ...ways.map(([, way]) => way)]);
  t.match(verdicts[0], { kind: 'accepted' }, 'the capture');
  for (const [index] of told.entries()) t.match(verdicts[1 + index], { kind: 'accepted' }, "the roles' own events");
  for (const [index, [way]] of ways.entries()) t.match(verdicts[1 + told.length + index], { kind: 'rejected' }, way);
});
