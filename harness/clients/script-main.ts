/** The process that plays a script job inside the client's namespace: `{address, port, steps}` in, a JobResult out, both JSON. */
import { text } from 'node:stream/consumers';
import type { ScriptStep } from '../world.js';
import { playScript } from './script-client.js';

const job = JSON.parse(await text(process.stdin)) as { address: string; port: number; steps: readonly ScriptStep[] };
process.stdout.write(JSON.stringify(await playScript(job.address, job.port, job.steps)));
