/** Script jobs: exact bytes in exact pieces over one simulated connection. */
import { generateBody } from '../objects.js';
import type { ScriptStep } from '../world.js';
import type { Program, Session, Wait } from './job.js';

/** Plays the steps in order; what is left open at the end is closed. */
export function scriptProgram(steps: readonly ScriptStep[]): Program {
  return function* play(session) {
    for (const [index, step] of steps.entries()) yield* playStep(session, step, `step ${index + 1}: ${step.do}`);
  };
}

function* playStep(session: Session, step: ScriptStep, which: string): Generator<Wait, void, void> {
  const { connection } = session;
  switch (step.do) {
    case 'send': {
      const body = step.body === undefined ? new Uint8Array(0) : generateBody(step.body);
      // What is sent to somebody who has gone is lost; the steps that follow find out.
      if (connection.ended === null) connection.write(Buffer.concat([Buffer.from(step.text ?? '', 'latin1'), body]));
      return;
    }
    case 'response':
      yield* session.response(step.method ?? 'GET', which);
      return;
    case 'pause':
      yield* session.pause(step.ms);
      return;
    case 'shutdown':
      connection.shutdown();
      return;
    case 'wait-close':
      for (session.pump(); connection.ended === null; session.pump()) yield { what: which, until: null };
      return;
    case 'close':
      session.close();
      return;
    case 'abort':
      session.abort();
      return;
  }
}
