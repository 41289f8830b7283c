/** In a network namespace of its own: a program is put in front of two interfaces in each way, and taken away. Prints what the kernel shows, as JSON. */
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { switchObject } from '../../kernel/switch/build.js';
import { type Attachment, DataPlane, portIndexes } from '../../kernel/switch/data-plane.js';

const PORTS = ['client', 'backend0'];
for (const name of PORTS) execFileSync('ip', ['link', 'add', name, 'type', 'veth', 'peer', 'name', `to-${name}`]);
const indexes = portIndexes(Object.fromEntries(PORTS.map((name) => [name, name])));
const config = {
  mac: 0x0200c6120001,
  ports: [],
  routes: [],
  neighbours: [],
  logical: 0xc61200c8,
  ruleCapacity: 10,
  drainMs: 0,
  without: [],
};

/** Links of this process, and clsact qdiscs of the namespace. */
function shown(): { readonly links: number; readonly qdiscs: number } {
  const links = readdirSync('/proc/self/fdinfo').filter((fd) => {
    try {
      return readFileSync(`/proc/self/fdinfo/${fd}`, 'utf8').includes('link_type:\ttcx');
    } catch {
      return false;
    }
  });
  const qdiscs = execFileSync('tc', ['qdisc', 'show'], { encoding: 'utf8' }).match(/clsact/g) ?? [];
  return { links: links.length, qdiscs: qdiscs.length };
}

const object = await switchObject();
const seen = [];
for (const wanted of ['tcx', 'clsact', undefined] as const) {
  const plane = new DataPlane(object, config, indexes);
  let used: Attachment | string;
  try {
    used = plane.attach(PORTS, wanted);
  } catch (error) {
    used = String(error);
  }
  const attached = shown();
  plane.close();
  seen.push({ wanted: wanted ?? 'any', used, attached, afterwards: shown() });
}
process.stdout.write(`${JSON.stringify(seen)}\n`);
