/** What `prism replay` writes with `--json`, whatever kind of token was replayed. */
import { ReplayDocument } from '../harness/simulate/report-schema.js';
import { commandLine } from './judgement.js';
import { VERSION } from './version.js';

type Replayed = Pick<ReplayDocument, 'token' | 'verdict' | 'expected' | 'failure'>;

export function replayDocument({ startedAt, ...replayed }: Replayed & { readonly startedAt: Date }): ReplayDocument {
  return ReplayDocument.parse({
    schema: 'prism-replay/1',
    tool: 'prism-conformance',
    version: VERSION,
    command: commandLine(),
    startedAt: startedAt.toISOString(),
    durationMs: Math.max(0, Date.now() - startedAt.getTime()),
    ...replayed,
  });
}
