/** Broken switches that swallow: what goes in and never comes out, or comes out where the rule did not send it. */
import { parseMacAddress } from '../../reference-impl/wire/addresses.js';
import { type Breaker, breaker } from './breaker.js';
import { edited, type Fields, has } from './edit.js';
import type { Mutant } from './mutant.js';
import { missesRule, onPassing, type Passing } from './rule-memory.js';
import { type Passage, passageOf } from './switch-faults.js';

const BOTH = ['sim', 'linux'] as const;
/** A buffer for frames of 1 KiB. */
const LARGE = 1000;
const SIGN_BIT = 0x80000000;
const KIB_64 = 65_536;
const QUIET_MS = 2_000;

const swallows = (passage: Passage, which: (fields: Fields, passing: Passing) => boolean): Breaker =>
  onPassing([passage], (fields, passing) => (which(fields, passing) ? null : undefined));

const isLarge = ({ payload }: Fields): boolean => payload.length > LARGE;
const isBehindRule = ({ known }: Passing): boolean => known.handoffs > 0 && known.rule === undefined;

/** A copy of what goes to a backend goes to the controller, too. */
function mirrors(): Breaker {
  const controller = parseMacAddress('02:50:52:00:02:02') ?? 0;
  return breaker(null, (memory, input, inner) => {
    const outputs = inner(input);
    if (input.kind !== 'frame') return { memory, outputs };
    const copies = outputs
      .filter((out) => out.kind === 'frame' && passageOf(input.bytes, out.bytes) === 'to-backend')
      .map(() => ({
        kind: 'frame' as const,
        port: 'controller',
        bytes: edited(input.bytes, ({ ttl, dstMac }) => ({ ttl: ttl - 1, srcMac: dstMac, dstMac: controller })),
      }));
    return { memory, outputs: [...outputs, ...copies] };
  });
}

export const SWALLOWING_MUTANTS: readonly Mutant[] = [
  {
    id: 'swt-1.swallows-large-segments',
    clause: 'SWT-1',
    role: 'switch',
    summary: "A client's segment of more than 1000 bytes is dropped where a rule would have rewritten it.",
    breaks: { switch: { step: swallows('to-backend', isLarge) } },
    cases: ['REQ-4.post', 'BKD-2.chunked-write'],
    worlds: BOTH,
  },
  {
    id: 'swt-1.swallows-resets',
    clause: 'SWT-1',
    role: 'switch',
    summary: "A client's RST is dropped while its rule is in force.",
    breaks: { switch: { step: swallows('to-backend', (fields) => has(fields, 'RST')) } },
    cases: ['RET-5.rst-in-mid-response'],
  },
  {
    id: 'swt-2.swallows-large-segments',
    clause: 'SWT-2',
    role: 'switch',
    summary: "A backend's segment of more than 1000 bytes is dropped.",
    breaks: { switch: { step: swallows('to-client', isLarge) } },
    cases: ['REQ-4.post', 'RET-7.pipelined-reads'],
  },
  {
    id: 'swt-3.swallows-large-segments',
    clause: 'SWT-3',
    role: 'switch',
    summary: 'A segment of more than 1000 bytes that matches no rule is dropped.',
    breaks: { switch: { step: swallows('routed', isLarge) } },
    cases: ['REQ-2.fin-behind-header', 'HOF-7.two-curls', 'BKD-2.client-sequence-wraps-inside-a-payload'],
  },
  {
    id: 'swt-3.swallows-behind-a-rule',
    clause: 'SWT-3',
    role: 'switch',
    summary: "What a client sends behind its rule's removal is dropped.",
    breaks: {
      switch: {
        step: swallows(
          'routed',
          (fields, passing) => passing.from === 'client' && isBehindRule(passing) && fields.payload.length > 0,
        ),
      },
    },
    cases: ['REQ-6.path-hash'],
    worlds: BOTH,
  },
  {
    id: 'swt-3.swallows-the-reopening',
    clause: 'SWT-3',
    role: 'switch',
    summary: "What the controller sends behind a rule's removal is dropped.",
    breaks: {
      switch: { step: swallows('routed', (_, passing) => passing.from === 'controller' && isBehindRule(passing)) },
    },
    cases: ['REQ-6.path-hash'],
    worlds: BOTH,
  },
  {
    id: 'swt-3.swallows-fins',
    clause: 'SWT-3',
    role: 'switch',
    summary: "The controller's FIN is dropped.",
    breaks: { switch: { step: swallows('routed', (fields, { from }) => from === 'controller' && has(fields, 'FIN')) } },
    cases: ['REQ-6.path-hash'],
  },
  {
    id: 'swt-3.swallows-syn-acks',
    clause: 'SWT-3',
    role: 'switch',
    summary: 'No SYN-ACK passes.',
    breaks: { switch: { step: swallows('routed', (fields, { from }) => from === 'controller' && has(fields, 'SYN')) } },
    cases: ['REQ-6.path-hash'],
  },
  {
    id: 'swt-1.misses-second-rule',
    clause: 'SWT-1',
    role: 'switch',
    summary: "A connection's second rule does not match what its client sends.",
    breaks: { switch: { step: missesRule((_, { handoffs }) => handoffs === 2) } },
    cases: ['REQ-6.path-hash'],
    worlds: BOTH,
  },
  {
    id: 'swt-1.misses-resets',
    clause: 'SWT-1',
    role: 'switch',
    summary: 'A RST goes to the controller, whatever rule is in force.',
    breaks: { switch: { step: missesRule((fields) => has(fields, 'RST')) } },
    cases: ['RET-5.rst-in-mid-response'],
  },
  {
    id: 'swt-1.misses-acknowledgements',
    clause: 'SWT-1',
    role: 'switch',
    summary: 'Rules match segments with payload only.',
    breaks: { switch: { step: missesRule(({ payload }) => payload.length === 0) } },
    cases: ['REQ-6.path-hash', 'REQ-4.post'],
  },
  {
    id: 'swt-1.compares-signed-numbers',
    clause: 'SWT-1',
    role: 'switch',
    summary: 'A segment misses its rule when its sequence number is 2^31 or above.',
    breaks: { switch: { step: missesRule(({ seq }) => seq >= SIGN_BIT) } },
    cases: ['REQ-6.path-hash', 'REQ-4.post', 'HOF-6.curl-alternates-backends'],
  },
  {
    id: 'swt-1.forgets-quiet-rules',
    clause: 'SWT-1',
    role: 'switch',
    summary: 'A rule that nothing has met for two seconds is not found by the next segment.',
    breaks: { switch: { step: missesRule((_, __, quietMs) => quietMs > QUIET_MS) } },
    cases: ['SWT-1.quiet-within-a-payload'],
  },
  {
    id: 'swt-1.counts-64-kib',
    clause: 'SWT-1',
    role: 'switch',
    summary: 'A rule is worn out when 64 KiB have gone to the backend.',
    breaks: { switch: { step: missesRule((_, { bytes }) => bytes > KIB_64) } },
    cases: ['HOF-7.two-curls', 'BKD-2.client-sequence-wraps-inside-a-payload'],
  },
  {
    id: 'swt-1.mirrors-to-controller',
    clause: 'SWT-1',
    role: 'switch',
    summary: 'What a rule sends to a backend goes to the controller as well.',
    breaks: { switch: { step: mirrors() } },
    cases: ['REQ-6.path-hash'],
    worlds: BOTH,
  },
];
