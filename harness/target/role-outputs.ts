/** What a module puts out, looked at before anybody uses it: the first thing that is no output is refused by its place and field. */
import { ControlMessage } from '../../reference-impl/control/messages.js';
import type { RoleOutput } from '../../reference-impl/core/core.js';
import { WorldError } from '../world.js';

/** An Ethernet header is 14 bytes (IEEE 802.3), no IP packet longer than 65535. */
const SHORTEST_FRAME = 14;
const LONGEST_FRAME = 14 + 65_535;

const kinds = (value: unknown): string => {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'a list';
  return typeof value === 'object' ? 'an object' : `${typeof value} ${String(value)}`;
};

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** What is wrong with one output, beginning with its field; undefined for a right one. */
function fault(output: unknown): string | undefined {
  if (!isObject(output)) return `is ${kinds(output)}, not an object`;
  switch (output.kind) {
    case 'frame': {
      if (typeof output.port !== 'string') return `port: expected a port's name, got ${kinds(output.port)}`;
      const { bytes } = output;
      if (!(bytes instanceof Uint8Array)) return `bytes: expected a Uint8Array, got ${kinds(bytes)}`;
      if (bytes.length < SHORTEST_FRAME || bytes.length > LONGEST_FRAME)
        return `bytes: expected ${SHORTEST_FRAME} to ${LONGEST_FRAME} bytes, got ${bytes.length}`;
      return undefined;
    }
    case 'control': {
      if (typeof output.peer !== 'string') return `peer: expected a peer's name, got ${kinds(output.peer)}`;
      const parsed = ControlMessage.safeParse(output.message);
      const issue = parsed.success ? undefined : parsed.error.issues[0];
      return issue && `${['message', ...issue.path].join('.')}: ${issue.message}`;
    }
    case 'timer': {
      if (typeof output.key !== 'string') return `key: expected a string, got ${kinds(output.key)}`;
      const { at } = output;
      if (at !== null && (typeof at !== 'number' || !Number.isFinite(at)))
        return `at: expected a time in microseconds or null, got ${kinds(at)}`;
      return undefined;
    }
    case 'event': {
      const { event } = output;
      if (!isObject(event) || typeof event.action !== 'string') return 'event: expected an object with an action';
      return undefined;
    }
    default:
      return `kind: expected frame, control, timer or event, got ${kinds(output.kind)}`;
  }
}

/** The outputs as they are. Throws a WorldError of one line, `NAME failed at WHERE: ...`, which names the output and its field. */
export function checkedOutputs(name: string, where: string, outputs: unknown): readonly RoleOutput[] {
  const failed = (what: string): WorldError => new WorldError(`${name} failed at ${where}: ${what}`);
  if (isObject(outputs) && typeof outputs.then === 'function')
    throw failed('it gave a promise; a module does not wait for anything');
  if (!Array.isArray(outputs)) throw failed('its step gave no list of outputs');
  for (const [index, output] of outputs.entries()) {
    const wrong = fault(output);
    if (wrong !== undefined) throw failed(`output ${index + 1}: ${wrong}`);
  }
  return outputs as readonly RoleOutput[];
}

/** What a module says it still holds: a count. Throws a WorldError. */
export function checkedHeld(name: string, held: () => unknown): number {
  let count: unknown;
  try {
    count = held();
  } catch (error) {
    throw new WorldError(
      `${name} failed at held: ${(error instanceof Error ? error.message : String(error)).split('\n')[0]}`,
    );
  }
  if (typeof count === 'number' && Number.isInteger(count) && count >= 0) return count;
  throw new WorldError(`${name} failed at held: expected a count, got ${kinds(count)}`);
}
