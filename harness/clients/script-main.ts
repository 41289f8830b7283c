/**
 * The process that plays scripts inside the client's namespace: `{address, port, localAddress?, steps}` in, a JobResult out, both JSON; or
 * `{address, port, localAddress?, scripts}`, many connections at once, and their JobResults in order.
 */
import { text } from 'node:stream/consumers';
import type { JobResult, ScriptStep } from '../world.js';
import { playScript } from './script-client.js';

interface Script {
  readonly steps: readonly ScriptStep[];
  readonly timeoutMs: number;
}

type Input = { readonly address: string; readonly port: number; readonly localAddress?: string } & (
  | { readonly steps: readonly ScriptStep[] }
  | { readonly scripts: readonly Script[] }
);

const input = JSON.parse(await text(process.stdin)) as Input;
const { address, port, localAddress } = input;

/** Scripts that ran out of time still hold their connections. */
let late = false;

async function playInTime({ steps, timeoutMs }: Script): Promise<JobResult> {
  let timer: NodeJS.Timeout | undefined;
  const overtime = new Promise<JobResult>((resolve) => {
    const error = `the script was not done after ${timeoutMs} ms`;
    timer = setTimeout(() => {
      late = true;
      resolve({ ok: false, error, responses: [] });
    }, timeoutMs);
  });
  try {
    return await Promise.race([playScript(address, port, steps, localAddress), overtime]);
  } finally {
    clearTimeout(timer);
  }
}

const result =
  'scripts' in input
    ? await Promise.all(input.scripts.map(playInTime))
    : await playScript(address, port, input.steps, localAddress);
process.stdout.write(JSON.stringify(result), () => {
  // Nobody waits for what they still wait for.
  if (late) process.exit(0);
});
