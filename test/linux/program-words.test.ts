/** What is kept of a program's words: lines of bounded length, logs of bounded size. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import t from 'tap';
import { BoundedLog, keepEnds } from '../../harness/linux/bounded-log.js';
import { LineCutter } from '../../harness/linux/lines.js';

const KEPT = 256 * 1024;

t.test('a short log is kept whole', (t) => {
  const path = join(t.testdir(), 'log');
  const log = new BoundedLog(path);
  log.append(Buffer.from('one\n'));
  t.equal(readFileSync(path, 'utf8'), 'one\n', 'at once: the writer may be killed');
  log.append(Buffer.from('two\n\n  three  \n'));
  t.equal(log.lastWords(2), 'two | three');
  log.close();
  log.append(Buffer.from('late'));
  log.close();
  t.equal(readFileSync(path, 'utf8'), 'one\ntwo\n\n  three  \n');
  t.end();
});

t.test('a flood keeps its two ends, and says how much is missing', (t) => {
  const path = join(t.testdir(), 'log');
  const log = new BoundedLog(path);
  const line = Buffer.from(`${'x'.repeat(999)}\n`);
  log.append(Buffer.from('first\n'));
  for (let i = 0; i < 5000; i++) log.append(line);
  log.append(Buffer.from('last\n'));
  log.close();
  const text = readFileSync(path, 'utf8');
  t.ok(text.length < 2 * KEPT + 4096, `${text.length} bytes`);
  t.match(text, /^first\n/);
  t.match(text, /last\n$/);
  const leftOut = Number(/\n\[\.\.\. (\d+) bytes left out \.\.\.\]\n/.exec(text)?.[1]);
  t.equal(
    text.length - `\n[... ${leftOut} bytes left out ...]\n`.length + leftOut,
    5_000_011,
    'every byte is there or counted',
  );
  t.end();
});

t.test('the ends of a file of the role itself', (t) => {
  const folder = t.testdir({ small: 'words\n' });
  const at = (name: string) => join(folder, name);
  keepEnds(at('small'), at('kept'));
  t.equal(readFileSync(at('kept'), 'utf8'), 'words\n');
  writeFileSync(at('big'), Buffer.alloc(3 * KEPT, 'y'));
  keepEnds(at('big'), at('big-kept'));
  t.match(readFileSync(at('big-kept'), 'utf8'), /262144 bytes left out/);
  keepEnds(at('none'), at('none-kept'));
  t.notOk(existsSync(at('none-kept')));
  t.end();
});

t.test('lines do not depend on how they were cut into pieces', (t) => {
  fc.assert(
    fc.property(
      fc.array(fc.string({ unit: fc.constantFrom('a', 'é', '€', '😀', '\r'), maxLength: 40 })),
      fc.array(fc.nat(7), { minLength: 1 }),
      (texts, cuts) => {
        const lines = texts.map((text) => text.replaceAll('\n', ' '));
        const bytes = Buffer.from(lines.map((line) => `${line}\n`).join(''));
        const taken: string[] = [];
        const cutter = new LineCutter(1000, (line) => taken.push(line));
        for (let at = 0, i = 0; at < bytes.length; i++) {
          const next = at + 1 + (cuts[i % cuts.length] ?? 0);
          cutter.push(bytes.subarray(at, next));
          at = next;
        }
        return taken.join('\n') === lines.map((line) => Buffer.from(line).toString()).join('\n');
      },
    ),
    { numRuns: 100 },
  );
  t.end();
});

t.test('a line that is too long is handed on once, cut; the next one is whole', (t) => {
  const taken: string[] = [];
  const cutter = new LineCutter(10, (line) => taken.push(line));
  for (let i = 0; i < 100; i++) cutter.push(Buffer.from('abcdef'));
  cutter.push(Buffer.from('rest\nnext\n'));
  t.equal(taken.length, 2);
  t.match(taken[0], /^abcdefabcdef/);
  t.equal(taken[1], 'next');
  t.end();
});
