/** Frames that a switch may stumble over while a rule is in force (SWT-10): none of them may harm the connection or follow half a rule. */
import type { Forgery } from '../../../harness/segments/story.js';
import type { CaseContext, ConformanceCase } from '../case.js';
import type { CaseEvidence } from '../evidence.js';
import { nameOffence, whereabouts } from '../segment-frames.js';
import { expectNothing, forge, segments } from '../segment-words.js';
import { runOne } from '../vocabulary.js';
import { AT_THE_BACKEND } from './ownership.js';

interface Broken {
  readonly name: string;
  /** A sentence without its end. */
  readonly what: string;
  readonly clauses: readonly [string, ...string[]];
  readonly frame: Forgery;
  /** Where its frames may be seen behind the switch. */
  readonly reaches: 'nobody' | 'no backend' | 'the backend at most' | 'the backend whole or not at all' | 'anybody';
}

/** Bytes that the backend has already, made up: taken or not, they change nothing. */
const OLD = { flags: ['ACK', 'PSH'], shift: { seq: -200 }, text: 'Z'.repeat(200) } as const satisfies Forgery;
const PROBE = { flags: ['ACK'], shift: { seq: -1 } } as const satisfies Forgery;
const SILENCE_MS = 60;
/** TCP's header with a timestamp, and the 200 bytes. */
const BEHIND_IP = 232;

const FRAMES: readonly Broken[] = [
  {
    name: 'fragments',
    what: 'Two fragments of one segment take the same way, or none',
    clauses: ['SWT-10'],
    frame: {
      ...OLD,
      fragments: [
        { at: 0, length: 104 },
        { at: 104, length: BEHIND_IP - 104 },
      ],
    },
    reaches: 'the backend whole or not at all',
  },
  {
    name: 'tiny-first-fragment',
    what: 'A first fragment that holds the ports and nothing else is no segment (RFC 1858)',
    clauses: ['SWT-10'],
    frame: {
      ...OLD,
      fragments: [
        { at: 0, length: 8 },
        { at: 8, length: BEHIND_IP - 8 },
      ],
    },
    reaches: 'the backend whole or not at all',
  },
  {
    name: 'overlapping-fragments',
    what: 'Fragments that overlap with other bytes take the same way, or none',
    clauses: ['SWT-10'],
    frame: {
      ...OLD,
      fragments: [
        { at: 0, length: 104 },
        { at: 96, length: BEHIND_IP - 96, garble: true },
      ],
    },
    reaches: 'the backend whole or not at all',
  },
  {
    name: 'ip-options',
    what: 'A segment behind IP options is found where it begins',
    clauses: ['SWT-10'],
    // Router alert (RFC 2113), which is four bytes.
    frame: { ...PROBE, ipOptions: '94040000' },
    reaches: 'the backend at most',
  },
  {
    name: 'cut-in-the-tcp-header',
    what: 'A frame that ends within the TCP header goes nowhere',
    clauses: ['SWT-10'],
    frame: { ...OLD, cutTo: 44 },
    reaches: 'nobody',
  },
  {
    name: 'cut-in-the-ip-header',
    what: 'A frame that ends within the IP header goes nowhere',
    clauses: ['SWT-10'],
    frame: { ...OLD, cutTo: 24 },
    reaches: 'nobody',
  },
  {
    name: 'cut-in-the-payload',
    what: 'A frame that is shorter than its IP length does no harm',
    clauses: ['SWT-10'],
    frame: { ...OLD, cutTo: 120 },
    reaches: 'anybody',
  },
  {
    name: 'data-offset-too-small',
    what: 'A TCP header that says it is shorter than it can be does no harm',
    clauses: ['SWT-10'],
    frame: { ...OLD, dataOffset: 2 },
    reaches: 'anybody',
  },
  {
    name: 'data-offset-too-large',
    what: 'A TCP header that says it is longer than the segment does no harm',
    clauses: ['SWT-10'],
    frame: { ...PROBE, dataOffset: 15 },
    reaches: 'anybody',
  },
  {
    name: 'udp',
    what: 'A UDP datagram between the ports of a rule does not follow it',
    clauses: ['SWT-10'],
    frame: { protocol: 'udp', text: 'not a segment' },
    reaches: 'no backend',
  },
  {
    name: 'icmp',
    what: 'An echo request to the logical address does not follow a rule',
    clauses: ['SWT-10'],
    frame: { protocol: 'icmp', text: 'who is there?' },
    reaches: 'no backend',
  },
  {
    name: 'wrong-mac',
    what: 'A frame for another MAC address is not forwarded',
    clauses: ['SWT-10'],
    frame: { ...OLD, to: { mac: '02:50:52:00:00:99' } },
    reaches: 'nobody',
  },
  {
    name: 'ttl-1',
    what: 'A packet whose TTL is used up goes nowhere (RFC 1812 §5.3.1)',
    clauses: ['SWT-10'],
    frame: { ...OLD, ttl: 1 },
    reaches: 'nobody',
  },
  {
    name: 'wrong-ip-checksum',
    what: 'A packet with a wrong IP checksum is not made to look valid',
    clauses: ['SWT-4'],
    frame: { ...OLD, wrong: 'ip-checksum' },
    reaches: 'anybody',
  },
  {
    name: 'urgent',
    what: 'A segment keeps its URG flag and its urgent pointer',
    clauses: ['SWT-5'],
    frame: { ...PROBE, flags: ['ACK', 'URG'], urgentPointer: 7 },
    reaches: 'the backend at most',
  },
  {
    name: 'marked',
    what: 'A segment keeps its differentiated services code point, and stays one that may be marked (RFC 3168)',
    clauses: ['SWT-5'],
    frame: { ...PROBE, tos: 0xba },
    reaches: 'the backend at most',
  },
  {
    name: 'padded',
    what: 'What fills a short frame up is no payload',
    clauses: ['SWT-5'],
    frame: { ...PROBE, padding: 6 },
    reaches: 'the backend at most',
  },
  {
    name: 'vlan-tag',
    what: 'A tagged frame does no harm',
    clauses: ['SWT-10'],
    frame: { ...OLD, vlan: 7 },
    reaches: 'anybody',
  },
  {
    name: 'ipv6',
    what: 'A frame that says it holds IPv6 does not follow a rule of IPv4',
    clauses: ['SWT-10'],
    frame: { ...OLD, etherType: 0x86dd },
    reaches: 'no backend',
  },
  {
    name: 'every-flag',
    what: 'A segment with every flag set does no harm',
    clauses: ['SWT-10'],
    frame: { flags: ['FIN', 'SYN', 'RST', 'PSH', 'ACK', 'URG'], shift: { seq: 100 } },
    reaches: 'the backend at most',
  },
  {
    name: 'no-flag',
    what: 'A segment without any flag does no harm',
    clauses: ['SWT-10'],
    frame: { ...OLD, flags: [] },
    reaches: 'the backend at most',
  },
];

/** The frames that are where they may not be. */
function astray(run: CaseEvidence, { reaches, frame }: Broken): readonly { frame: number; note: string }[] {
  const seen = whereabouts(run, 'forge');
  const named = (packets: typeof seen) => packets.map((p) => ({ frame: p.frame, note: `seen at ${p.vantage}` }));
  const backend = seen.filter(({ vantage }) => vantage.startsWith('backend'));
  switch (reaches) {
    case 'nobody':
      return named(seen);
    case 'no backend':
      return named(backend);
    case 'the backend at most':
      return named(seen.filter(({ vantage }) => vantage !== AT_THE_BACKEND.vantage));
    case 'the backend whole or not at all': {
      const pieces = frame.fragments?.length ?? 1;
      return backend.length === 0 || backend.length === pieces ? [] : named(backend);
    }
    case 'anybody':
      return [];
  }
}

export const BROKEN_CASES: readonly ConformanceCase[] = FRAMES.map((broken) => ({
  id: `${broken.clauses[0]}.${broken.name}-during-a-rule`,
  clauses: broken.clauses,
  summary: `${broken.what}, while a connection is handed off.`,
  worlds: ['sim' as const, 'linux' as const],
  programs: ['scapy'],
  async run(context: CaseContext) {
    const { lead, rest } = AT_THE_BACKEND;
    const result = await runOne(
      context,
      segments(...lead, forge(broken.frame), expectNothing(SILENCE_MS, { flags: ['RST'] }), ...rest),
    );
    context.expectOk([result]);
    AT_THE_BACKEND.expect(context, result);
  },
  afterwards(run: CaseEvidence) {
    const frames = astray(run, broken);
    run.expect(frames.length === 0, `expected the forged frame to reach ${broken.reaches}`, ...frames);
    nameOffence(run);
  },
}));
