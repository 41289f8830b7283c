/** wget, Python and Node read from both backends, ask for headers and write, each with an HTTP client of its own. */
import type { ClientProgram } from '../../../harness/world.js';
import type { ConformanceCase } from '../case.js';
import { CONNECTS, HANDS_OFF, READS, WRITES } from '../premises.js';
import { client, expectObjects, expectReadBack, expectStored, get, head, put, runOne } from '../vocabulary.js';

const PATHS = ['/a/8k', '/b/8k', '/a/1', '/b/0', '/a/64k', '/b/64k'];
const BODY = { size: 100_000, seed: 3 };

function readsAndWrites(program: ClientProgram, command: string, name: string): ConformanceCase {
  return {
    id: `HOF-6.${program}-reads-and-writes`,
    clauses: ['HOF-6', ...CONNECTS, ...HANDS_OFF, ...READS, ...WRITES],
    summary: `${name} reads from both backends in turn on one connection, asks for headers, writes, and reads back.`,
    worlds: ['sim', 'linux'],
    programs: [command],
    async run(context) {
      expectObjects(context, await runOne(context, client(program, ...PATHS.map(get))), PATHS);
      const heads = await runOne(context, client(program, head('/a/8k'), head('/b/8k')));
      context.expectOk([heads]);
      const empty = heads.responses.filter((r) => r.status === 200 && r.bodySize === 0);
      context.expect(empty.length === 2, `HEAD: expected twice status 200 and no body, got ${empty.length}`, 'service');
      // One method a job: wget takes one for all the addresses of a run.
      const write = await runOne(context, client(program, put('/a/written', BODY), put('/b/written', BODY)));
      context.expectOk([write]);
      for (const i of [0, 1]) expectStored(context, write.responses[i], BODY);
      const back = await runOne(context, client(program, get('/a/written'), get('/b/written')));
      context.expectOk([back]);
      for (const i of [0, 1]) expectReadBack(context, back.responses[i], BODY);
    },
  };
}

export const wgetReadsAndWrites = readsAndWrites('wget', 'wget', 'wget');
export const pythonReadsAndWrites = readsAndWrites('python', 'python3', "Python's http.client");
export const nodeReadsAndWrites = readsAndWrites('node', 'node', "Node's http");
