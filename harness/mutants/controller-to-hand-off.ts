/** Broken controllers, up to the hand-off: the handshake, reading requests, choosing and telling a backend. */
import { seqAdd } from '../../reference-impl/wire/seq.js';
import { TcpFlag } from '../../reference-impl/wire/tcp.js';
import { lateOutput, messagesOut } from './breaker.js';
import {
  answersSynOnce,
  closesWindowForWrites,
  handsOffAtFirstLine,
  losesEarlyPayload,
  misreads,
  renumbersRepeatedSynAck,
  snapshotsWith,
  sticksToBackend,
} from './controller-faults.js';
import { fieldsOf, has, isBareAck } from './edit.js';
import { framesBeside, segmentsOut, sendsBeside } from './host-faults.js';
import type { Mutant } from './mutant.js';

const BOTH = ['sim', 'linux'] as const;

const INTERIM = new TextEncoder().encode('HTTP/1.1 100 Continue\r\n\r\n');

export const MUTANTS_TO_HAND_OFF: readonly Mutant[] = [
  {
    id: 'est-1.acknowledges-syn-short',
    clause: 'EST-1',
    role: 'controller',
    summary: "The SYN-ACK acknowledges the SYN's own number instead of the one behind it.",
    breaks: {
      controller: { step: segmentsOut((sent) => (has(sent, 'SYN') ? { ack: seqAdd(sent.ack, -1) } : undefined)) },
    },
    cases: ['EST-1.syn-lost'],
  },
  {
    id: 'est-1.resets-every-syn',
    clause: 'EST-1',
    role: 'controller',
    summary: 'Every SYN is answered with RST, as on a closed port.',
    breaks: {
      controller: {
        step: segmentsOut((sent) =>
          has(sent, 'SYN') ? { seq: 0, flags: TcpFlag.RST | TcpFlag.ACK, options: [], window: 0 } : undefined,
        ),
      },
    },
    cases: ['EST-1.syn-lost'],
    worlds: BOTH,
  },
  {
    id: 'est-2.answers-from-own-address',
    clause: 'EST-2',
    role: 'controller',
    summary: "After the handshake the controller's segments bear its own address instead of the logical one.",
    breaks: {
      controller: { step: segmentsOut((sent) => (has(sent, 'SYN') ? undefined : { src: 0xc6120202 })) },
    },
    cases: ['EST-1.syn-lost'],
  },
  {
    id: 'est-4.numbers-anew',
    clause: 'EST-4',
    role: 'controller',
    summary: 'A repeated SYN-ACK has another initial sequence number than the first.',
    breaks: { controller: { step: renumbersRepeatedSynAck(100_000) } },
    cases: ['EST-4.syn-ack-lost-twice', 'EST-4.same-syn-twice'],
  },
  {
    id: 'est-4.answers-syn-once',
    clause: 'EST-4',
    role: 'controller',
    summary: 'A lost SYN-ACK is never repeated, nor is a repeated SYN answered.',
    breaks: { controller: { step: answersSynOnce() } },
    cases: ['EST-4.syn-ack-lost'],
  },
  {
    id: 'req-1.hands-off-at-first-line',
    clause: 'REQ-1',
    role: 'controller',
    summary: 'A request is handed off as soon as its first line is there; the rest of the header goes to the backend.',
    breaks: { controller: { step: handsOffAtFirstLine() } },
    cases: ['REQ-1.header-split-in-two'],
    worlds: BOTH,
  },
  {
    id: 'req-2.acknowledges-all-it-got',
    clause: 'REQ-2',
    role: 'controller',
    summary: 'The ACK at hand-off covers everything that was received, payload and next requests too.',
    breaks: { without: ['header-only-ack'] },
    cases: ['REQ-5.payload-behind-header'],
    worlds: BOTH,
  },
  {
    id: 'req-2.acknowledges-one-byte-more',
    clause: 'REQ-2',
    role: 'controller',
    summary: 'The ACK at hand-off covers one byte behind the header, where there is one.',
    breaks: {
      controller: {
        step: framesBeside('add', ({ ack }, _, input) => {
          const came = input.kind === 'frame' ? fieldsOf(input.bytes) : undefined;
          return came && seqAdd(came.seq, came.payload.length) !== ack ? { ack: seqAdd(ack, 1) } : undefined;
        }),
      },
    },
    cases: ['REQ-5.payload-behind-header'],
  },
  {
    id: 'req-3.leaves-window-open',
    clause: 'REQ-3',
    role: 'controller',
    summary: 'The ACK at hand-off of a read leaves the window open.',
    breaks: {
      controller: {
        step: framesBeside('add', (_, { rule }) => (rule.zeroWindow ? { window: 2048 } : undefined)),
      },
    },
    cases: ['REQ-6.path-hash'],
    worlds: BOTH,
  },
  {
    id: 'req-4.closes-window-for-write',
    clause: 'REQ-4',
    role: 'controller',
    summary: 'The ACK at hand-off of a write closes the window as for a read.',
    breaks: { controller: { step: closesWindowForWrites() } },
    cases: ['REQ-4.post'],
    worlds: BOTH,
  },
  {
    id: 'req-5.loses-early-payload',
    clause: 'REQ-5',
    role: 'controller',
    summary: 'Payload that came behind the header is taken for passed on, and the backend acknowledges it unseen.',
    breaks: { controller: { step: losesEarlyPayload() } },
    cases: ['REQ-5.payload-behind-header', 'REQ-5.payload-partly-behind-header'],
  },
  {
    id: 'req-6.one-backend-for-all',
    clause: 'REQ-6',
    role: 'controller',
    summary: 'Every request goes to the first backend, whatever the policy says.',
    breaks: {
      controller: {
        config: (config) => ({ ...config, policy: { kind: 'path-map', map: [], default: 'backend0' } }),
      },
    },
    cases: ['REQ-6.path-hash'],
    worlds: BOTH,
  },
  {
    id: 'req-6.last-prefix-wins',
    clause: 'REQ-6',
    role: 'controller',
    summary: 'Of several prefixes that fit a path the last one decides instead of the first.',
    breaks: {
      controller: {
        config: (config) =>
          config.policy.kind === 'path-map'
            ? { ...config, policy: { ...config.policy, map: [...config.policy.map].reverse() } }
            : config,
      },
    },
    cases: ['REQ-6.path-map'],
    worlds: BOTH,
  },
  {
    id: 'req-6.hashes-instead-of-turns',
    clause: 'REQ-6',
    role: 'controller',
    summary: 'Round robin is declared, and the hash of the path decides.',
    breaks: { controller: { config: (config) => ({ ...config, policy: { kind: 'path-hash' } }) } },
    cases: ['REQ-6.round-robin'],
  },
  {
    id: 'req-7.knows-no-header-limit',
    clause: 'REQ-7',
    role: 'controller',
    summary: 'A header of any length is read to its end and handed off.',
    breaks: { controller: { config: (config) => ({ ...config, headerLimit: 16 * config.headerLimit }) } },
    cases: ['REQ-7.header-too-long'],
  },
  {
    id: 'req-7.guesses-malformed-requests',
    clause: 'REQ-7',
    role: 'controller',
    summary: 'A request line without a target is handed off as one for the root.',
    breaks: { controller: { step: misreads(/^GET\r\nHost: p\r\n\r\n/, 'GET / HTTP/1.0\n\n') } },
    cases: ['REQ-7.malformed-request-line'],
    worlds: BOTH,
  },
  {
    id: 'req-7.reads-unknown-methods',
    clause: 'REQ-7',
    role: 'controller',
    summary: 'A request of an unsupported method is handed off as a read.',
    breaks: { controller: { step: misreads(/^DELETE \//, 'GET ////') } },
    cases: ['REQ-7.unsupported-method'],
  },
  {
    id: 'hof-1.tells-backend-at-once',
    clause: 'HOF-1',
    role: 'controller',
    summary: 'The backend is told to take over at once, without waiting for the switch to confirm the rules.',
    breaks: { without: ['confirm-before-handoff'] },
    cases: ['REQ-6.path-hash'],
    worlds: BOTH,
  },
  {
    id: 'hof-2.says-continue-and-hands-off',
    clause: 'HOF-2',
    role: 'controller',
    summary:
      'The controller answers 100 Continue to every write by itself and hands the connection off with that in flight.',
    breaks: {
      controller: {
        step: sendsBeside(
          'handoff',
          ({ window }) => (window === 0 ? undefined : { payload: INTERIM, flags: TcpFlag.ACK | TcpFlag.PSH }),
          {
            message: (message) =>
              message.request.method === 'PUT' || message.request.method === 'POST'
                ? {
                    ...message,
                    snapshot: { ...message.snapshot, seq: seqAdd(message.snapshot.seq, INTERIM.length) },
                  }
                : message,
          },
        ),
      },
    },
    cases: ['REQ-4.post', 'BKD-2.chunked-write'],
  },
  {
    id: 'hof-4.goes-on-speaking',
    clause: 'HOF-4',
    role: 'controller',
    summary: 'The controller repeats its ACK of the header while the backend owns the connection.',
    breaks: {
      controller: {
        step: lateOutput(1_500, (out) => {
          const sent = out.kind === 'frame' ? fieldsOf(out.bytes) : undefined;
          return sent !== undefined && isBareAck(sent) && sent.window === 0 ? 'both' : 'now';
        }),
      },
    },
    cases: ['BKD-5.response-segment-lost'],
  },
  {
    id: 'hof-6.sticks-to-backend',
    clause: 'HOF-6',
    role: 'controller',
    summary: 'A connection that went to one backend is refused when a request of it is for another.',
    breaks: { controller: { step: sticksToBackend() } },
    cases: ['HOF-6.curl-alternates-backends'],
    worlds: BOTH,
  },
  {
    id: 'hof-3.hands-over-old-seq',
    clause: 'HOF-3',
    role: 'controller',
    summary: 'The sequence number that is handed over is one short.',
    breaks: { controller: { step: snapshotsWith(({ seq }) => ({ seq: seqAdd(seq, -1) })) } },
    cases: ['HOF-3.hand-off-says-what-the-wire-says'],
  },
  {
    id: 'hof-3.hands-over-old-ack',
    clause: 'HOF-3',
    role: 'controller',
    summary: 'The acknowledgement number that is handed over is that of before the header.',
    breaks: {
      controller: {
        step: messagesOut((message) =>
          message.verb === 'handoff'
            ? [
                {
                  ...message,
                  snapshot: {
                    ...message.snapshot,
                    ack: seqAdd(message.snapshot.ack, -Buffer.from(message.request.header, 'base64').length),
                  },
                },
              ]
            : [message],
        ),
      },
    },
    cases: ['HOF-3.hand-off-says-what-the-wire-says'],
  },
  {
    id: 'hof-3.cuts-the-header',
    clause: 'HOF-3',
    role: 'controller',
    summary: 'The request that is handed over lacks its last field.',
    breaks: {
      controller: {
        step: messagesOut((message) =>
          message.verb === 'handoff'
            ? [
                {
                  ...message,
                  request: {
                    ...message.request,
                    header: Buffer.from(message.request.header, 'base64').subarray(0, -12).toString('base64'),
                  },
                },
              ]
            : [message],
        ),
      },
    },
    cases: ['HOF-3.hand-off-says-what-the-wire-says'],
    worlds: BOTH,
  },
  {
    id: 'hof-3.forgets-window-scale',
    clause: 'HOF-3',
    role: 'controller',
    summary: 'The window scale that was negotiated is not handed over.',
    breaks: { controller: { step: snapshotsWith(() => ({ windowScale: null })) } },
    cases: ['HOF-3.hand-off-says-what-the-wire-says'],
  },
];
