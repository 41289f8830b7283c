/**
 * The stages of a read's hand-off at which a client may do something: each stretched until it cannot be missed, with the story that leads into it
 * and the moments of the run between which it lies.
 */
import type { SegmentStep } from '../../../harness/segments/story.js';
import type { ControlMatch, WorldOptions } from '../../../harness/world.js';
import type { CaseEvidence } from '../evidence.js';
import { connect, expectSegment, readResponse, sendText, wait, withholdAcks } from '../segment-words.js';
import { header } from '../vocabulary.js';

export interface Stage {
  /** Ends a case's id. */
  readonly name: string;
  /** Ends a sentence. */
  readonly when: string;
  readonly options: Partial<Pick<WorldOptions, 'controlFaults' | 'serviceDelayMs' | 'faults'>>;
  readonly path: string;
  /** The story up to the stage; all of the header is sent where `headerSent` is not smaller. */
  readonly lead: readonly SegmentStep[];
  /** How many bytes of the header have been sent, and acknowledged. */
  readonly headerSent: number;
  /** The whole response has been read, though maybe not acknowledged. */
  readonly responded: boolean;
  /**
   * Who has to answer the client's segment: its owner, nobody because the one whom it reaches owns nothing (HOF-5), or the owner once it knows that
   * the rules are gone.
   */
  readonly answered: 'at once' | 'never' | 'later';
  /** The window of the answer. */
  readonly window: 'zero' | 'open';
  /** More of the response may leave, and an answer with it. */
  readonly responding?: boolean;
  /** Where the client's segment arrives. */
  readonly vantage: 'controller' | 'backend0';
  /** Beginning and end of the stage, in ns since the epoch; undefined when it did not come about. */
  readonly span: (run: CaseEvidence) => Span | undefined;
}

export interface Span {
  readonly from: bigint;
  readonly until: bigint;
}

/** How long a control message is held up: long against what the client does within, short against the second after which it would be repeated. */
const HELD_MS = 600;
/** Until the stage before has passed, on a machine with other things to do. */
const LATER_MS = 150;

export const HEADER = header('GET', '/a/8k');
const LARGE_HEADER = header('GET', '/a/64k');
const HALF = 20;
/** Ten segments (RFC 6928) are more than this, and the whole object more than they. */
const SOME_OF_IT = 4_000;

const forever = 2n ** 63n;

type Side = 'sent' | 'received';

/** When a control message was first sent or received. */
function moment(run: CaseEvidence, at: string, direction: Side, match: ControlMatch): bigint | undefined {
  const found = run.control.find(
    (entry) =>
      entry.at === at &&
      entry.direction === direction &&
      (match.verb === undefined || entry.message.verb === match.verb) &&
      (match.answers === undefined || answers(run, entry.message, match.answers)),
  );
  return found && BigInt(found.t);
}

/** Whether an `ok` answers a request of that verb. */
function answers(run: CaseEvidence, message: CaseEvidence['control'][number]['message'], verb: string): boolean {
  if (message.verb !== 'ok') return false;
  return run.control.some(
    (entry) => 'id' in entry.message && entry.message.id === message.re && entry.message.verb === verb,
  );
}

/** When the backend first sent a payload, and when it first sent the last byte of its first response. */
function responseSpan(run: CaseEvidence): Span | undefined {
  const complete = moment(run, 'backend0', 'sent', { verb: 'complete' }) ?? forever;
  const sent = run.segments.filter(
    (s) => s.vantage === 'backend0' && s.src.startsWith(`${backendIp(run)}:`) && s.payload > 0,
  );
  const [first] = sent;
  if (first === undefined) return undefined;
  let last = first;
  for (const segment of sent)
    if (segment.t < complete && ((segment.seq + segment.payload - last.seq - last.payload) | 0) > 0) last = segment;
  return { from: first.t, until: last.t };
}

function backendIp({ topology }: CaseEvidence): string {
  return topology.backends.find(({ name }) => name === 'backend0')?.ip ?? '';
}

function between(from: bigint | undefined, until: bigint | undefined): Span | undefined {
  return from === undefined || until === undefined ? undefined : { from, until };
}

const delay = (...held: readonly ControlMatch[]): Stage['options'] => ({
  controlFaults: held.map((match) => ({ kind: 'delay', match, nth: [1], ms: HELD_MS })),
});

const headerTaken = (sent: string): SegmentStep[] => [
  connect(),
  sendText(sent),
  expectSegment({ flags: ['ACK'], acks: sent.length, window: 'zero' }),
];

const whole = { path: '/a/8k', headerSent: HEADER.length } as const;

/** The response has been read, and one message of the control plane is held up: the stage lasts while it is under way between these two. */
const answeredWhile = (held: ControlMatch, from: string, to: string) =>
  ({
    ...whole,
    options: delay(held),
    lead: [connect(), sendText(HEADER), readResponse, wait(LATER_MS)],
    responded: true,
    span: (run: CaseEvidence) => between(moment(run, from, 'sent', held), moment(run, to, 'received', held)),
  }) as const;

export const STAGES: readonly Stage[] = [
  {
    ...whole,
    name: 'in-mid-header',
    when: 'half of the request header has been received',
    options: {},
    lead: [connect(), sendText(HEADER.slice(0, HALF)), expectSegment({ flags: ['ACK'], acks: HALF, window: 'open' })],
    headerSent: HALF,
    responded: false,
    answered: 'at once',
    window: 'open',
    vantage: 'controller',
    span: (run) => ({ from: 0n, until: moment(run, 'controller', 'sent', { verb: 'add' }) ?? forever }),
  },
  {
    ...whole,
    name: 'while-add-outstanding',
    when: 'the switch has not confirmed the rules',
    // A control channel keeps its order: what follows the rule's installation does not overtake it.
    options: delay({ verb: 'add' }, { verb: 'remove' }),
    lead: [...headerTaken(HEADER), wait(LATER_MS)],
    responded: false,
    answered: 'at once',
    window: 'zero',
    vantage: 'controller',
    span: (run) =>
      between(moment(run, 'controller', 'sent', { verb: 'add' }), moment(run, 'switch', 'received', { verb: 'add' })),
  },
  {
    ...whole,
    name: 'before-take-over',
    when: 'the rules are in force and the backend has not taken over',
    options: delay({ verb: 'handoff' }),
    lead: [...headerTaken(HEADER), wait(LATER_MS)],
    responded: false,
    answered: 'never',
    window: 'zero',
    vantage: 'backend0',
    span: (run) =>
      between(
        moment(run, 'controller', 'sent', { verb: 'handoff' }),
        moment(run, 'backend0', 'received', { verb: 'handoff' }),
      ),
  },
  {
    ...whole,
    name: 'before-the-response',
    when: 'the backend has taken over and sent nothing',
    options: { serviceDelayMs: HELD_MS },
    lead: [...headerTaken(HEADER), wait(LATER_MS)],
    responded: false,
    answered: 'at once',
    window: 'zero',
    vantage: 'backend0',
    span: (run) =>
      between(moment(run, 'backend0', 'received', { verb: 'handoff' }), responseSpan(run)?.from ?? forever),
  },
  {
    ...whole,
    name: 'in-mid-response',
    when: 'the backend has sent a part of the response and waits for ACKs',
    options: {},
    path: '/a/64k',
    lead: [connect(), withholdAcks, sendText(LARGE_HEADER), { do: 'arrived', bytes: SOME_OF_IT }, wait(LATER_MS)],
    headerSent: LARGE_HEADER.length,
    responded: false,
    responding: true,
    answered: 'at once',
    window: 'zero',
    vantage: 'backend0',
    span(run) {
      const sent = responseSpan(run);
      // A client that is gone is not sent the rest.
      const whole = moment(run, 'backend0', 'sent', { verb: 'complete' }) !== undefined;
      return sent && { from: sent.from, until: whole ? sent.until : forever };
    },
  },
  {
    ...whole,
    name: 'while-last-byte-unacknowledged',
    when: 'the last byte of the response has been sent and not acknowledged',
    options: {},
    lead: [connect(), withholdAcks, sendText(HEADER), readResponse, wait(LATER_MS)],
    responded: true,
    answered: 'at once',
    window: 'zero',
    vantage: 'backend0',
    span: (run) => between(responseSpan(run)?.until, moment(run, 'backend0', 'sent', { verb: 'complete' }) ?? forever),
  },
  {
    ...answeredWhile({ verb: 'complete' }, 'backend0', 'controller'),
    name: 'while-complete-under-way',
    when: 'the backend has given the connection up and the controller does not know',
    answered: 'never',
    window: 'zero',
    vantage: 'backend0',
  },
  {
    ...answeredWhile({ verb: 'remove' }, 'controller', 'switch'),
    name: 'while-remove-outstanding',
    when: 'the controller owns the connection and the rules are still in force',
    answered: 'never',
    window: 'zero',
    vantage: 'backend0',
  },
  {
    ...answeredWhile({ verb: 'ok', answers: 'remove' }, 'switch', 'controller'),
    name: 'before-reopening',
    when: 'the rules are gone and the controller does not know',
    answered: 'later',
    window: 'open',
    vantage: 'controller',
  },
  {
    ...whole,
    name: 'after-a-lost-reopening',
    when: 'the window has been reopened and the ACK that says so is lost',
    options: {
      // What the controller sends without payload and with an open window: first its SYN-ACK, then what reopens.
      faults: [
        {
          kind: 'drop',
          match: { from: 'controller', to: 'client', payload: false, flags: ['ACK'], zeroWindow: false },
          nth: [2],
        },
      ],
    },
    lead: [connect(), sendText(HEADER), readResponse, wait(2 * LATER_MS)],
    responded: true,
    answered: 'at once',
    window: 'open',
    vantage: 'controller',
    span: (run) => between(moment(run, 'controller', 'received', { verb: 'ok', answers: 'remove' }), forever),
  },
  {
    ...whole,
    name: 'when-idle',
    when: 'the connection is back and idle',
    options: {},
    lead: [
      connect(),
      sendText(HEADER),
      readResponse,
      expectSegment({ flags: ['ACK'], payload: false, window: 'open' }),
      wait(50),
    ],
    responded: true,
    answered: 'at once',
    window: 'open',
    vantage: 'controller',
    span: (run) => between(moment(run, 'controller', 'received', { verb: 'ok', answers: 'remove' }), forever),
  },
];
