/** Broken switches whose fault shows at times only: at one backend, in the second hand-off, in frames that few clients send. */
import type { Rule } from '../../reference-impl/control/messages.js';
import { parseIpv4Address, parseMacAddress } from '../../reference-impl/wire/addresses.js';
import { parseFrame } from '../../reference-impl/wire/frame.js';
import { TcpFlag } from '../../reference-impl/wire/tcp.js';
import { messagesOut } from './breaker.js';
import { edited, has, tcpOffset, withIpWord, withWord } from './edit.js';
import type { Mutant } from './mutant.js';
import { answersRemovals, onPassing, pretends, removesOthers } from './rule-memory.js';
import { confirmsBeforeInstalling, matchesMore, onFields, onPassage } from './switch-faults.js';

const BOTH = ['sim', 'linux'] as const;
const REWRITTEN = ['to-backend', 'to-client'] as const;
const FULL = 1400;
const DSCP = 0xfc;
const ECN = 0x03;

const padding = (bytes: Uint8Array): number => {
  const parsed = parseFrame(bytes);
  const ipv4 = parsed.ok ? parsed.value.ipv4 : undefined;
  return ipv4 === undefined ? 0 : bytes.length - ipv4.offset - ipv4.totalLength;
};

export const UNLUCKY_MUTANTS: readonly Mutant[] = [
  {
    id: 'swt-1.mac-of-the-other-backend',
    clause: 'SWT-1',
    role: 'switch',
    summary: "What goes to the second backend has the first one's MAC address.",
    breaks: {
      switch: {
        step: onPassing(['to-backend'], (_, { known }) =>
          known.rule?.backend.name === 'backend1' ? { dstMac: parseMacAddress('02:50:52:00:10:02') ?? 0 } : undefined,
        ),
      },
    },
    cases: ['REQ-6.path-hash'],
    worlds: BOTH,
  },
  {
    id: 'swt-2.another-address',
    clause: 'SWT-2',
    role: 'switch',
    summary: "A backend's segments reach the client from an address next to the logical one.",
    breaks: { switch: { step: onFields(['to-client'], ({ src }) => ({ src: src + 1 })) } },
    cases: ['REQ-6.path-hash'],
    worlds: BOTH,
  },
  {
    id: 'swt-2.misses-every-20th',
    clause: 'SWT-2',
    role: 'switch',
    summary: 'Every twentieth frame of a backend keeps its source address.',
    breaks: {
      switch: {
        step: onPassing(['to-client'], (_, { nth, came }) => (nth % 20 === 0 ? { src: came.src } : undefined)),
      },
    },
    cases: ['HOF-6.curl-alternates-backends', 'REQ-4.post', 'RET-7.pipelined-reads'],
  },
  {
    id: 'swt-2.keeps-source-in-second-rule',
    clause: 'SWT-2',
    role: 'switch',
    summary: "In a connection's second hand-off the backend's source address is kept.",
    breaks: {
      switch: {
        step: onPassing(['to-client'], (_, { known, came }) => (known.handoffs === 2 ? { src: came.src } : undefined)),
      },
    },
    cases: ['REQ-6.path-hash'],
    worlds: BOTH,
  },
  {
    id: 'swt-3.clears-fins',
    clause: 'SWT-3',
    role: 'switch',
    summary: "A client's FIN is cleared whether a rule is in force or not.",
    breaks: {
      switch: {
        step: onPassing(['routed'], (fields, { from }) =>
          from === 'client' && has(fields, 'FIN') ? { flags: fields.flags & ~TcpFlag.FIN } : undefined,
        ),
      },
    },
    cases: ['REQ-6.path-hash', 'REQ-6.round-robin'],
  },
  {
    id: 'swt-3.zeroes-windows',
    clause: 'SWT-3',
    role: 'switch',
    summary: "The window of the controller's segments is zeroed, too.",
    breaks: {
      switch: {
        step: onPassing(['routed'], (fields, { from }) =>
          from === 'controller' && !has(fields, 'SYN') ? { window: 0 } : undefined,
        ),
      },
    },
    cases: ['REQ-6.path-hash'],
    worlds: BOTH,
  },
  {
    id: 'swt-3.clamps-mss',
    clause: 'SWT-3',
    role: 'switch',
    summary: 'The MSS option of SYNs is lowered to 1300.',
    breaks: {
      switch: {
        step: onFields(['routed'], ({ options }) => ({
          options: options.map((one) => (one.kind === 'mss' ? { ...one, value: Math.min(one.value, 1300) } : one)),
        })),
      },
    },
    cases: ['REQ-6.path-hash'],
    worlds: BOTH,
  },
  {
    id: 'swt-3.raises-window-scale',
    clause: 'SWT-3',
    role: 'switch',
    summary: "The controller's window scale is one more behind the switch.",
    breaks: {
      switch: {
        step: onFields(['routed'], (fields) => ({
          options: fields.options.map((one) =>
            one.kind === 'window-scale' && has(fields, 'ACK') ? { ...one, shift: one.shift + 1 } : one,
          ),
        })),
      },
    },
    cases: ['REQ-6.path-hash'],
  },
  {
    id: 'swt-3.clears-ecn',
    clause: 'SWT-3',
    role: 'switch',
    summary: 'The ECN field of packets that match no rule is cleared.',
    breaks: { switch: { step: onPassage(['routed'], (bytes) => withIpWord(bytes, 0, (word) => word & ~ECN)) } },
    cases: ['SWT-3.odd-segments-without-a-rule'],
  },
  {
    id: 'swt-4.forgets-the-odd-octet',
    clause: 'SWT-4',
    role: 'switch',
    summary: 'Towards a backend the TCP checksum is wrong when the payload has an odd length.',
    breaks: {
      switch: {
        step: onPassage(['to-backend'], (bytes) => {
          const parsed = parseFrame(bytes);
          const odd = parsed.ok && (parsed.value.tcp?.payloadLength ?? 0) % 2 === 1;
          const at = (tcpOffset(bytes) ?? 0) + 16;
          return odd ? withWord(bytes, at, new DataView(bytes.buffer, bytes.byteOffset).getUint16(at) ^ 0x100) : bytes;
        }),
      },
    },
    cases: ['REQ-4.post', 'BKD-2.chunked-write'],
  },
  {
    id: 'swt-4.recomputes-towards-client',
    clause: 'SWT-4',
    role: 'switch',
    summary: "The TCP checksum of a backend's segment is computed anew, so that what was corrupt looks whole.",
    breaks: { switch: { step: onFields(['to-client'], () => ({})) } },
    cases: ['SWT-4.spoiled-segment-of-a-backend'],
  },
  {
    id: 'swt-5.clears-dscp',
    clause: 'SWT-5',
    role: 'switch',
    summary: 'The differentiated services code point of rewritten packets is cleared.',
    breaks: { switch: { step: onPassage(REWRITTEN, (bytes) => withIpWord(bytes, 0, (word) => word & ~DSCP)) } },
    cases: ['SWT-5.marked-during-a-rule'],
  },
  {
    id: 'swt-5.clears-ecn',
    clause: 'SWT-5',
    role: 'switch',
    summary: 'The ECN field of rewritten packets is cleared.',
    breaks: { switch: { step: onPassage(REWRITTEN, (bytes) => withIpWord(bytes, 0, (word) => word & ~ECN)) } },
    cases: ['SWT-5.marked-during-a-rule'],
  },
  {
    id: 'swt-5.takes-padding-for-payload',
    clause: 'SWT-5',
    role: 'switch',
    summary: 'A rewritten packet is as long as its frame, padding included.',
    breaks: {
      switch: {
        step: onPassage(REWRITTEN, (bytes, came) => {
          const extra = padding(came);
          return extra <= 0
            ? bytes
            : edited(bytes, ({ payload }) => ({ payload: Uint8Array.of(...payload, ...came.subarray(-extra)) }));
        }),
      },
    },
    cases: ['SWT-5.padded-during-a-rule'],
  },
  {
    id: 'swt-5.reorders-options',
    clause: 'SWT-5',
    role: 'switch',
    summary: 'TCP options are written back in another order.',
    breaks: { switch: { step: onFields(REWRITTEN, ({ options }) => ({ options: [...options].reverse() })) } },
    cases: ['REQ-6.path-hash'],
    worlds: BOTH,
  },
  {
    id: 'swt-5.strips-sack',
    clause: 'SWT-5',
    role: 'switch',
    summary: 'SACK blocks do not survive the rewriting.',
    breaks: {
      switch: {
        step: onFields(REWRITTEN, ({ options }) => ({ options: options.filter(({ kind }) => kind !== 'sack') })),
      },
    },
    cases: ['BKD-5.response-segment-lost'],
  },
  {
    id: 'swt-5.truncates-full-segments',
    clause: 'SWT-5',
    role: 'switch',
    summary: "A backend's full segment loses its last four bytes.",
    breaks: {
      switch: {
        step: onFields(['to-client'], ({ payload }) =>
          payload.length >= FULL ? { payload: payload.subarray(0, payload.length - 4) } : undefined,
        ),
      },
    },
    cases: ['REQ-4.post', 'RET-7.pipelined-reads'],
  },
  {
    id: 'swt-6.opens-in-second-rule',
    clause: 'SWT-6',
    role: 'switch',
    summary: "In a connection's second hand-off the backend's window is left as it is.",
    breaks: {
      switch: {
        step: onPassing(['to-client'], (_, { known, came }) =>
          known.handoffs === 2 ? { window: came.window } : undefined,
        ),
      },
    },
    cases: ['REQ-6.path-hash'],
    worlds: BOTH,
  },
  {
    id: 'swt-8.ignores-destination-address',
    clause: 'SWT-8',
    role: 'switch',
    summary: "A rule matches its client's segments to any address.",
    breaks: {
      switch: {
        step: matchesMore(
          ({ srcPort, dstPort, dst }, { conn }: Rule) =>
            srcPort === conn.client.port && dstPort === conn.logical.port && dst !== parseIpv4Address(conn.logical.ip),
        ),
      },
    },
    cases: ['SWT-8.another-destination-during-a-rule'],
  },
  {
    id: 'swt-8.removes-by-client-address',
    clause: 'SWT-8',
    role: 'switch',
    summary: "Removing a rule removes every rule of that client's address.",
    breaks: { switch: { step: removesOthers('remove', (other, { client }) => other.conn.client.ip === client.ip) } },
    cases: ['SWT-8.neighbours-of-a-hand-off', 'BKD-2.next-request-behind-payload'],
  },
  {
    id: 'swt-8.new-rule-evicts',
    clause: 'SWT-8',
    role: 'switch',
    summary: 'A new rule takes the place of the one before it.',
    breaks: { switch: { step: removesOthers('add', () => true) } },
    cases: ['REQ-6.round-robin', 'SWT-8.neighbours-of-a-hand-off', 'RET-7.pipelined-reads'],
  },
  {
    id: 'ret-1.keeps-write-rules',
    clause: 'RET-1',
    role: 'switch',
    summary: 'The switch confirms the removal of a rule for a write and keeps it.',
    breaks: { switch: { step: pretends('remove', ({ zeroWindow }) => !zeroWindow) } },
    cases: ['REQ-4.post', 'BKD-2.chunked-write'],
    worlds: BOTH,
  },
  {
    id: 'ret-1.keeps-second-rule',
    clause: 'RET-1',
    role: 'switch',
    summary: "The switch confirms the removal of a connection's second rule and keeps it.",
    breaks: { switch: { step: pretends('remove', (_, handoffs) => handoffs === 2) } },
    cases: ['HOF-6.curl-alternates-backends', 'REQ-6.path-hash'],
  },
  {
    id: 'hof-1.confirms-too-early',
    clause: 'HOF-1',
    role: 'switch',
    summary: 'The switch confirms a rule half a millisecond before it is in force.',
    breaks: { switch: { step: confirmsBeforeInstalling(500) } },
    cases: [
      'REQ-6.path-hash',
      'RET-7.pipelined-reads',
      'BKD-5.response-segment-lost',
      'HOF-6.curl-alternates-backends',
    ],
  },
  {
    id: 'swt-9.never-installs-to-one-backend',
    clause: 'SWT-9',
    role: 'switch',
    summary: 'Rules to the second backend are confirmed and not installed.',
    breaks: { switch: { step: pretends('add', ({ backend }) => backend.name === 'backend1') } },
    cases: [
      'HOF-7.two-curls',
      'BKD-2.chunked-write',
      'REQ-6.round-robin',
      'RET-7.pipelined-reads',
      'BKD-8.client-timestamps-wrap',
    ],
  },
  {
    id: 'swt-9.answers-under-another-id',
    clause: 'SWT-9',
    role: 'switch',
    summary: 'Confirmations name another request than the one that they answer.',
    breaks: {
      switch: {
        step: messagesOut((message) => [message.verb === 'ok' ? { ...message, re: `${message.re}0` } : message]),
      },
    },
    cases: ['REQ-6.path-hash'],
  },
  {
    id: 'swt-9.refuses-removals',
    clause: 'SWT-9',
    role: 'switch',
    summary: 'Removals are refused, because there is no such rule any more.',
    breaks: { switch: { step: answersRemovals('unknown-connection') } },
    cases: ['REQ-6.path-hash'],
    worlds: BOTH,
  },
  {
    id: 'est-2.forgets-removed-rules',
    clause: 'EST-2',
    role: 'switch',
    summary:
      "Nothing of a removed rule is remembered, and a backend's late segment reaches the client under its own address.",
    breaks: { switch: { config: (config) => ({ ...config, without: [...config.without, 'drain-rules'] }) } },
    cases: ['EST-2.late-copy-of-a-response'],
    worlds: BOTH,
  },
];
