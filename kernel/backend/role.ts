/** The kernel backend as a program of its own, told what `prism role backend0` is told. */
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { RunningRole } from '../../harness/linux/role-runtime.js';
import { type StandaloneRole, standaloneOptions, standaloneRim } from '../../harness/linux/standalone-role.js';
import { backendConfig } from '../../harness/roles.js';
import { WorldError } from '../../harness/world.js';
import { parseIpv4Address } from '../../reference-impl/wire/addresses.js';
import { BackendControl } from './backend.js';
import { HandedConnection, HandedServer } from './connection.js';
import { Guard, guardObject } from './guard.js';
import { serveObjects } from './objects.js';
import { rehearse } from './rehearsal.js';
import { type Address, probeRepair, RepairRefused } from './repair.js';
import { widenDefaultRoute } from './route.js';

export interface KernelBackend extends StandaloneRole {
  /** Folder of the objects that it serves. */
  readonly objects: string;
  /** Folder for what is PUT; one of its own when absent. */
  readonly scratch?: string;
  /** VAR-4: it closes the window of reads itself. */
  readonly zeroWindow?: boolean;
}

/** Segments that a response begins with. */
const INITIAL_WINDOW = 64;
/** Of a request's header, in bytes: more than a controller takes. */
const HEADER_LIMIT = 1024 * 1024;

/** Resolves, when the guard stands and the backend listens, to what takes everything away again. Rejects (WorldError) saying what is missing. */
export async function runKernelBackend(role: KernelBackend): Promise<() => void> {
  const { topology, options } = standaloneOptions(role);
  const { name, ip, port } = backendConfig(topology, options, role.name, new Map());
  const [interfaceName = 'link'] = role.interfaces;
  const local: Address = { ip, port };
  probeRepair();
  const guard = new Guard(await guardObject(), local);
  const undo: (() => void)[] = [() => guard.close()];
  const stop = (): void => {
    for (const step of undo.splice(0).toReversed()) step();
  };
  try {
    guard.attach(interfaceName);
    undo.push(widenDefaultRoute(interfaceName, INITIAL_WINDOW));
    let { scratch } = role;
    if (scratch === undefined) {
      const folder = mkdtempSync(join(tmpdir(), 'prism-backend-'));
      undo.push(() => rmSync(folder, { recursive: true, force: true }));
      scratch = folder;
    }
    const server = new HandedServer(
      createServer(
        { maxHeaderSize: HEADER_LIMIT },
        serveObjects({ objects: role.objects, scratch, delayMs: options.serviceDelayMs ?? 0 }),
      ),
    );
    await rehearse({ local, guard, server });
    const control = new BackendControl(name, {
      now: () => Number(process.hrtime.bigint() / 1000n),
      put: (outputs) => running.put(outputs),
      takeOver: (handoff, ended) => {
        const { ip: clientIp, port: clientPort } = handoff.conn.client;
        const address = parseIpv4Address(clientIp);
        if (address === undefined) throw new RepairRefused(`the client ${clientIp}`, 'EINVAL');
        const client = { ip: address, port: clientPort };
        const zeroWindow = role.zeroWindow ?? false;
        return new HandedConnection({ handoff, local, client, guard, server, zeroWindow, ended });
      },
    });
    undo.push(() => control.stop());
    const running: RunningRole<BackendControl> = new RunningRole(
      {
        initial: { state: control, outputs: [] },
        step: (state, input) => ({ state, outputs: state.step(input) }),
        idle: (state) => state.open === 0,
      },
      { ...standaloneRim(role), ports: {} },
    );
    undo.push(() => running.stop());
    await running.start();
    return stop;
  } catch (error) {
    stop();
    if (error instanceof RepairRefused) throw new WorldError(error.message);
    throw error;
  }
}
