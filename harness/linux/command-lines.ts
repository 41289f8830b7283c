/** The receiving side of an Attendant: JSON lines on standard input, one answer line each; the end of the input ends the process. */
import { createInterface } from 'node:readline';

/** What a process may still do when nobody is there to ask it any more, in ms. */
const LAST_MS = 1000;

/**
 * Calls `answer` for each line, in order, and prints what it gives. An exception is answered as `{error}`.
 * When the asking process is gone the input ends, and so does this process, at once; or when `last` is done, which has a second for it.
 */
export function answerLines(
  answer: (question: Readonly<Record<string, unknown>>) => Promise<object> | object,
  last: () => Promise<unknown> | undefined = () => undefined,
): void {
  let turn = Promise.resolve();
  const input = createInterface({ input: process.stdin });
  input.on('line', (line) => {
    turn = turn.then(async () => {
      let reply: object;
      try {
        reply = await answer(JSON.parse(line) as Readonly<Record<string, unknown>>);
      } catch (error) {
        reply = { error: error instanceof Error ? error.message : String(error) };
      }
      process.stdout.write(`${JSON.stringify(reply)}\n`);
    });
  });
  input.on('close', () => {
    const done = last();
    if (done === undefined) process.exit(0);
    setTimeout(() => process.exit(0), LAST_MS);
    done.finally(() => process.exit(0));
  });
}
