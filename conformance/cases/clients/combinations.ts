/** Client programs on differently set stacks: one case for each row of the covering array (docs/decisions/0019-real-stacks.md). */
import { CLIENT_NEEDS } from '../../../harness/clients/installed.js';
import { OBJECT_SIZES } from '../../../harness/objects.js';
import type {
  BodySpec,
  ClientJob,
  ClientProgram,
  HttpRequestSpec,
  LoadResult,
  WorldKind,
} from '../../../harness/world.js';
import type { CaseContext, ConformanceCase } from '../case.js';
import { CONNECTS, HANDS_OFF, READS, WRITES } from '../premises.js';
import {
  client,
  expectObjects,
  expectReadBack,
  expectStored,
  get,
  gets,
  header,
  put,
  response,
  runOne,
  script,
  send,
  sendBody,
  writeHeader,
} from '../vocabulary.js';
import { OWN_STACKS, profileOf, STACK_ROWS, type StackRow, unusual } from './stack-factors.js';

const SMALL = ['/a/1k', '/b/8k', '/a/1', '/b/0', '/a/8k', '/b/1k'];
const LARGE = ['/a/1m', '/b/64k'];
/** scapy takes a millisecond for a segment. */
const LARGE_BY_HAND = ['/a/64k', '/b/64k'];
const PIPELINED = ['/a/1k', '/b/8k', '/b/1k', '/a/8k'];
const WRITTEN = ['/a/written', '/b/written'];
const BODY: BodySpec = { size: 100_000, seed: 5 };
const LOAD_CONNECTIONS = 4;
const AB_REQUESTS = { read: 60, 'read-large': 20 } as const;
/** wrk counts in whole seconds; in the simulated network a client does in 40 ms what it does in a second of a busy machine. */
const WRK_MS = { sim: 40, linux: 1000 } as const satisfies Record<WorldKind, number>;
/** A client with 8 KiB of room takes a megabyte in small steps, and three of them share the machine. */
const TIMEOUT_MS = 60_000;

const KINDS = {
  read: 'Small reads',
  'read-large': 'Large reads',
  write: 'Writes',
  pipelined: 'Pipelined reads',
} as const satisfies Record<StackRow['request'], string>;

type Rows<P extends StackRow['program']> = StackRow & { readonly program: P };

const isLoad = (row: StackRow): row is Rows<'wrk' | 'ab'> => row.program === 'wrk' || row.program === 'ab';
const isSocket = (row: StackRow): row is Rows<'socket'> => row.program === 'socket';

function http(program: ClientProgram, requests: readonly HttpRequestSpec[], pipelined = false): ClientJob {
  return { ...client(program, ...requests), ...(pipelined ? { pipelined } : {}), timeoutMs: TIMEOUT_MS } as ClientJob;
}

function reads(row: StackRow, paths: readonly string[]): ClientJob {
  const pipelined = row.request === 'pipelined';
  if (!isSocket(row)) return http(row.program as ClientProgram, paths.map(get), pipelined);
  if (!pipelined) return script(...gets(...paths));
  return script(send(paths.map((path) => header('GET', path)).join('')), ...paths.map(() => response()));
}

function writes(row: StackRow, paths: readonly string[]): ClientJob {
  if (!isSocket(row))
    return http(
      row.program as ClientProgram,
      paths.map((path) => put(path, BODY)),
    );
  const write = (path: string) => [send(writeHeader(BODY, path)), sendBody(BODY), response()];
  return script(...paths.flatMap(write));
}

function load(row: Rows<'wrk' | 'ab'>, world: WorldKind): ClientJob {
  const large = row.request === 'read-large';
  const base = {
    kind: 'load',
    path: large ? '/b/64k' : '/a/8k',
    connections: LOAD_CONNECTIONS,
    timeoutMs: TIMEOUT_MS,
  } as const;
  if (row.program === 'wrk') return { ...base, program: 'wrk', durationMs: WRK_MS[world] };
  return { ...base, program: 'ab', requests: AB_REQUESTS[large ? 'read-large' : 'read'] };
}

function expectLoad(context: CaseContext, counted: LoadResult | undefined, size: number): void {
  if (counted === undefined) return;
  const { done, non2xx, bytes } = counted;
  context.expect(non2xx === 0, `expected 200 for every request, ${non2xx} of ${done} got something else`, 'service');
  context.expect(
    bytes >= done * size,
    `expected ${done} bodies of ${size} bytes, got ${bytes} bytes in all`,
    'service',
  );
}

async function play(context: CaseContext, row: StackRow): Promise<void> {
  if (isLoad(row)) {
    const result = await runOne(context, load(row, context.world.kind));
    context.expectOk([result]);
    expectLoad(context, result.load, row.request === 'read-large' ? OBJECT_SIZES['64k'] : OBJECT_SIZES['8k']);
    return;
  }
  if (row.request === 'write') {
    // What arrives behind a header before the hand-off is sent again, which lwIP does after three seconds.
    const paths = row.program === 'lwip' ? WRITTEN.slice(0, 1) : WRITTEN;
    const written = await runOne(context, writes(row, paths));
    context.expectOk([written]);
    const back = await runOne(context, reads({ ...row, request: 'read' }, paths));
    context.expectOk([back]);
    for (const i of paths.keys()) {
      expectStored(context, written.responses[i], BODY);
      expectReadBack(context, back.responses[i], BODY);
    }
    return;
  }
  const large = row.program === 'scapy' ? LARGE_BY_HAND : LARGE;
  const paths = { read: SMALL, 'read-large': large, pipelined: PIPELINED }[row.request];
  expectObjects(context, await runOne(context, reads(row, paths)), paths);
}

/** The clauses whose premise a row makes happen: without timestamps nothing can be said about their continuity. */
function clausesOf(row: StackRow): string[] {
  const stamped = row.timestamps === 'on' && !OWN_STACKS.includes(row.program);
  const own = [...CONNECTS, ...HANDS_OFF, ...READS, ...(row.request === 'write' ? WRITES : [])];
  const clauses = [
    ...(isLoad(row) || (row.program === 'lwip' && row.request === 'write') ? [] : ['HOF-6']),
    ...own,
    ...(row.request === 'pipelined' ? ['RET-7'] : []),
  ];
  return clauses.filter((clause) => stamped || clause !== 'BKD-8');
}

/** The case that runs a row, by its place in the array. */
export function combinationId(row: StackRow, index: number): string {
  return `EST-3.stack-${String(index + 1).padStart(2, '0')}-${row.program}-${row.request}`;
}

function combination(row: StackRow, index: number): ConformanceCase {
  const clientProfile = profileOf(row);
  return {
    id: combinationId(row, index),
    clauses: clausesOf(row),
    summary: `${KINDS[row.request]} by ${row.program}, on a stack with ${unusual(row)}.`,
    worlds: ['sim', 'linux'],
    programs: isSocket(row) ? [] : CLIENT_NEEDS[row.program as Exclude<StackRow['program'], 'socket'>],
    ...(row.request === 'write' ? { needs: ['write'] } : row.request === 'pipelined' ? { needs: ['pipelining'] } : {}),
    ...(clientProfile === undefined ? {} : { options: { clientProfile } }),
    run: (context) => play(context, row),
  };
}

export const combinations: readonly ConformanceCase[] = STACK_ROWS.map(combination);
