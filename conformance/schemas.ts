/** The published JSON Schemas, derived from the zod schemas that this project itself reads and writes with. */
import { z } from 'zod';
import { ReplayDocument, SimulationDocument, StoriesDocument } from '../harness/simulate/report-schema.js';
import { TargetList } from '../harness/target/listing.js';
import { Manifest } from '../harness/target/manifest.js';
import { Topology } from '../harness/topology.js';
import { ControlMessage } from '../reference-impl/control/messages.js';
import { Requirements } from '../spec/requirements.js';
import { ControlLogLine } from './control-log.js';
import { TraceDocument } from './lift/trace-result.js';
import { MutantList } from './mutants/list-schema.js';
import { CombinationList } from './report/combinations.js';
import { ResultDocument } from './result-schema.js';

const PUBLISHED = {
  'prism-result-1': { schema: ResultDocument, title: 'What every judging command of prism writes with --json' },
  'prism-topology-1': { schema: Topology, title: 'Who is who on the network that a capture was taken of' },
  'prism-target-1': {
    schema: Manifest,
    title: 'Which roles are under test, how they are started and spoken to, and what they can do',
  },
  'prism-list-targets-1': { schema: TargetList, title: 'What prism list targets writes with --json' },
  'prism-list-combinations-1': { schema: CombinationList, title: 'What prism list combinations writes with --json' },
  'prism-control-1': {
    schema: ControlMessage,
    title: 'One message (one line) of the control protocol between controller, switch and backends',
  },
  'prism-control-log-1': {
    schema: ControlLogLine,
    title: 'One line of NAME.control.ndjson: a control message as some role sent or received it',
  },
  'prism-simulation-1': { schema: SimulationDocument, title: 'What prism simulate writes with --json' },
  'prism-stories-1': { schema: StoriesDocument, title: 'What prism simulate --stories writes with --json' },
  'prism-replay-1': { schema: ReplayDocument, title: 'What prism replay writes with --json' },
  'prism-trace-1': { schema: TraceDocument, title: 'What prism trace check writes with --json' },
  'prism-list-mutants-1': { schema: MutantList, title: 'What prism list mutants writes with --json' },
  'prism-requirements-1': { schema: Requirements, title: 'The catalogue of clauses' },
} as const;

/** File name in `schemas/` to its exact text. */
export function publishedSchemas(): Map<string, string> {
  const files = new Map<string, string>();
  for (const [name, { schema, title }] of Object.entries(PUBLISHED)) {
    const { $schema, ...body } = z.toJSONSchema(schema, { target: 'draft-2020-12', reused: 'inline' });
    files.set(
      `${name}.schema.json`,
      `${JSON.stringify({ $schema, $id: `${name}.schema.json`, title, ...body }, null, 2)}\n`,
    );
  }
  return files;
}
