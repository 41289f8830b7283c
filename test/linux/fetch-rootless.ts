/** Fetches an object in a Linux world, going through a user namespace where that is needed; prints what came. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { needsRootless, reexecRootless } from '../../harness/linux/rootless.js';
import { createLinuxWorld } from '../../harness/linux/world.js';
import { defaultPolicy } from '../../harness/topology.js';

if (await needsRootless()) {
  process.exitCode = await reexecRootless(process.argv.slice(2));
} else {
  const folder = mkdtempSync(join(tmpdir(), 'prism-rootless-'));
  const world = await createLinuxWorld(folder, { seed: 1, without: [], policy: defaultPolicy, faults: [] });
  const results = await world.runClients([
    { kind: 'http', program: 'node', requests: [{ method: 'GET', path: '/b/64k' }] },
  ]);
  const { captureDrops } = await world.finish();
  rmSync(folder, { recursive: true });
  process.stdout.write(JSON.stringify({ rootless: process.env.PRISM_ROOTLESS === '1', results, captureDrops }));
}
