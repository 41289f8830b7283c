/** The switch's eBPF object, compiled by clang. */
import { bpfObject } from '../bpf/build.js';

let built: Promise<string> | undefined;

/** The object's path; compiled once a process at most. Rejects (WorldError) saying what is missing. */
export function switchObject(): Promise<string> {
  built ??= bpfObject('the eBPF switch', 'prism-switch', 'kernel/switch/prism_switch.bpf.c');
  return built;
}
