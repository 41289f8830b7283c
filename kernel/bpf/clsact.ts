/** A tc program in front of, or behind, an interface of the current namespace by a clsact qdisc: it stays there when its process dies. */
import { spawnSync } from 'node:child_process';
import { interfaceIndex } from '../../harness/linux/packet-socket.js';
import { WorldError } from '../../harness/world.js';
import { bpfErrorName, libbpf } from './libbpf.js';

export type Direction = 'ingress' | 'egress';

const POINTS: Readonly<Record<Direction, number>> = { ingress: 1, egress: 2 };
const BOTH = 3;
const BPF_TC_F_REPLACE = 1;

/** struct bpf_tc_hook {size_t sz; int ifindex; enum attach_point; u32 parent;} */
function hook(ifindex: number, point: number): Uint8Array {
  const view = new DataView(new ArrayBuffer(24));
  view.setBigUint64(0, 24n, true);
  view.setInt32(8, ifindex, true);
  view.setInt32(12, point, true);
  return new Uint8Array(view.buffer);
}

/** struct bpf_tc_opts {size_t sz; int prog_fd; u32 flags, prog_id, handle, priority;} */
function options(program: number, flags: number, place: number): Uint8Array {
  const view = new DataView(new ArrayBuffer(32));
  view.setBigUint64(0, 32n, true);
  view.setInt32(8, program, true);
  view.setUint32(12, flags, true);
  view.setUint32(20, place, true);
  view.setUint32(24, place, true);
  return new Uint8Array(view.buffer);
}

/** Whether nobody has a filter there; false where that cannot be asked. */
function isEmpty(interfaceName: string): boolean {
  return Object.keys(POINTS).every((direction) => {
    const { status, stdout } = spawnSync('tc', ['filter', 'show', 'dev', interfaceName, direction], {
      encoding: 'utf8',
    });
    return status === 0 && stdout.trim() === '';
  });
}

/**
 * Attaches programs; returns what takes them away, and with them a qdisc that was made here, or by a process that died and whose filters stood in this
 * place, unless somebody else has filters at it. `place`: handle and priority of the filters. Throws a WorldError, with nothing left attached.
 */
export function attachClsact(
  interfaceName: string,
  place: number,
  programs: readonly { readonly direction: Direction; readonly program: number }[],
): () => void {
  const bpf = libbpf();
  const ifindex = interfaceIndex(interfaceName);
  const created = bpf.tc_hook_create(hook(ifindex, BOTH));
  if (created < 0 && bpfErrorName(created) !== 'EEXIST')
    throw new WorldError(`the clsact qdisc: ${bpfErrorName(created)}`);
  const left = programs.some(
    ({ direction }) => bpf.tc_query(hook(ifindex, POINTS[direction]), options(0, 0, place)) >= 0,
  );
  const undo: (() => void)[] = [];
  if (created >= 0 || left)
    undo.push(() => {
      if (isEmpty(interfaceName)) bpf.tc_hook_destroy(hook(ifindex, BOTH));
    });
  const detach = (): void => {
    for (const step of undo.splice(0).toReversed()) step();
  };
  for (const { direction, program } of programs) {
    const attached = bpf.tc_attach(hook(ifindex, POINTS[direction]), options(program, BPF_TC_F_REPLACE, place));
    if (attached < 0) {
      detach();
      throw new WorldError(`the eBPF filter at tc ${direction}: ${bpfErrorName(attached)}`);
    }
    undo.push(() => bpf.tc_detach(hook(ifindex, POINTS[direction]), options(0, 0, place)));
  }
  return detach;
}
