/** Makes a Linux world whose switch is a program that starts a daemon, says so, and waits to be killed. */
import { createLinuxWorld } from '../../harness/linux/world.js';
import { optionsOf, targetOf } from './under-test.js';

const script = '(setsid sleep 10011 >/dev/null 2>&1 &); echo up; sleep 10012';
const target = targetOf({ switch: { command: ['sh', '-c', script], control: 'none', ready: { stdout: 'up' } } });
await createLinuxWorld(process.argv[2] ?? '', optionsOf(target));
process.stdout.write('up\n');
