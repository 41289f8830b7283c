/** Captures of the simulated world, lifted alone, are behaviours of the specification; changed ones are not, and the frame is told. */
import { readFileSync } from 'node:fs';
import t from 'tap';
import { liftCaptures } from '../../conformance/lift/lift.js';
import { type CaptureFrame, encodePcapng, readCapture } from '../../harness/capture/pcapng.js';
import { defaultTopology } from '../../harness/topology.js';
import type { ClientJob, Fault } from '../../harness/world.js';
import type { TraceProgram } from '../../model/trace/program.js';
import { pseudoHeaderSum, sum16 } from '../../reference-impl/wire/checksum.js';
import { parseFrame } from '../../reference-impl/wire/frame.js';
import { READ_WRITE_READ, simEvidence, toolboxOrSkip, verdictsOf } from '../model/trace/observed.js';

const VANTAGES = ['client', 'controller', 'backend0', 'backend1'];

function framesOf(path: string): CaptureFrame[] {
  const capture = readCapture(readFileSync(path));
  if (!capture.ok) throw new Error(capture.error.detail);
  return capture.frames.map(({ interfaceIndex, timestampNs, bytes, originalLength }) => ({
    interfaceName: capture.interfaces[interfaceIndex]?.name ?? '',
    timestampNs,
    bytes,
    originalLength,
  }));
}

function lift(frames: readonly CaptureFrame[]): TraceProgram[] {
  const lifted = liftCaptures([{ name: 'a.pcapng', bytes: encodePcapng(VANTAGES, frames) }], defaultTopology());
  if (!lifted.ok) throw new Error(lifted.error);
  return [...lifted.programs];
}

/** The frame with its TCP header changed, and the checksum right again. */
function patched(frame: CaptureFrame, patch: (header: DataView) => void): CaptureFrame {
  const bytes = Uint8Array.from(frame.bytes);
  const parsed = parseFrame(bytes);
  if (!parsed.ok || parsed.value.tcp === undefined || parsed.value.ipv4 === undefined) throw new Error('no segment');
  const { ipv4, tcp } = parsed.value;
  const header = new DataView(bytes.buffer, tcp.offset, tcp.length);
  patch(header);
  header.setUint16(16, 0);
  const pseudo = pseudoHeaderSum(ipv4.src, ipv4.dst, 6, tcp.length);
  header.setUint16(16, 0xffff - sum16(bytes, tcp.offset, tcp.offset + tcp.length, pseudo));
  return { ...frame, bytes };
}

const SEQ = 4;
const ACK = 8;
const FLAGS = 13;
const WINDOW = 14;

interface Mutation {
  readonly way: string;
  readonly frames: readonly CaptureFrame[];
  /** The first frame that is not as it was. */
  readonly from: number;
}

class Mutations {
  readonly all: Mutation[] = [];
  readonly #frames: readonly CaptureFrame[];
  readonly #words: ReadonlyMap<number, string>;

  constructor(frames: readonly CaptureFrame[], [program]: readonly TraceProgram[]) {
    this.#frames = frames;
    this.#words = new Map(program?.steps.flatMap(({ source }) => (source ? [[source.number, source.words]] : [])));
  }

  /** Index of the nth frame with these words, from 0. */
  find(words: RegExp, nth = 0): number {
    const [number] = [...this.#words].filter(([, text]) => words.test(text))[nth] ?? [];
    if (number === undefined) throw new Error(`no frame ${nth} ${words}`);
    return number - 1;
  }

  /** A packet as it was sent and as it arrived. */
  both(words: RegExp, nth = 0): number[] {
    const sent = this.find(words, nth);
    const tail = (index: number): string => (this.#words.get(index + 1) ?? '').replace(/^.*?: |, window 0$/g, '');
    const arrived = this.#frames.findIndex((_, index) => index > sent && tail(index) === tail(sent));
    return [sent, arrived];
  }

  add(way: string, frames: readonly CaptureFrame[], from: number): void {
    this.all.push({ way, frames, from: from + 1 });
  }

  /** `stamps`: whether the time stamps go along. */
  swap(way: string, a: number, b: number, stamps = false): void {
    const [first, second] = [this.#frames[a], this.#frames[b]];
    if (first === undefined || second === undefined) throw new Error(way);
    const put = (frame: CaptureFrame, { timestampNs }: CaptureFrame): CaptureFrame =>
      stamps ? frame : { ...frame, timestampNs };
    this.add(way, this.#frames.with(a, put(second, first)).with(b, put(first, second)), Math.min(a, b));
  }

  drop(way: string, indices: readonly number[]): void {
    this.add(
      way,
      this.#frames.filter((_, index) => !indices.includes(index)),
      Math.min(...indices),
    );
  }

  patch(way: string, indices: readonly number[], patch: (header: DataView) => void): void {
    this.change(way, indices, (frame) => patched(frame, patch));
  }

  change(way: string, indices: readonly number[], change: (frame: CaptureFrame) => CaptureFrame): void {
    const frames = this.#frames.map((frame, index) => (indices.includes(index) ? change(frame) : frame));
    this.add(way, frames, Math.min(...indices));
  }

  /** A copy of a frame in another place, with the stamp of the frame that was there. */
  again(way: string, index: number, place: number, vantage?: string): void {
    const frame = this.#frames[index];
    const there = this.#frames[place];
    if (frame === undefined || there === undefined) throw new Error(way);
    const copy = { ...frame, timestampNs: there.timestampNs, interfaceName: vantage ?? frame.interfaceName };
    this.add(way, this.#frames.toSpliced(place, 0, copy), place);
  }
}

const add = (offset: number, by: number) => (header: DataView) =>
  header.setUint32(offset, (header.getUint32(offset) + by) >>> 0);

function mutationsOf(frames: readonly CaptureFrame[]): Mutation[] {
  const m = new Mutations(frames, lift(frames));
  const headerAck = m.both(/^controller sends: at server byte 0, .*window 0/);
  const reopening = m.both(/^controller sends: at server byte 1105, acknowledges client byte \d+$/);
  const first = m.both(/^backend0 sends: server bytes 0 to/);
  const lastAck = m.both(/^client sends: at client byte \d+, acknowledges server byte 1105$/);
  const request = m.both(/^client sends: client bytes 0 to/);
  const second = m.find(/^client sends: client bytes/, 1);
  const payloadAtBackend = m.find(/^arrives at backend1: client bytes/);
  const payloadAck = m.both(/^backend1 sends: at server byte 1105/);
  const synAck = m.both(/^controller sends: \[SYN\]/);
  const fin = m.both(/^controller sends: \[FIN\]/);
  const [at, far] = [0, 1] as const;
  const of = (pair: readonly number[], end: 0 | 1): number => pair[end] ?? -1;

  m.swap("header ACK and first response segment at the client's vantage", of(headerAck, far), of(first, far));
  m.swap('the same with their time stamps', of(headerAck, far), of(first, far), true);
  m.swap('header ACK and first response segment as they were sent', of(headerAck, at), of(first, at));
  m.swap('last ACK and reopening ACK at the client', of(lastAck, at), of(reopening, far));
  m.swap('last ACK at the backend and reopening ACK at the controller', of(lastAck, far), of(reopening, at));
  m.swap('last response segment and reopening ACK at the client', of(first, far), of(reopening, far));
  m.swap('request at the controller and its ACK', of(request, far), of(headerAck, at));
  m.swap('request and response', of(request, far), of(first, at));
  m.swap('reopening ACK and next request at the client', of(reopening, far), second);
  m.swap('SYN-ACK before its SYN', m.find(/^arrives at controller: \[SYN\]/), of(synAck, at));
  m.swap('first and second request', of(request, at), second);
  m.swap('payload at the backend and its ACK', payloadAtBackend, of(payloadAck, at));
  m.swap('FIN before the last response', m.find(/^backend1 sends: server bytes/, 1), of(fin, at));

  m.drop('header ACK never sent', headerAck);
  m.drop('reopening ACK never sent', reopening);
  m.drop('header ACK arrives and was never sent', [of(headerAck, at)]);
  m.drop('request never arrives', [of(request, far)]);
  m.drop('last ACK never arrives', [of(lastAck, far)]);
  m.drop('response never sent', first);
  m.drop('response never arrives', [of(first, far)]);
  m.drop('FIN never sent', fin);
  m.drop('payload never arrives', [payloadAtBackend]);

  m.patch('header ACK ahead by one', headerAck, add(ACK, 1));
  m.patch('header ACK back by one', headerAck, add(ACK, -1));
  m.patch('header ACK moved on its way', [of(headerAck, far)], add(ACK, 1));
  m.patch('header ACK leaves the window open', headerAck, (header) => header.setUint16(WINDOW, 512));
  m.patch('reopening ACK leaves the window closed', reopening, (header) => header.setUint16(WINDOW, 0));
  m.patch('reopening ACK ahead by one', reopening, add(ACK, 1));
  m.patch('reopening number moved by one', reopening, add(SEQ, 1));
  m.patch('response with an open window', [of(first, far)], (header) => header.setUint16(WINDOW, 512));
  m.patch('response acknowledges one more', first, add(ACK, 1));
  m.patch('response begins one late', first, add(SEQ, 1));
  m.patch('response with FIN', first, (header) => header.setUint8(FLAGS, header.getUint8(FLAGS) | 1));
  m.patch('response is a RST', first, (header) => header.setUint8(FLAGS, header.getUint8(FLAGS) | 4));
  m.patch('payload ACK ahead by one', payloadAck, add(ACK, 1));
  m.patch('controller closes in the middle', reopening, (header) => header.setUint8(FLAGS, header.getUint8(FLAGS) | 1));
  m.patch('time stamp runs backwards', reopening, (header) => header.setUint32(24, header.getUint32(24) - 100_000));

  m.change('response from another backend', [of(first, at)], (frame) => ({ ...frame, interfaceName: 'backend1' }));
  m.change('request reaches a backend', [of(request, far)], (frame) => ({ ...frame, interfaceName: 'backend0' }));
  m.change('last ACK reaches the controller', [of(lastAck, far)], (frame) => ({
    ...frame,
    interfaceName: 'controller',
  }));
  m.again('controller speaks while it is handed off', of(headerAck, at), of(first, at) + 1);
  m.again('backend speaks after giving up', of(first, at), second);
  m.again('another backend speaks too', of(first, at), of(first, at) + 1, 'backend1');
  return m.all;
}

t.test('a capture as it is, and changed in many ways', async (t) => {
  const toolbox = await toolboxOrSkip();
  if (toolbox === undefined) return;
  const frames = framesOf((await simEvidence(t.testdir({}), READ_WRITE_READ)).capture);
  const mutations = mutationsOf(frames);
  t.ok(mutations.length >= 20, `${mutations.length} ways`);
  t.equal(new Set(mutations.map(({ way }) => way)).size, mutations.length, 'every way has a name of its own');
  const programs = [frames, ...mutations.map((mutation) => mutation.frames)].map((changed) => {
    const [program, another] = lift(changed);
    if (program === undefined || another !== undefined) throw new Error('not one connection');
    return program;
  });
  const [accepted, ...rejected] = await verdictsOf(toolbox, programs);
  t.match(accepted, { kind: 'accepted' });
  t.ok(accepted?.kind === 'accepted' && accepted.matched > 50);
  for (const [index, { way, from }] of mutations.entries()) {
    const verdict = rejected[index];
    if (verdict?.kind !== 'rejected') {
      t.fail(`${way}: not rejected`);
      continue;
    }
    // Not before it is there, and before the connection goes on for long.
    const { number, words } = verdict.source;
    t.ok(number >= from && number <= from + 30, `${way}: frame ${number}, changed from ${from} (${words})`);
  }
});

t.test("losses, repetitions and reordering are the network's, not the roles'", async (t) => {
  const toolbox = await toolboxOrSkip();
  if (toolbox === undefined) return;
  const to = (vantage: string, more: object = {}): Fault['match'] => ({ to: vantage, ...more });
  const pipelined: ClientJob = {
    kind: 'script',
    steps: [
      {
        do: 'send',
        text: 'GET /a/1k HTTP/1.1\r\nHost: x\r\n\r\nGET /b/8k HTTP/1.1\r\nHost: x\r\n\r\nGET /a/8k HTTP/1.1\r\nHost: x\r\n\r\n',
      },
      { do: 'response' },
      { do: 'response' },
      { do: 'response' },
      { do: 'shutdown' },
      { do: 'wait-close' },
    ],
  };
  const worlds: readonly (readonly [string, ClientJob, readonly Fault[]])[] = [
    [
      'header ACK lost',
      READ_WRITE_READ,
      [{ kind: 'drop', match: to('client', { payload: false, zeroWindow: true }), nth: [1] }],
    ],
    ['response segment lost', READ_WRITE_READ, [{ kind: 'drop', match: to('client', { payload: true }), nth: [1] }]],
    ['payload segment lost', READ_WRITE_READ, [{ kind: 'drop', match: to('backend1', { payload: true }), nth: [1] }]],
    ['duplicates', READ_WRITE_READ, [{ kind: 'duplicate', match: to('client') }]],
    ['one percent', pipelined, [{ kind: 'lose', match: {}, rate: 0.05 }]],
    ['reordered', pipelined, [{ kind: 'reorder', match: to('client'), rate: 0.2, ms: 2 }]],
    ['pipelined', pipelined, []],
  ];
  const programs: TraceProgram[] = [];
  for (const [name, job, faults] of worlds) {
    const folder = t.testdir({});
    const [program] = lift(framesOf((await simEvidence(folder, job, faults)).capture));
    if (program === undefined) throw new Error(name);
    programs.push(program);
  }
  const verdicts = await verdictsOf(toolbox, programs);
  for (const [index, [name]] of worlds.entries()) t.match(verdicts[index], { kind: 'accepted' }, name);
});

t.test('captures that cannot be lifted', async (t) => {
  const two = encodePcapng(['client', 'controller'], []);
  t.same(liftCaptures([{ name: 'a', bytes: two }], defaultTopology()), {
    ok: false,
    error: 'a: nothing was captured at backend0, backend1; a trace needs every vantage',
  });
});
