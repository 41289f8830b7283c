/** What of libbpf is needed to load a program, fill its maps and run it; libbpf comes with Debian's iproute2. */
import koffi from 'koffi';
import type { NativePointer } from '../../harness/linux/libc.js';
import { WorldError } from '../../harness/world.js';

export interface Libbpf {
  object_open(path: string): NativePointer | null;
  object_load(object: NativePointer): number;
  object_close(object: NativePointer): void;
  find_map(object: NativePointer, name: string): NativePointer | null;
  find_program(object: NativePointer, name: string): NativePointer | null;
  program_fd(program: NativePointer): number;
  set_log(program: NativePointer, buffer: Uint8Array, length: number): number;
  map_fd(map: NativePointer): number;
  set_max_entries(map: NativePointer, entries: number): number;
  update(fd: number, key: Uint8Array, value: Uint8Array, flags: bigint): number;
  remove(fd: number, key: Uint8Array): number;
  lookup(fd: number, key: Uint8Array, value: Uint8Array): number;
  next_key(fd: number, key: Uint8Array | null, next: Uint8Array): number;
  possible_cpus(): number;
  link_create(program: number, target: number, kind: number, options: null): number;
  tc_hook_create(hook: Uint8Array): number;
  tc_hook_destroy(hook: Uint8Array): number;
  tc_attach(hook: Uint8Array, options: Uint8Array): number;
  tc_detach(hook: Uint8Array, options: Uint8Array): number;
  tc_query(hook: Uint8Array, options: Uint8Array): number;
  test_run(program: number, options: Uint8Array): number;
}

let loaded: Libbpf | undefined;

/** Loads libbpf once; throws a WorldError where there is none. */
export function libbpf(): Libbpf {
  if (loaded) return loaded;
  try {
    const lib = koffi.load('libbpf.so.1');
    // Its warnings would go to standard error, in the midst of whatever is written there; the verifier's reasons come by `set_log`.
    lib.func('void *libbpf_set_print(void *print)')(null);
    loaded = {
      object_open: lib.func('void *bpf_object__open(const char *path)'),
      object_load: lib.func('int bpf_object__load(void *object)'),
      object_close: lib.func('void bpf_object__close(void *object)'),
      find_map: lib.func('void *bpf_object__find_map_by_name(void *object, const char *name)'),
      find_program: lib.func('void *bpf_object__find_program_by_name(void *object, const char *name)'),
      program_fd: lib.func('int bpf_program__fd(void *program)'),
      set_log: lib.func('int bpf_program__set_log_buf(void *program, void *buffer, size_t length)'),
      map_fd: lib.func('int bpf_map__fd(void *map)'),
      set_max_entries: lib.func('int bpf_map__set_max_entries(void *map, uint32_t entries)'),
      update: lib.func('int bpf_map_update_elem(int fd, const void *key, const void *value, uint64_t flags)'),
      remove: lib.func('int bpf_map_delete_elem(int fd, const void *key)'),
      lookup: lib.func('int bpf_map_lookup_elem(int fd, const void *key, _Out_ void *value)'),
      next_key: lib.func('int bpf_map_get_next_key(int fd, const void *key, _Out_ void *next)'),
      possible_cpus: lib.func('int libbpf_num_possible_cpus()'),
      link_create: lib.func('int bpf_link_create(int program, int target, int kind, const void *options)'),
      tc_hook_create: lib.func('int bpf_tc_hook_create(const void *hook)'),
      tc_hook_destroy: lib.func('int bpf_tc_hook_destroy(const void *hook)'),
      tc_attach: lib.func('int bpf_tc_attach(const void *hook, _Inout_ void *options)'),
      tc_detach: lib.func('int bpf_tc_detach(const void *hook, const void *options)'),
      tc_query: lib.func('int bpf_tc_query(const void *hook, _Inout_ void *options)'),
      test_run: lib.func('int bpf_prog_test_run_opts(int program, _Inout_ void *options)'),
    };
    return loaded;
  } catch (error) {
    const why = error instanceof Error ? error.message.split('\n')[0] : String(error);
    throw new WorldError(`libbpf cannot be loaded (Debian: libbpf1): ${why}`);
  }
}

/** Names the error that libbpf returned as a negative number, such as `EPERM`. */
export function bpfErrorName(result: number): string {
  return Object.entries(koffi.os.errno).find(([, value]) => value === -result)?.[0] ?? `error ${-result}`;
}
