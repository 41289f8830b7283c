/** Ctrl-C and its like: the first one asks for an orderly end, the second forces it. */

const CODES = { SIGHUP: 129, SIGINT: 130, SIGTERM: 143 } as const;

/** A terminal and a parent process may both pass the same Ctrl-C on: what comes within this time, in ms, is one interrupt. */
const ONE_INTERRUPT_MS = 500;

/** The reason with which an interrupted command ends; `exitCode` is 128 + the signal's number. */
export class Interrupted extends Error {
  override name = 'Interrupted';
  readonly exitCode: number;

  constructor(signal: keyof typeof CODES) {
    super(`interrupted by ${signal}`);
    this.exitCode = CODES[signal];
  }
}

/** The exit code that an interrupt asks for, if this signal was aborted by one. */
export function interruptedCode({ reason }: AbortSignal): number | undefined {
  return reason instanceof Interrupted ? reason.exitCode : undefined;
}

/** Runs `work` with a signal that the first interrupt aborts (reason: `Interrupted`); a second interrupt ends the process at once. */
export async function withInterrupt<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const controller = new AbortController();
  let since = 0;
  const listeners = Object.keys(CODES).map((name) => {
    const signal = name as keyof typeof CODES;
    const listener = (): void => {
      if (controller.signal.aborted) {
        if (Date.now() - since > ONE_INTERRUPT_MS) process.exit(CODES[signal]);
        return;
      }
      since = Date.now();
      process.stderr.write(`\rprism: ${signal}: cleaning up (once more to force)\n`);
      controller.abort(new Interrupted(signal));
    };
    process.on(signal, listener);
    return () => process.off(signal, listener);
  });
  try {
    return await work(controller.signal);
  } finally {
    for (const remove of listeners) remove();
  }
}
