/** What a running case speaks to: the world, and expectations that are recorded instead of thrown. */
import { createHash } from 'node:crypto';
import { generateBody, LARGE_OBJECTS, objectCatalogue } from '../../harness/objects.js';
import type { BodySpec, HttpResponse, JobResult, World } from '../../harness/world.js';
import type { CaseContext, Failure, SpeaksFor } from './case.js';

/** SHA-256 of a generated body, lower-case hex. */
export function bodyDigest(spec: BodySpec): string {
  return createHash('sha256').update(generateBody(spec)).digest('hex');
}

/** What an object is: its size, and how to come by its digest without holding it whole. */
interface Known {
  readonly size: number;
  digest(): string;
}

const CATALOGUE: ReadonlyMap<string, Known> = new Map([
  ...[...objectCatalogue()].map(([path, spec]) => [path, { size: spec.size, digest: () => bodyDigest(spec) }] as const),
  ...[...LARGE_OBJECTS].map(
    ([path, { unit, times }]) =>
      [path, { size: unit.size * times, digest: () => repeatedDigest(generateBody(unit), times) }] as const,
  ),
]);

function repeatedDigest(unit: Uint8Array, times: number): string {
  const hash = createHash('sha256');
  for (let i = 0; i < times; i++) hash.update(unit);
  return hash.digest('hex');
}

/** An 8 MB body is generated once, not once an expectation. */
const digests = new Map<string, string>();

function objectDigest(path: string, object: Known): string {
  const known = digests.get(path);
  if (known !== undefined) return known;
  const digest = object.digest();
  digests.set(path, digest);
  return digest;
}

/** What a target takes that declares no other limit, in bytes (REQ-7). */
const HEADER_LIMIT = 64 * 1024;

/** A context whose failed expectations gather in `failures`, in the order in which they failed; empty is a pass. */
export function createContext(
  world: World,
  headerLimit = HEADER_LIMIT,
): CaseContext & { readonly failures: Failure[] } {
  const failures: Failure[] = [];
  const expect = (condition: boolean, message: string, speaksFor?: SpeaksFor): void => {
    if (condition) return;
    if (speaksFor === undefined) failures.push({ message });
    else failures.push(speaksFor === 'service' ? { message, service: true } : { message, clause: speaksFor });
  };
  return {
    world,
    headerLimit,
    results: [],
    failures,
    expect,
    expectOk(results: readonly JobResult[]): void {
      for (const [i, result] of results.entries()) {
        const which = results.length > 1 ? `client ${i + 1} of ${results.length}` : 'the client';
        expect(result.ok, `${which} did not finish: ${result.error ?? 'no reason given'}`, 'service');
      }
    },
    expectBody(response: HttpResponse | undefined, status: number, path: string): void {
      const spec = CATALOGUE.get(path);
      if (!spec) throw new Error(`the case expects ${path}, which is no object of the backends`);
      if (!response) {
        expect(false, `no response to the request for ${path}`, 'service');
        return;
      }
      expect(response.status === status, `${path}: expected status ${status}, got ${response.status}`, 'service');
      const size = `${path}: expected ${spec.size} bytes of body, got ${response.bodySize}`;
      expect(response.bodySize === spec.size, size, 'service');
      // A body of another size has another hash too: one message is enough.
      if (response.bodySize !== spec.size) return;
      const sha256 = objectDigest(path, spec);
      const content = `${path}: expected a body with SHA-256 ${sha256}, got ${response.sha256}`;
      expect(response.sha256 === sha256, content, 'service');
    },
  };
}
