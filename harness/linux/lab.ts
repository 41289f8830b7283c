/** A Linux world that outlives the command that started it: one for each user, found through a state file. */
import { spawn } from 'node:child_process';
import { chmodSync, existsSync, lstatSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { WorldError, type WorldOptions } from '../world.js';
import type { LabDown, LabFarewell, LabLaunch, LabState } from './lab-main.js';
import { probeLinux } from './probe.js';
import { enter, nodeCommand } from './processes.js';
import { isAlive } from './run-folder.js';

const STATE_FILE = 'state.json';
const SOCKET_FILE = 'lab.sock';
const START_MS = 90_000;

function stateFolder(): string {
  const runtime = process.env.XDG_RUNTIME_DIR;
  return runtime && existsSync(runtime) ? join(runtime, 'prism-lab') : join(tmpdir(), `prism-lab-${userInfo().uid}`);
}

/** The lab of this user, or undefined. What a killed one left is removed. */
export function findLab(): LabState | undefined {
  const folder = stateFolder();
  if (!existsSync(folder)) return undefined;
  const owner = lstatSync(folder);
  if (!owner.isDirectory() || owner.uid !== userInfo().uid)
    throw new WorldError(`${folder} is not a folder of yours; remove it`);
  try {
    const state = JSON.parse(readFileSync(join(folder, STATE_FILE), 'utf8')) as LabState;
    if (isAlive(state.pid)) return state;
  } catch {
    // Killed before it wrote its state.
  }
  rmSync(folder, { recursive: true, force: true });
  return undefined;
}

/** Starts a lab and resolves when clients can connect. The caller has made sure that none is up. Rejects with a WorldError. */
export async function startLab(options: WorldOptions): Promise<LabState> {
  const { available, rootless, missing } = await probeLinux();
  if (!available) throw new WorldError(`no lab here: ${missing.map((m) => `${m.what} (${m.remedy})`).join('; ')}`);
  const folder = stateFolder();
  mkdirSync(folder, { mode: 0o700 });
  chmodSync(folder, 0o700);
  const starting: Partial<LabState> = { schema: 'prism-lab/1', phase: 'starting', pid: process.pid };
  writeFileSync(join(folder, STATE_FILE), JSON.stringify(starting));
  const launch: LabLaunch = { folder, rootless, options };
  const inner = [...nodeCommand('./lab-main', import.meta.url), JSON.stringify(launch)];
  const [program = '', ...args] = rootless ? ['unshare', '--user', '--map-root-user', '--net', '--', ...inner] : inner;
  const child = spawn(program, args, { detached: true, stdio: ['ignore', 'pipe', 'ignore'], cwd: '/' });
  const gaveUp = setTimeout(() => child.kill('SIGTERM'), START_MS);
  const line = await new Promise<string>((resolve) => {
    let read = '';
    child.once('error', (error) => resolve(JSON.stringify({ error: error.message })));
    child.stdout.setEncoding('utf8').on('data', (piece: string) => {
      read += piece;
      if (read.includes('\n')) resolve(read);
    });
    child.stdout.once('end', () => resolve(JSON.stringify({ error: 'the lab ended while it started' })));
  });
  clearTimeout(gaveUp);
  child.stdout.destroy();
  child.unref();
  const answer = JSON.parse(line) as LabState | { error: string };
  if ('error' in answer) {
    rmSync(folder, { recursive: true, force: true });
    throw new WorldError(answer.error);
  }
  return answer;
}

/** Ends the lab and has its evidence written into `out` (absolute). Rejects with a WorldError. */
export async function stopLab(out: string): Promise<Exclude<LabFarewell, { error: string }>> {
  const socket = connect(join(stateFolder(), SOCKET_FILE));
  const down: LabDown = { out };
  socket.write(`${JSON.stringify(down)}\n`);
  const answer = await text(socket).catch((error: Error) => JSON.stringify({ error: error.message }));
  if (answer === '') throw new WorldError('the lab ended without writing its evidence');
  const farewell = JSON.parse(answer) as LabFarewell;
  if ('error' in farewell) throw new WorldError(farewell.error);
  return farewell;
}

/** The command line that runs a command as the lab's client. */
export function labCommand(lab: LabState, command: readonly string[]): string[] {
  if (!lab.rootless) return enter(lab.clientNamespace, command);
  return ['nsenter', `--target=${lab.clientNamespace}`, '--user', '--net', '--preserve-credentials', '--', ...command];
}
