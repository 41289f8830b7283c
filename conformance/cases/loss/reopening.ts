/** Old acknowledgements around the reopening of the window, and a client that probes a closed one (RET-2). */
import type { Fault } from '../../../harness/world.js';
import type { ConformanceCase } from '../case.js';
import { type CaseEvidence, logicalOf } from '../evidence.js';
import { expectObjects, gets, header, response, runOne, script, send } from '../vocabulary.js';

const PATHS = ['/a/8k', '/b/8k', '/a/1k'];

function around(story: string, summary: string, faults: readonly Fault[]): ConformanceCase {
  return {
    id: `RET-2.${story}`,
    clauses: ['RET-2', 'RET-1', 'HOF-4'],
    summary,
    worlds: ['sim', 'linux'],
    options: { faults },
    async run(context) {
      expectObjects(context, await runOne(context, script(...gets(...PATHS))), PATHS);
    },
  };
}

const closed = { to: 'client', payload: false, zeroWindow: true } as const;
const opened = { from: 'controller', to: 'client', payload: false, flags: ['ACK'], zeroWindow: false } as const;

export const closingAckTwice = around(
  'closing-ack-twice',
  'Every acknowledgement that closes the window arrives twice: the client goes on as soon as the window reopens.',
  [{ kind: 'duplicate', match: closed }],
);

export const reopeningAckTwice = around(
  'reopening-ack-twice',
  'Every acknowledgement that reopens the window arrives twice: nobody takes the second for news.',
  [{ kind: 'duplicate', match: opened }],
);

export const oldClosingAckBehindReopening = around(
  'old-closing-acks-behind-the-reopening',
  "The controller's acknowledgement of a header arrives twice, late, behind the reopening: the client is not stalled.",
  [
    { kind: 'duplicate', match: { from: 'controller', ...closed }, nth: [1] },
    { kind: 'delay', match: { from: 'controller', ...closed }, nth: [1], ms: 60 },
  ],
);

/** The client had the next request ready, and asks the closed window again and again. */
export const probesWhileHandedOff: ConformanceCase = {
  id: 'RET-2.probes-while-handed-off',
  clauses: ['RET-2', 'BKD-3', 'SWT-6', 'RET-7'],
  summary:
    'A client with more to send probes the closed window while a backend owns the connection, and is let on later.',
  worlds: ['sim', 'linux'],
  options: { serviceDelayMs: 1200 },
  async run(context) {
    const steps = [send(header('GET', '/a/8k') + header('GET', '/b/8k')), response(), response()];
    expectObjects(context, await runOne(context, script(...steps)), ['/a/8k', '/b/8k']);
  },
  afterwards({ segments, topology, premise }: CaseEvidence) {
    const backend = topology.backends.find(({ name }) => name === 'backend0');
    const probes = segments.filter((s) => s.vantage === 'backend0' && s.dst.startsWith(`${backend?.ip}:`));
    const again = probes.filter((s) => s.src !== logicalOf(topology));
    premise(again.length >= 2, `${again.length} segments of the client met the backend`);
  },
};
