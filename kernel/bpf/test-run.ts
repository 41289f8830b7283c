/** Runs a tc program on frames from memory (BPF_PROG_TEST_RUN): nothing is sent, nothing waits. */
import koffi from 'koffi';
import { WorldError } from '../../harness/world.js';
import { bpfErrorName, libbpf } from './libbpf.js';

/** More than the kernel takes into one page. */
const FRAME_BYTES = 4096;
/** struct __sk_buff, with room for what later kernels add. */
const CONTEXT_BYTES = 256;
const CONTEXT_USED = 192;
const CONTEXT_IFINDEX = 40;
const CONTEXT_CB = 48;
const OPTIONS_BYTES = 80;

export interface RunResult {
  /** As the program returned it: TC_ACT_OK 0, TC_ACT_SHOT 2, TC_ACT_REDIRECT 7. */
  readonly verdict: number;
  /** The frame as the program left it; good until the next run. */
  readonly bytes: Uint8Array;
  /** `skb->cb[0]`. */
  readonly mark: number;
}

function memory(size: number): { readonly address: bigint; readonly bytes: Uint8Array; readonly view: DataView } {
  const pointer = koffi.alloc('uint8_t', size);
  const buffer = koffi.view(pointer, size);
  return { address: koffi.address(pointer), bytes: new Uint8Array(buffer), view: new DataView(buffer) };
}

export class TestRun {
  readonly #program: number;
  readonly #input = memory(FRAME_BYTES);
  readonly #output = memory(FRAME_BYTES);
  readonly #context = memory(CONTEXT_BYTES);
  readonly #contextOut = memory(CONTEXT_BYTES);

  constructor(program: number) {
    this.#program = program;
  }

  /**
   * `bytes`: 14 to some 3,500; `ifindex`: the interface it came in by, of the current namespace. Throws a WorldError when the kernel does
   * not run it (needs CAP_BPF and CAP_NET_ADMIN). `repeat`: how often it runs; `nanoseconds` is the mean.
   */
  run(bytes: Uint8Array, ifindex: number, repeat = 1): RunResult & { readonly nanoseconds: number } {
    this.#input.bytes.set(bytes);
    this.#context.view.setUint32(CONTEXT_IFINDEX, ifindex, true);
    // struct bpf_test_run_opts
    const options = new DataView(new ArrayBuffer(OPTIONS_BYTES));
    options.setBigUint64(0, BigInt(OPTIONS_BYTES), true);
    options.setBigUint64(8, this.#input.address, true);
    options.setBigUint64(16, this.#output.address, true);
    options.setUint32(24, bytes.length, true);
    options.setUint32(28, FRAME_BYTES, true);
    options.setBigUint64(32, this.#context.address, true);
    options.setBigUint64(40, this.#contextOut.address, true);
    options.setUint32(48, CONTEXT_USED, true);
    options.setUint32(52, CONTEXT_BYTES, true);
    options.setInt32(60, repeat, true);
    const result = libbpf().test_run(this.#program, new Uint8Array(options.buffer));
    if (result < 0)
      throw new WorldError(`a test run of an eBPF program on ${bytes.length} bytes: ${bpfErrorName(result)}`);
    return {
      verdict: options.getUint32(56, true),
      bytes: this.#output.bytes.subarray(0, options.getUint32(28, true)),
      mark: this.#contextOut.view.getUint32(CONTEXT_CB, true),
      nanoseconds: options.getUint32(64, true),
    };
  }
}
