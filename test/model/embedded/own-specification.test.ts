/** Both checkers find the same of this project's own specification: as many states, and the same operator where a remedy is missing. */
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { runEmbedded } from '../../../model/embedded/run.js';
import { runTlc } from '../../../model/tlc/run.js';
import { findTools } from '../tlc/tools.js';

const SPEC = fileURLToPath(new URL('../../../spec', import.meta.url));

const modules = Object.fromEntries(
  readdirSync(SPEC)
    .filter((name) => name.endsWith('.tla'))
    .map((name) => [name, readFileSync(`${SPEC}/${name}`, 'utf8')]),
);

/** Without misfortune: some hundred states. */
const cfg = readFileSync(`${SPEC}/MCsmall.cfg`, 'utf8').replace(/^( *Events =).*/m, '$1 0');

const without = (remedy: string): string => cfg.replace(`${remedy} = TRUE`, `${remedy} = FALSE`);
const unfair = `${cfg.replace('SPECIFICATION Spec', 'INIT Init\nNEXT Next').replace(/^PROPERTIES[\s\S]*/m, '')}\nPROPERTY EST_1\n`;

const embedded = (text: string) =>
  runEmbedded({ modules, root: 'MC', cfg: text, maxStates: 20_000, timeoutMs: 250_000 });

const tools = await findTools();
if (tools) {
  const tlc = (text: string) =>
    runTlc({
      ...tools,
      modules: { texts: modules },
      root: 'MC',
      cfg: text,
      workers: 1,
      heapMegabytes: 500,
      deadlock: false,
      coverage: false,
      timeoutMs: 250_000,
    });

  t.test('as many states', async (t) => {
    const theirs = await tlc(cfg);
    t.match(theirs, { kind: 'ok' });
    t.ok((theirs.distinct ?? 0) > 500);
    t.match(await embedded(cfg), { kind: 'ok', distinct: theirs.distinct });
  });

  for (const remedy of ['CloseWindow', 'ZeroWindow'])
    t.test(`the same invariant without ${remedy}`, async (t) => {
      const theirs = await tlc(without(remedy));
      if (theirs.kind !== 'invariant') return void t.fail(`TLC: ${theirs.kind}`);
      t.match(await embedded(without(remedy)), { kind: 'invariant', name: theirs.name });
    });

  t.test('the same property without fairness', async (t) => {
    t.match(await tlc(unfair), { kind: 'liveness' });
    t.match(await embedded(unfair), { kind: 'liveness', property: 'EST_1' });
  });
}
