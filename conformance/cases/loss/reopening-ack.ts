/** The ACK that reopens the window is lost, or overtaken by an older one with a closed window. */
import type { ConformanceCase } from '../case.js';
import { expectObjects, gets, header, pause, response, runOne, script, send } from '../vocabulary.js';

const PATHS = ['/a/1k', '/b/1k', '/a/8k'];

export const reopeningAckLost: ConformanceCase = {
  id: 'RET-2.reopening-ack-lost',
  clauses: ['RET-2', 'REQ-3', 'HOF-6'],
  summary: 'The ACK that reopens the window is lost twice; the client makes its next request all the same.',
  worlds: ['sim', 'linux'],
  options: {
    // What the controller sends without payload and with an open window: first its SYN-ACK, then what reopens.
    faults: [
      {
        kind: 'drop',
        match: { from: 'controller', to: 'client', payload: false, flags: ['ACK'], zeroWindow: false },
        nth: [2, 3],
      },
    ],
  },
  async run(context) {
    expectObjects(context, await runOne(context, script(...gets(...PATHS))), PATHS);
  },
};

export const zeroWindowAckLate: ConformanceCase = {
  id: 'RET-2.zero-window-ack-late',
  clauses: ['RET-2', 'SWT-6', 'HOF-6'],
  summary: "A backend's answers to window probes arrive long after the window was reopened; the client does not stall.",
  worlds: ['sim', 'linux'],
  options: {
    serviceDelayMs: 400,
    faults: [{ kind: 'delay', match: { from: 'backend0', to: 'client', payload: false }, ms: 1000 }],
  },
  async run(context) {
    const result = await runOne(
      context,
      script(
        send(header('GET', '/a/8k')),
        pause(50),
        // Held back by the closed window, it makes the client probe while the backend owns the connection.
        send(header('GET', '/b/1')),
        response(),
        response(),
        // The old ACKs arrive now, at an idle connection.
        pause(1000),
        ...gets('/a/1'),
      ),
    );
    expectObjects(context, result, ['/a/8k', '/b/1', '/a/1']);
  },
};
