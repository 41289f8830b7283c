/** Cores that break one rule each: the reference's step functions with what comes out of them altered. */
import { type Cores, REFERENCE_CORES, rolesOf, type SimulatedRoles } from '../../harness/simulate/roles.js';
import type { RoleInput, RoleOutput, StepFunction } from '../../reference-impl/core/core.js';
import type { RemedyName } from '../../reference-impl/core/remedies.js';
import { buildTcpFrame } from '../../reference-impl/wire/build.js';
import { updateChecksum } from '../../reference-impl/wire/checksum.js';
import { parseFrame } from '../../reference-impl/wire/frame.js';
import { TcpFlag, type TcpOption } from '../../reference-impl/wire/tcp.js';

type ControlOutput = Extract<RoleOutput, { kind: 'control' }>;
export type FrameOutput = Extract<RoleOutput, { kind: 'frame' }>;

/** What goes out instead, given what came in. */
type Alter = (outputs: readonly RoleOutput[], input: RoleInput) => readonly RoleOutput[];

function altered<State>(step: StepFunction<State>, alter: Alter): StepFunction<State> {
  return (state, input, now) => {
    const stepped = step(state, input, now);
    return { state: stepped.state, outputs: alter(stepped.outputs, input) };
  };
}

export function broken(role: keyof Cores, alter: Alter): SimulatedRoles {
  const { fabric, controller, backend } = REFERENCE_CORES;
  return rolesOf({
    fabric: role === 'fabric' ? altered(fabric, alter) : fabric,
    controller: role === 'controller' ? altered(controller, alter) : controller,
    backend: role === 'backend' ? altered(backend, alter) : backend,
  });
}

/** A remedy switched off in all roles. */
export function lacking(...remedies: RemedyName[]): SimulatedRoles {
  const roles = rolesOf(REFERENCE_CORES);
  return {
    fabric: (config) => roles.fabric({ ...config, without: remedies }),
    controller: (config) => roles.controller({ ...config, without: remedies }),
    backend: (config) => roles.backend({ ...config, without: remedies }),
  };
}

/** Alters each frame that goes out; several or none may take its place. */
export const eachFrame =
  (alter: (frame: FrameOutput, input: RoleInput) => readonly RoleOutput[]): Alter =>
  (outputs, input) =>
    outputs.flatMap((output) => (output.kind === 'frame' ? alter(output, input) : [output]));

export const eachControl =
  (alter: (control: ControlOutput) => readonly RoleOutput[]): Alter =>
  (outputs) =>
    outputs.flatMap((output) => (output.kind === 'control' ? alter(output) : [output]));

export interface Fields {
  readonly seq: number;
  readonly ack: number;
  readonly flags: number;
  readonly window: number;
  readonly options: readonly TcpOption[];
  readonly payload: Uint8Array;
  readonly id: number;
}

/** The frame with other fields and valid checksums; as it is where it is no TCP, or `change` has nothing to say. */
export function changed(frame: FrameOutput, change: (fields: Fields) => Partial<Fields> | undefined): FrameOutput {
  const parsed = parseFrame(frame.bytes);
  if (!parsed.ok || parsed.value.ipv4 === undefined || parsed.value.tcp === undefined) return frame;
  const { ethernet, ipv4, tcp } = parsed.value;
  const { seq, ack, flags, window, options, payload } = tcp;
  const fields: Fields = { seq, ack, flags, window, options, payload, id: ipv4.id };
  const wanted = change(fields);
  if (wanted === undefined) return frame;
  const { id, ...segment } = { ...fields, ...wanted };
  const bytes = buildTcpFrame({
    ethernet: { dst: ethernet.dst, src: ethernet.src },
    ipv4: { src: ipv4.src, dst: ipv4.dst, id, ttl: ipv4.ttl },
    tcp: { srcPort: tcp.srcPort, dstPort: tcp.dstPort, ...segment },
  });
  return { ...frame, bytes };
}

export function has(flags: number, flag: keyof typeof TcpFlag): boolean {
  return (flags & TcpFlag[flag]) !== 0;
}

/** The frame with one more in the word at `at`; no checksum follows. */
export function bumped(frame: FrameOutput, at: number): FrameOutput {
  const bytes = frame.bytes.slice();
  bytes[at] = ((bytes[at] ?? 0) + 1) & 0xff;
  return { ...frame, bytes };
}

/** The frame with another IP identification, and the IP checksum that belongs to it. */
export function renumbered(frame: FrameOutput): FrameOutput {
  const bytes = frame.bytes.slice();
  const view = new DataView(bytes.buffer);
  if (view.getUint16(12) !== 0x0800) return frame;
  const id = view.getUint16(18);
  view.setUint16(18, id ^ 1);
  view.setUint16(24, updateChecksum(view.getUint16(24), id, id ^ 1));
  return { ...frame, bytes };
}
