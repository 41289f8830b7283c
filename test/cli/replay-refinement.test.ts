/** `prism refine` prints a token of its counterexample, and `prism replay` tells it again; needs Java. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { ReplayDocument } from '../../harness/simulate/report-schema.js';
import { writeRefineToken } from '../../model/refine/token.js';
import { prism } from './run-cli.js';

const cwd = t.testdir({});

t.test('the counterexample of a remedy off: its token fails again, with ladder and story', async (t) => {
  const explored = await prism(['refine', '--bounds', 'none', '--without', 'backend-guard'], { cwd });
  t.equal(explored.code, 1);
  const token = /^again: prism replay (refine1-\S+)$/m.exec(explored.stdout)?.[1] ?? '';
  t.not(token, '');
  const replayed = await prism(['replay', token, '--json', 'again.json'], { cwd });
  t.match(replayed, { code: 1, stderr: '' });
  t.match(replayed.stdout, /^NO REFINEMENT after \d+ steps: b1 gets the client's segment .*: no-such-state$/m);
  t.match(replayed.stdout, /^ {4}1\. the client: Connect$/m);
  t.match(replayed.stdout, /but the specification is never in the state after it/);
  t.match(replayed.stdout, `\nprism replay ${token}\n`);
  const document = ReplayDocument.parse(JSON.parse(readFileSync(join(cwd, 'again.json'), 'utf8')));
  t.match(document, { verdict: 'fails', token, failure: { departure: 'no-such-state', misfortune: 0 } });
});

t.test('a way that the specification has: exit 0, and what does not fit is told as it can be', async (t) => {
  const token = writeRefineToken({ misfortune: 0, live: true, without: [], choices: [0, 0, 0, 1200, 35] }) ?? '';
  t.match(await prism(['replay', token], { cwd }), { code: 0, stdout: /^pass: the specification has all 5 steps$/m });
  const long = writeRefineToken({ misfortune: 0, live: false, without: [], choices: Array(1500).fill(0) }) ?? '';
  t.match(await prism(['replay', long], { cwd }), {
    code: 0,
    stdout: /^pass: the specification has all \d+ steps; of the 1500 in the token no more can be told$/m,
  });
});
