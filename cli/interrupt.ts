/** Ctrl-C and its like: the first one asks for an orderly end, the second forces it. */

const CODES = { SIGHUP: 129, SIGINT: 130, SIGTERM: 143 } as const;

/** The reason with which an interrupted command ends; `exitCode` is 128 + the signal's number. */
export class Interrupted extends Error {
  override name = 'Interrupted';
  readonly exitCode: number;

  constructor(signal: keyof typeof CODES) {
    super(`interrupted by ${signal}`);
    this.exitCode = CODES[signal];
  }
}

/** Runs `work` with a signal that the first interrupt aborts (reason: `Interrupted`); a second interrupt ends the process at once. */
export async function withInterrupt<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const controller = new AbortController();
  const listeners = Object.keys(CODES).map((name) => {
    const signal = name as keyof typeof CODES;
    const listener = (): void => {
      if (controller.signal.aborted) process.exit(CODES[signal]);
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
