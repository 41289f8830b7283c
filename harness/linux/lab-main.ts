/** The process that keeps a lab alive: one Linux world, until it is told to end by a line on its socket or by a signal. */
import { copyFileSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { WorldOptions } from '../world.js';
import { createRunFolder } from './run-folder.js';
import { createLinuxWorld } from './world.js';

/** Handed over as the first argument, in JSON. */
export interface LabLaunch {
  /** The state folder, which exists and is ours. */
  readonly folder: string;
  readonly rootless: boolean;
  readonly options: WorldOptions;
}

/** `state.json` in the state folder, beside the socket `lab.sock`. */
export interface LabState {
  readonly schema: 'prism-lab/1';
  readonly phase: 'starting' | 'up';
  /** The process that keeps the lab (while starting: the one that starts it). */
  readonly pid: number;
  /** Process in the client's namespace. */
  readonly clientNamespace: number;
  /** Whether that namespace belongs to a user namespace that has to be entered too. */
  readonly rootless: boolean;
  /** `http://198.18.0.80`. */
  readonly origin: string;
  readonly startedAt: string;
}

/** One line to the lab's socket: ends the lab and writes its evidence into the folder (absolute). The answer is one line, a LabFarewell. */
export interface LabDown {
  readonly out: string;
}
export type LabFarewell =
  | { readonly files: readonly string[]; readonly captureDrops: number }
  | { readonly error: string };

const launch = JSON.parse(process.argv[2] ?? '') as LabLaunch;
const evidenceFolder = createRunFolder();
/** It could not be copied to where it was wanted. */
let keepEvidence = false;

function leave(code: number): never {
  if (!keepEvidence) rmSync(evidenceFolder, { recursive: true, force: true });
  rmSync(launch.folder, { recursive: true, force: true });
  process.exit(code);
}

const world = await createLinuxWorld(evidenceFolder, launch.options).catch((error: unknown) => {
  process.stdout.write(`${JSON.stringify({ error: error instanceof Error ? error.message : String(error) })}\n`);
  leave(4);
});

async function end({ out }: LabDown): Promise<LabFarewell> {
  try {
    const evidence = await world.finish();
    mkdirSync(out, { recursive: true });
    const files = [evidence.capture, evidence.controlLog, evidence.trace].map((from) => {
      const to = join(out, from.slice(evidenceFolder.length + 1));
      copyFileSync(from, to);
      return to;
    });
    const topology = join(out, 'topology.json');
    writeFileSync(topology, `${JSON.stringify(evidence.topology, null, 2)}\n`);
    return { files: [...files, topology], captureDrops: evidence.captureDrops };
  } catch (error) {
    keepEvidence = true;
    const reason = error instanceof Error ? error.message : String(error);
    return { error: `${reason}; the captures are in ${evidenceFolder}: move them before the next start sweeps them` };
  }
}

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
  process.on(signal, () => {
    void world.destroy().finally(() => leave(0));
  });

const server = createServer((socket) => {
  socket.on('error', () => {});
  createInterface({ input: socket }).once('line', async (line) => {
    const farewell = await end(JSON.parse(line) as LabDown);
    socket.end(`${JSON.stringify(farewell)}\n`, () => leave(0));
  });
});
await new Promise<void>((resolve) => server.listen(join(launch.folder, 'lab.sock'), resolve));

const { logical } = world.topology;
const state: LabState = {
  schema: 'prism-lab/1',
  phase: 'up',
  pid: process.pid,
  clientNamespace: world.clientNamespace,
  rootless: launch.rootless,
  origin: `http://${logical.ip}${logical.port === 80 ? '' : `:${logical.port}`}`,
  startedAt: new Date().toISOString(),
};
writeFileSync(join(launch.folder, 'state.json'), JSON.stringify(state));
process.stdout.write(`${JSON.stringify(state)}\n`);
