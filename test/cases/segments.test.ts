/** The cases told in segments notice what they are for: each broken role is failed by the case that is about it, with the frame that shows it. */
import t from 'tap';
import type { ConformanceCase } from '../../conformance/cases/case.js';
import { HOSTILE_CASES } from '../../conformance/cases/hostile/index.js';
import { STAGE_CASES } from '../../conformance/cases/stages/index.js';
import { judgeEvidence } from '../../conformance/judge.js';
import { type CaseRun, runCases } from '../../conformance/run.js';
import { referenceRoles, type SimRole, type SimRoles, simWorldOf } from '../../harness/sim/world.js';
import type { RoleInput, RoleOutput } from '../../reference-impl/core/core.js';
import type { RemedyName } from '../../reference-impl/core/remedies.js';
import { parseIpv4Address } from '../../reference-impl/wire/addresses.js';
import { buildTcpFrame } from '../../reference-impl/wire/build.js';
import { checksum } from '../../reference-impl/wire/checksum.js';
import { type FrameView, parseFrame } from '../../reference-impl/wire/frame.js';
import { writeU16, writeU48 } from '../../reference-impl/wire/octets.js';

const SEGMENT_CASES = [...STAGE_CASES, ...HOSTILE_CASES];
const BACKEND = parseIpv4Address('198.18.10.2');

function caseOf(id: string): ConformanceCase {
  const found = SEGMENT_CASES.find((c) => c.id === id);
  if (found === undefined) throw new Error(`no case ${id}`);
  return found;
}

async function run(
  out: string,
  cases: readonly ConformanceCase[],
  roles: SimRoles,
  without: readonly RemedyName[] = [],
): Promise<readonly CaseRun[]> {
  return runCases({
    cases,
    worlds: [{ kind: 'sim', create: simWorldOf(roles) }],
    judge: judgeEvidence,
    seed: 1,
    without,
    out,
    isInstalled: () => true,
  });
}

type FrameInput = Extract<RoleInput, { kind: 'frame' }>;

/** A role whose frames are changed before it gets them (undefined: not at all), or whose outputs are changed. */
function altered(
  role: SimRole,
  change: {
    input?: (input: FrameInput, view: FrameView) => FrameInput | undefined;
    outputs?: (outputs: readonly RoleOutput[], input: FrameInput, view: FrameView) => readonly RoleOutput[];
  },
): SimRole {
  return {
    ...role,
    feed(input, now) {
      if (input.kind !== 'frame') return role.feed(input, now);
      const parsed = parseFrame(input.bytes);
      if (!parsed.ok) return role.feed(input, now);
      const given = change.input === undefined ? input : change.input(input, parsed.value);
      if (given === undefined) return [];
      const outputs = role.feed(given, now);
      return change.outputs === undefined ? outputs : change.outputs(outputs, input, parsed.value);
    },
  };
}

type Change = Parameters<typeof altered>[1];

const brokenSwitch = (change: Change): SimRoles => ({
  ...referenceRoles,
  fabric: (topology, options) => altered(referenceRoles.fabric(topology, options), change),
});
const brokenController = (change: Change): SimRoles => ({
  ...referenceRoles,
  controller: (topology, options) => altered(referenceRoles.controller(topology, options), change),
});
const brokenBackend = (change: Change): SimRoles => ({
  ...referenceRoles,
  backend: (topology, options, name) => altered(referenceRoles.backend(topology, options, name), change),
});

/** The frame with its IP header changed, the header's checksum right again. */
function patched(bytes: Uint8Array, change: (copy: Uint8Array) => void): Uint8Array {
  const copy = bytes.slice();
  change(copy);
  writeU16(copy, 24, 0);
  writeU16(copy, 24, checksum(copy, 14, 34));
  return copy;
}

const toBackend = (bytes: Uint8Array): RoleOutput => ({ kind: 'frame', port: 'backend0', bytes });
const fromClient = (input: FrameInput, view: FrameView): boolean => input.port === 'client' && view.ipv4 !== undefined;

/** Each: what is broken, the case, the clause. */
const BROKEN: readonly (readonly [string, SimRoles, string, string])[] = [
  [
    'a switch that takes a backend at any port',
    brokenSwitch({ input: (input, { ipv4 }) => (ipv4?.src === BACKEND ? { ...input, port: 'backend0' } : input) }),
    'SEC-1.forged-backend',
    'SEC-1',
  ],
  [
    'a switch that lets the first fragment follow a rule',
    brokenSwitch({
      outputs: (outputs, input, view) =>
        fromClient(input, view) && view.ipv4?.moreFragments ? [toBackend(input.bytes)] : outputs,
    }),
    'SWT-10.tiny-first-fragment-during-a-rule',
    'SWT-10',
  ],
  [
    'a switch that takes UDP for TCP',
    brokenSwitch({
      outputs: (outputs, input, view) => (fromClient(input, view) && view.udp ? [toBackend(input.bytes)] : outputs),
    }),
    'SWT-10.udp-during-a-rule',
    'SWT-10',
  ],
  [
    'a switch that forwards what was cut off',
    brokenSwitch({
      outputs: (outputs, input, view) => (view.ipv4?.truncated ? [toBackend(input.bytes)] : outputs),
    }),
    'SWT-10.cut-in-the-tcp-header-during-a-rule',
    'SWT-10',
  ],
  [
    'a switch that keeps no TTL',
    brokenSwitch({
      input: (input, { ipv4 }) =>
        ipv4?.ttl === 1 ? { ...input, bytes: patched(input.bytes, (copy) => copy.fill(64, 22, 23)) } : input,
    }),
    'SWT-10.ttl-1-during-a-rule',
    'SWT-10',
  ],
  [
    'a switch that forwards frames for others',
    brokenSwitch({
      input: (input, { ethernet }) => {
        if (ethernet.dst !== 0x02505200_0099) return input;
        const bytes = input.bytes.slice();
        writeU48(bytes, 0, 0x02505200_0001);
        return { ...input, bytes };
      },
    }),
    'SWT-10.wrong-mac-during-a-rule',
    'SWT-10',
  ],
  [
    'a switch whose rules do not look at the logical port',
    brokenSwitch({
      outputs: (outputs, input, view) =>
        fromClient(input, view) && view.tcp?.dstPort === 81 ? [toBackend(input.bytes)] : outputs,
    }),
    'SWT-8.another-logical-port-during-a-rule',
    'SWT-3',
  ],
  [
    'a controller that is silent on RSTs in the window',
    brokenController({ outputs: (outputs, _, { tcp }) => (tcp?.rst ? [] : outputs) }),
    'SEC-2.rst-in-window-at-the-controller',
    'SEC-2',
  ],
  [
    'a controller that takes data without looking at its ACK',
    brokenController({
      input: (input, view) =>
        view.tcp && view.tcp.payloadLength === 100 && view.ipv4
          ? { ...input, bytes: withAck(view, view.tcp.ack - 0x1000_0000) }
          : input,
    }),
    'SEC-2.data-with-future-ack-at-the-controller',
    'SEC-2',
  ],
  [
    'a controller whose SYN-ACK begins elsewhere each time',
    brokenController({
      outputs: (outputs, _, { tcp }) =>
        tcp?.syn ? outputs.map((output) => (output.kind === 'frame' ? otherIsn(output) : output)) : outputs,
    }),
    'EST-4.same-syn-twice',
    'EST-4',
  ],
  [
    'a backend that is silent on what is old',
    brokenBackend({ outputs: (outputs, _, { tcp }) => (tcp?.payloadLength === 0 ? withoutFrames(outputs) : outputs) }),
    'RET-2.probe-before-the-response',
    'RET-2',
  ],
  [
    'a backend that ignores RSTs',
    brokenBackend({ input: (input, { tcp }) => (tcp?.rst ? undefined : input) }),
    'RET-5.rst-in-mid-response',
    'RET-5',
  ],
];

function withAck({ ethernet, ipv4, tcp }: FrameView, ack: number): Uint8Array {
  if (ipv4 === undefined || tcp === undefined) throw new Error('not a segment');
  const { srcPort, dstPort, seq, flags, window, options, payload } = tcp;
  return buildTcpFrame({
    ethernet,
    ipv4: { src: ipv4.src, dst: ipv4.dst, id: ipv4.id },
    tcp: { srcPort, dstPort, seq, flags, window, options, payload, ack: ack >>> 0 },
  });
}

let answers = 0;

function otherIsn(output: Extract<RoleOutput, { kind: 'frame' }>): RoleOutput {
  const parsed = parseFrame(output.bytes);
  if (!parsed.ok || parsed.value.ipv4 === undefined || parsed.value.tcp === undefined) return output;
  const { ethernet, ipv4, tcp } = parsed.value;
  const { srcPort, dstPort, ack, flags, window, options } = tcp;
  const seq = (tcp.seq + 1000 * answers++) >>> 0;
  const bytes = buildTcpFrame({
    ethernet,
    ipv4: { src: ipv4.src, dst: ipv4.dst, id: ipv4.id },
    tcp: { srcPort, dstPort, seq, ack, flags, window, options },
  });
  return { ...output, bytes };
}

const withoutFrames = (outputs: readonly RoleOutput[]): readonly RoleOutput[] =>
  outputs.filter(({ kind }) => kind !== 'frame');

t.test('the reference passes all of them', async (t) => {
  const runs = await run(t.testdir({}), SEGMENT_CASES, referenceRoles);
  t.equal(runs.length, SEGMENT_CASES.length);
  for (const { result } of runs) t.equal(result.verdict, 'pass', `${result.id}: ${result.message}`);
});

for (const [what, roles, id, clause] of BROKEN)
  t.test(`${id} fails ${what}`, async (t) => {
    const [first] = await run(t.testdir({}), [caseOf(id)], roles);
    t.match(first?.result, { verdict: 'fail' });
    t.ok(first?.result.clauses.includes(clause), `${first?.result.clauses}: ${first?.result.message}`);
    t.notMatch(first?.result.evidence, [{ note: /no single frame/ }]);
  });

const asHadTwice = (outputs: readonly RoleOutput[]): readonly RoleOutput[] =>
  outputs.flatMap((output) => (output.kind === 'frame' && output.port === 'backend0' ? [output, output] : [output]));

for (const id of ['SWT-4.wrong-tcp-checksum-at-the-backend', 'SWT-8.another-logical-port-during-a-rule'])
  t.test(`${id} takes no ACK that repeats another for an answer to what was forged`, async (t) => {
    const [first] = await run(t.testdir({}), [caseOf(id)], brokenSwitch({ outputs: asHadTwice }));
    t.equal(first?.result.verdict, 'pass', first?.result.message ?? '');
  });

/** As with a small first window: of what the backend sends at once all but one segment is lost, and comes again. */
t.test('SWT-8.another-port-during-a-rule asks for no large first window', async (t) => {
  const small: SimRoles = {
    ...referenceRoles,
    backend: (topology, options, name) => {
      const role = referenceRoles.backend(topology, options, name);
      const first = (outputs: readonly RoleOutput[]): readonly RoleOutput[] => {
        const one = outputs.find(({ kind }) => kind === 'frame');
        return outputs.filter((output) => output.kind !== 'frame' || output === one);
      };
      return { ...role, feed: (input, now) => first(role.feed(input, now)) };
    },
  };
  const [only] = await run(t.testdir({}), [caseOf('SWT-8.another-port-during-a-rule')], small);
  t.notMatch(only?.result.message, /arrived bytes/);
  t.not(only?.result.verdict, 'error');
});

/** Remedies switched off, and the case that shows it. */
const LACKING: readonly (readonly [RemedyName, string, string])[] = [
  ['backend-guard', 'HOF-5.probe-before-take-over', 'HOF-5'],
  ['backend-guard', 'HOF-5.retransmission-while-complete-under-way', 'HOF-5'],
  ['answer-probes', 'RET-2.probe-after-a-lost-reopening', 'RET-2'],
  ['fin-suppression', 'RET-3.fin-in-mid-response', 'SWT-7'],
];

for (const [remedy, id, clause] of LACKING)
  t.test(`${id} fails a reference without ${remedy}`, async (t) => {
    const [first] = await run(t.testdir({}), [caseOf(id)], referenceRoles, [remedy]);
    t.equal(first?.result.verdict, 'fail');
    t.ok(first?.result.clauses.includes(clause), `${first?.result.clauses}: ${first?.result.message}`);
    t.notMatch(first?.result.evidence, [{ note: /no single frame/ }]);
  });

t.test('a segment that misses its stage concludes nothing', async (t) => {
  const stage = caseOf('HOF-5.probe-before-take-over');
  const [first] = await run(t.testdir({}), [{ ...stage, options: {} }], referenceRoles);
  t.match(first?.result, { verdict: 'inconclusive', exercised: 0, message: /^the premise did not happen: / });
});
