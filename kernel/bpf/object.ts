/** A loaded eBPF object: its program, and its maps by name. */
import type { NativePointer } from '../../harness/linux/libc.js';
import { WorldError } from '../../harness/world.js';
import { bpfErrorName, libbpf } from './libbpf.js';

const LOG_BYTES = 1 << 20;

/** Why the kernel refused it: the verifier's last words before its summary. */
function verifierReason(log: Uint8Array): string {
  const text = Buffer.from(log.subarray(0, log.indexOf(0))).toString('utf8');
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('processed '));
  return lines.at(-1) ?? 'the verifier said nothing';
}

export class BpfMap {
  constructor(
    readonly name: string,
    readonly fd: number,
  ) {}

  /** Throws a WorldError that names the map and the error (`E2BIG`: it is full). */
  set(key: Uint8Array, value: Uint8Array): void {
    const result = libbpf().update(this.fd, key, value, 0n);
    if (result < 0) throw new BpfMapError(this.name, bpfErrorName(result));
  }

  /** False when there was nothing to delete. */
  delete(key: Uint8Array): boolean {
    const result = libbpf().remove(this.fd, key);
    if (result >= 0) return true;
    const name = bpfErrorName(result);
    if (name === 'ENOENT') return false;
    throw new BpfMapError(this.name, name);
  }

  /** `size`: of the value in bytes; of a per-CPU map, of all CPUs' together. */
  get(key: Uint8Array, size: number): Uint8Array | undefined {
    const value = new Uint8Array(size);
    return libbpf().lookup(this.fd, key, value) < 0 ? undefined : value;
  }

  /** Every key that is in it, each of `size` bytes. */
  keys(size: number): Uint8Array[] {
    const keys: Uint8Array[] = [];
    for (let key: Uint8Array | null = null; ; ) {
      const next = new Uint8Array(size);
      if (libbpf().next_key(this.fd, key, next) < 0) return keys;
      keys.push(next);
      key = next;
    }
  }
}

export class BpfMapError extends WorldError {
  constructor(
    map: string,
    /** Such as `E2BIG`. */
    readonly code: string,
  ) {
    super(`the eBPF map ${map} took no entry: ${code}${code === 'E2BIG' ? ' (it is full)' : ''}`);
  }
}

export class BpfObject {
  readonly #object: NativePointer;
  readonly #maps = new Map<string, BpfMap>();
  /** Descriptor of the program. */
  readonly program: number;

  /**
   * Opens and loads; `sizes` are the entries of maps that hold more or fewer than the source says.
   * Throws a WorldError: no such file, no permission, or what the verifier holds against it.
   */
  constructor(path: string, program: string, sizes: Readonly<Record<string, number>> = {}) {
    const bpf = libbpf();
    const object = bpf.object_open(path);
    if (object === null) throw new WorldError(`${path} is no eBPF object`);
    this.#object = object;
    try {
      for (const [name, entries] of Object.entries(sizes)) {
        const map = bpf.find_map(object, name);
        if (map === null) throw new WorldError(`${path} has no map ${name}`);
        const result = bpf.set_max_entries(map, entries);
        if (result < 0) throw new WorldError(`${entries} entries for the eBPF map ${name}: ${bpfErrorName(result)}`);
      }
      const found = bpf.find_program(object, program);
      if (found === null) throw new WorldError(`${path} has no program ${program}`);
      const log = new Uint8Array(LOG_BYTES);
      bpf.set_log(found, log, log.length);
      const result = bpf.object_load(object);
      if (result < 0) throw new WorldError(loadFailure(path, result, log));
      this.program = bpf.program_fd(found);
    } catch (error) {
      this.close();
      throw error;
    }
  }

  /** Descriptor of another program of the object. Throws a WorldError when it has none of that name. */
  otherProgram(name: string): number {
    const found = libbpf().find_program(this.#object, name);
    if (found === null) throw new WorldError(`the eBPF object has no program ${name}`);
    return libbpf().program_fd(found);
  }

  map(name: string): BpfMap {
    const known = this.#maps.get(name);
    if (known) return known;
    const found = libbpf().find_map(this.#object, name);
    if (found === null) throw new WorldError(`the eBPF object has no map ${name}`);
    const map = new BpfMap(name, libbpf().map_fd(found));
    this.#maps.set(name, map);
    return map;
  }

  /** The program and its maps are gone once nothing is attached any more. */
  close(): void {
    libbpf().object_close(this.#object);
  }
}

function loadFailure(path: string, result: number, log: Uint8Array): string {
  const name = bpfErrorName(result);
  if (name === 'EPERM')
    return 'the kernel lets this process load no eBPF program: it needs CAP_BPF and CAP_NET_ADMIN (root)';
  if (log[0] !== 0) return `the kernel's verifier refuses ${path}: ${verifierReason(log)}`;
  return `the kernel does not load ${path}: ${name}`;
}
