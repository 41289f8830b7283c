/** Broken switches: what they make of frames. */
import type { Rule } from '../../reference-impl/control/messages.js';
import { formatIpv4Address } from '../../reference-impl/wire/addresses.js';
import { TcpFlag } from '../../reference-impl/wire/tcp.js';
import { messagesIn } from './breaker.js';
import { diesOf } from './control-faults.js';
import { type Fields, has, hasIpOptions, tcpOffset, withIpWord, withWord } from './edit.js';
import type { Mutant } from './mutant.js';
import { matchesFirstFragments } from './segment-faults.js';
import {
  confirmsBeforeInstalling,
  firstOnly,
  losesRuleAfter,
  matchesMore,
  onFields,
  onPassage,
  staleTcpWord,
  takesUdpForTcp,
  unmatchedFrom,
} from './switch-faults.js';

const BOTH = ['sim', 'linux'] as const;
const REWRITTEN = ['to-backend', 'to-client'] as const;

const sameClient = ({ src }: Fields, { conn }: Rule): boolean => formatIpv4Address(src) === conn.client.ip;
const toLogical = ({ dst, dstPort }: Fields, { conn }: Rule): boolean =>
  formatIpv4Address(dst) === conn.logical.ip && dstPort === conn.logical.port;

export const FRAME_MUTANTS: readonly Mutant[] = [
  {
    id: 'swt-5.changes-source-port',
    clause: 'SWT-5',
    role: 'switch',
    summary: "A backend's segments reach the client from another port than the logical server's.",
    breaks: { switch: { step: onFields(['to-client'], ({ srcPort }) => ({ srcPort: srcPort + 1 })) } },
    cases: ['REQ-6.path-hash'],
  },
  {
    id: 'swt-2.confirms-before-installing',
    clause: 'SWT-2',
    role: 'switch',
    summary: 'The switch confirms a rule at once and installs it 20 ms later.',
    breaks: { switch: { step: confirmsBeforeInstalling(20_000) } },
    cases: ['REQ-6.path-hash', 'REQ-5.payload-behind-header'],
  },
  {
    id: 'req-4.zeroes-writes-too',
    clause: 'REQ-4',
    role: 'switch',
    summary: "The switch zeroes the window of every backend's segments, a write's too.",
    breaks: { switch: { step: onFields(['to-client'], () => ({ window: 0 })) } },
    cases: ['REQ-4.post', 'BKD-2.chunked-write'],
  },
  {
    id: 'swt-1.keeps-destination-mac',
    clause: 'SWT-1',
    role: 'switch',
    summary: "A client's segment gets the backend's IP address, but leaves with the MAC address it came for.",
    breaks: { switch: { step: onFields(['to-backend'], (_, { dstMac }) => ({ dstMac })) } },
    cases: ['REQ-6.path-hash'],
    worlds: BOTH,
  },
  {
    id: 'swt-1.keeps-destination-address',
    clause: 'SWT-1',
    role: 'switch',
    summary: "A client's segment goes to the backend's MAC address with the logical IP address still on it.",
    breaks: { switch: { step: onFields(['to-backend'], (_, { dst }) => ({ dst })) } },
    cases: ['REQ-6.path-hash'],
  },
  {
    id: 'swt-1.loses-rule',
    clause: 'SWT-1',
    role: 'switch',
    summary: 'A rule is lost after four segments, as by a table entry with a hit limit.',
    breaks: { switch: { step: losesRuleAfter(4) } },
    cases: ['BKD-5.response-segment-lost', 'BKD-1.curl-gets-every-size'],
  },
  {
    id: 'swt-1.only-towards-client',
    clause: 'SWT-1',
    role: 'switch',
    summary: "Only the direction from the backend is installed; the client's segments still go to the controller.",
    breaks: { switch: { step: unmatchedFrom('client') } },
    cases: ['BKD-5.response-segment-lost'],
  },
  {
    id: 'swt-2.keeps-source-address',
    clause: 'SWT-2',
    role: 'switch',
    summary: "Only the direction to the backend is installed; the backend's segments keep their own source address.",
    breaks: { switch: { step: onFields(['to-client'], (_, { src }) => ({ src })) } },
    cases: ['REQ-6.path-hash'],
    worlds: BOTH,
  },
  {
    id: 'swt-2.keeps-source-mac',
    clause: 'SWT-2',
    role: 'switch',
    summary: "A backend's segment gets the logical IP address, but leaves with the backend's MAC address.",
    breaks: { switch: { step: onFields(['to-client'], (_, { srcMac }) => ({ srcMac })) } },
    cases: ['REQ-6.path-hash'],
    worlds: BOTH,
  },
  {
    id: 'swt-3.lowers-ttl-by-two',
    clause: 'SWT-3',
    role: 'switch',
    summary: 'The TTL of routed traffic is lowered by two.',
    breaks: { switch: { step: onPassage(['routed'], (bytes) => withIpWord(bytes, 8, (word) => word - 0x100)) } },
    cases: ['RET-4.connection-close'],
    worlds: BOTH,
  },
  {
    id: 'swt-3.keeps-ttl',
    clause: 'SWT-3',
    role: 'switch',
    summary: 'Routed traffic keeps its TTL, so that a loop would never end.',
    breaks: { switch: { step: onPassage(['routed'], (bytes) => withIpWord(bytes, 8, (word) => word + 0x100)) } },
    cases: ['RET-4.connection-close'],
  },
  {
    id: 'swt-3.strips-options-of-unmatched',
    clause: 'SWT-3',
    role: 'switch',
    summary: 'TCP options of routed segments are replaced by padding.',
    breaks: {
      switch: {
        step: onFields(['routed'], ({ options }) => ({ options: options.map(() => ({ kind: 'nop' }) as const) })),
      },
    },
    cases: ['RET-4.connection-close'],
  },
  {
    id: 'swt-4.stale-tcp-checksum',
    clause: 'SWT-4',
    role: 'switch',
    summary: 'The TCP checksum is not updated when an address is rewritten.',
    breaks: { switch: { step: onPassage(REWRITTEN, (bytes, came) => staleTcpWord(bytes, came, 16)) } },
    cases: ['REQ-6.path-hash'],
    worlds: BOTH,
  },
  {
    id: 'swt-4.stale-ip-checksum',
    clause: 'SWT-4',
    role: 'switch',
    summary: 'The IP header checksum is not updated when an address is rewritten.',
    breaks: {
      switch: {
        step: onPassage(REWRITTEN, (bytes, came) =>
          withWord(bytes, 24, new DataView(came.buffer, came.byteOffset).getUint16(24)),
        ),
      },
    },
    cases: ['REQ-6.path-hash'],
    worlds: BOTH,
  },
  {
    id: 'swt-4.zero-tcp-checksum',
    clause: 'SWT-4',
    role: 'switch',
    summary: 'The TCP checksum of rewritten segments is set to zero, as if for the network card to fill in.',
    breaks: {
      switch: {
        step: onPassage(REWRITTEN, (bytes) => {
          const offset = tcpOffset(bytes);
          return offset === undefined ? bytes : withWord(bytes, offset + 16, 0);
        }),
      },
    },
    cases: ['REQ-6.path-hash'],
  },
  {
    id: 'swt-4.drops-the-carry',
    clause: 'SWT-4',
    role: 'switch',
    summary: 'The incremental checksum update forgets the end-around carry, so that some checksums are off by one.',
    breaks: {
      switch: {
        step: onPassage(REWRITTEN, (bytes, came) => {
          const offset = tcpOffset(bytes);
          if (offset === undefined) return bytes;
          const old = new DataView(came.buffer, came.byteOffset);
          const now = new DataView(bytes.buffer, bytes.byteOffset);
          // RFC 1624 without folding: ~(~HC + ~m + m') in 16 bits, over the address words that changed.
          let sum = ~old.getUint16(offset + 16) & 0xffff;
          for (const at of [26, 28, 30, 32])
            sum = (sum + (~old.getUint16(at) & 0xffff) + now.getUint16(at) + 1) & 0xffff;
          for (const at of [12, 14])
            sum = (sum + (~old.getUint16(offset + at) & 0xffff) + now.getUint16(offset + at) + 1) & 0xffff;
          return withWord(bytes, offset + 16, ~sum & 0xffff);
        }),
      },
    },
    cases: ['REQ-6.path-hash', 'BKD-5.response-segment-lost'],
  },
  {
    id: 'swt-4.repairs-corrupt-segments',
    clause: 'SWT-4',
    role: 'switch',
    summary: 'The TCP checksum of rewritten segments is computed anew, so that what was corrupt looks whole.',
    breaks: { switch: { step: onFields(REWRITTEN, () => ({})) } },
    cases: ['SWT-4.wrong-tcp-checksum-at-the-backend'],
  },
  {
    id: 'swt-5.clears-psh',
    clause: 'SWT-5',
    role: 'switch',
    summary: 'PSH is cleared together with FIN, by a mask of one bit too many.',
    breaks: { switch: { step: onFields(['to-client'], ({ flags }) => ({ flags: flags & ~TcpFlag.PSH })) } },
    cases: ['REQ-6.path-hash'],
    worlds: BOTH,
  },
  {
    id: 'swt-5.strips-timestamps',
    clause: 'SWT-5',
    role: 'switch',
    summary: 'TCP options of rewritten segments are replaced by padding.',
    breaks: {
      switch: {
        step: onFields(REWRITTEN, ({ options }) => ({ options: options.map(() => ({ kind: 'nop' }) as const) })),
      },
    },
    cases: ['REQ-6.path-hash'],
  },
  {
    id: 'swt-5.renumbers-ip-id',
    clause: 'SWT-5',
    role: 'switch',
    summary: "Rewritten packets get an IP identification of the switch's own.",
    breaks: { switch: { step: onPassage(REWRITTEN, (bytes) => withIpWord(bytes, 4, (id) => id ^ 0x5a5a)) } },
    cases: ['REQ-6.path-hash'],
    worlds: BOTH,
  },
  {
    id: 'swt-5.sets-urgent-pointer',
    clause: 'SWT-5',
    role: 'switch',
    summary: 'The urgent pointer of rewritten segments is overwritten.',
    breaks: { switch: { step: onFields(REWRITTEN, () => ({ urgentPointer: 7 })) } },
    cases: ['REQ-6.path-hash'],
    worlds: BOTH,
  },
  {
    id: 'swt-5.zeroes-towards-backend',
    clause: 'SWT-5',
    role: 'switch',
    summary: 'The window is zeroed in the wrong direction: the backend sees a client with a closed window.',
    breaks: { switch: { step: onFields(['to-backend'], () => ({ window: 0 })) } },
    cases: ['BKD-5.response-segment-lost', 'REQ-6.path-hash'],
  },
  {
    id: 'swt-5.lowers-ttl-by-two',
    clause: 'SWT-5',
    role: 'switch',
    summary: 'The TTL of rewritten packets is lowered by two.',
    breaks: { switch: { step: onPassage(REWRITTEN, (bytes) => withIpWord(bytes, 8, (word) => word - 0x100)) } },
    cases: ['REQ-6.path-hash'],
    worlds: BOTH,
  },
  {
    id: 'swt-5.alters-payload',
    clause: 'SWT-5',
    role: 'switch',
    summary: "The last byte of a rewritten segment's payload is overwritten, as by a trailer; the checksum follows.",
    breaks: {
      switch: {
        step: onFields(['to-client'], ({ payload }) => {
          const copy = payload.slice();
          if (copy.length > 0) copy[copy.length - 1] = 0x2a;
          return copy.length > 100 ? { payload: copy } : undefined;
        }),
      },
    },
    cases: ['BKD-5.response-segment-lost'],
  },
  {
    id: 'swt-6.leaves-window-open',
    clause: 'SWT-6',
    role: 'switch',
    summary: 'The switch ignores zeroWindow, and the backend announces its own window to the client of a read.',
    breaks: {
      switch: {
        step: messagesIn((message) =>
          message.verb === 'add' ? [{ ...message, rule: { ...message.rule, zeroWindow: false } }] : [message],
        ),
      },
    },
    cases: ['REQ-6.path-hash'],
    worlds: BOTH,
  },
  {
    id: 'swt-6.zeroes-first-segment-only',
    clause: 'SWT-6',
    role: 'switch',
    summary: "Only the first segment of a read's response has its window zeroed.",
    breaks: { switch: { step: firstOnly('to-client', (_, { window }) => ({ window })) } },
    cases: ['BKD-5.response-segment-lost'],
  },
  {
    id: 'swt-7.clears-fin-of-data-only',
    clause: 'SWT-7',
    role: 'switch',
    summary: 'FIN is cleared in segments with payload only, and a backend that gets it acknowledges it.',
    breaks: {
      without: ['fin-suppression'],
      switch: {
        step: onFields(['to-backend'], (fields) =>
          fields.payload.length > 0 ? { flags: fields.flags & ~TcpFlag.FIN } : undefined,
        ),
      },
    },
    cases: ['RET-3.fin-behind-write-payload'],
  },
  {
    id: 'swt-8.matches-client-address-only',
    clause: 'SWT-8',
    role: 'switch',
    summary: "A rule matches every segment of its client's address to the logical one, whatever the port.",
    breaks: {
      switch: {
        step: matchesMore((fields, rule) => has(fields, 'ACK') && sameClient(fields, rule) && toLogical(fields, rule)),
      },
    },
    cases: ['SWT-8.neighbours-of-a-hand-off'],
    worlds: BOTH,
  },
  {
    id: 'swt-10.matches-first-fragments',
    clause: 'SWT-10',
    role: 'switch',
    summary: 'The first fragment of a packet matches a rule, and the others do not.',
    breaks: { switch: { step: matchesFirstFragments() } },
    cases: ['SWT-10.fragments-during-a-rule'],
  },
  {
    id: 'swt-10.dies-of-ip-options',
    clause: 'SWT-10',
    role: 'switch',
    summary: 'A packet with IP options ends the data path.',
    breaks: { switch: { step: diesOf((given) => given.kind === 'frame' && hasIpOptions(given.bytes)) } },
    cases: ['SWT-10.ip-options-during-a-rule'],
  },
  {
    id: 'swt-10.takes-udp-for-tcp',
    clause: 'SWT-10',
    role: 'switch',
    summary: 'A rule looks at ports without looking at the protocol, and a UDP datagram follows it.',
    breaks: { switch: { step: takesUdpForTcp() } },
    cases: ['SWT-10.udp-during-a-rule'],
  },
  {
    id: 'swt-8.matches-port-only',
    clause: 'SWT-8',
    role: 'switch',
    summary: 'A rule matches every client that uses the port number of its own.',
    breaks: {
      switch: {
        step: matchesMore((fields, rule) => fields.srcPort === rule.conn.client.port && toLogical(fields, rule)),
      },
    },
    cases: ['SWT-8.same-port-of-another-client-during-a-rule'],
  },
  {
    id: 'swt-8.matches-any-logical-port',
    clause: 'SWT-8',
    role: 'switch',
    summary: "A rule matches its client's segments to any port of the logical address.",
    breaks: {
      switch: {
        step: matchesMore((fields, rule) => sameClient(fields, rule) && fields.srcPort === rule.conn.client.port),
      },
    },
    cases: ['SWT-8.another-logical-port-during-a-rule'],
  },
];
