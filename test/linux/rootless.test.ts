/** The Linux world without root: as an ordinary user whose kernel allows user namespaces. */
import { spawnSync } from 'node:child_process';
import { tmpdir } from 'node:os';
import t from 'tap';
import { probeLinux } from '../../harness/linux/probe.js';
import { nodeCommand, plainEnvironment } from '../../harness/linux/processes.js';

const asNobody = process.getuid?.() === 0 ? ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups', '--'] : [];

/** Runs a command as an ordinary user. */
function run(command: readonly string[]) {
  const [program = '', ...args] = [...asNobody, ...command];
  return spawnSync(program, args, { encoding: 'utf8', timeout: 120_000, env: plainEnvironment(tmpdir()) });
}

/** Why it cannot be tried. Not even CI can demand it: the checkout may be private to root, and some kernels forbid user namespaces. */
async function obstacle(): Promise<string | undefined> {
  const { available, missing } = await probeLinux();
  if (!available) return missing.map((m) => m.what).join(', ');
  if (run(['ls', import.meta.dirname]).status !== 0) return 'the checkout is private to root';
  if (run(['unshare', '--user', '--map-root-user', '--net', 'true']).status !== 0)
    return 'no unprivileged user namespaces';
  return undefined;
}

const why = await obstacle();
if (why !== undefined) t.plan(0, `skipped: ${why}`);
else
  t.test('an ordinary user has a world of his own', (t) => {
    const ran = run(nodeCommand('./fetch-rootless', import.meta.url));
    t.equal(ran.status, 0, 'exit code');
    if (ran.status !== 0) t.comment(ran.stderr);
    t.match(JSON.parse(ran.stdout), {
      rootless: true,
      results: [{ ok: true, responses: [{ status: 200, bodySize: 65536 }] }],
      captureDrops: 0,
    });
    t.end();
  });
