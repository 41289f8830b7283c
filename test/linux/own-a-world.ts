/** Makes a Linux world with a client running in it, says which processes that are, and waits to be killed. */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { createLinuxWorld } from '../../harness/linux/world.js';
import { defaultPolicy } from '../../harness/topology.js';

const world = await createLinuxWorld(process.argv[2] ?? '', {
  seed: 1,
  without: [],
  policy: defaultPolicy,
  faults: [],
});
const home = readlinkSync('/proc/self/ns/net');

/** Processes whose parent we are: those of the world and the client. */
function children(): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => {
      try {
        return new RegExp(`^PPid:\\t${process.pid}$`, 'm').test(readFileSync(`/proc/${pid}/status`, 'utf8'));
      } catch {
        return false;
      }
    });
}

void world.runClients([{ kind: 'script', steps: [{ do: 'pause', ms: 60_000 }], timeoutMs: 60_000 }]);
setTimeout(() => {
  const pids = children().filter((pid) => readlinkSync(`/proc/${pid}/ns/net`) !== home);
  process.stdout.write(`${JSON.stringify({ pids, scratch: world.scratchFolder })}\n`);
}, 500);
