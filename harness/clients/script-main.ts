/** The process that plays a script job inside the client's namespace: `{address, port, steps, localAddress?}` in, a JobResult out, both JSON. */
import { text } from 'node:stream/consumers';
import type { ScriptStep } from '../world.js';
import { playScript } from './script-client.js';

interface ScriptJob {
  readonly address: string;
  readonly port: number;
  readonly steps: readonly ScriptStep[];
  readonly localAddress?: string;
}

const { address, port, steps, localAddress } = JSON.parse(await text(process.stdin)) as ScriptJob;
process.stdout.write(JSON.stringify(await playScript(address, port, steps, localAddress)));
