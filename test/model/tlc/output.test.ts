/** TLC's output in pieces of any size, and the kinds of it that are hard to provoke. */
import { deepStrictEqual } from 'node:assert';
import fc from 'fast-check';
import t from 'tap';
import type { TlcMessage } from '../../../model/tlc/messages.js';
import { TlcOutput } from '../../../model/tlc/output.js';
import { Recorder } from '../../../model/tlc/recorder.js';
import { holds } from '../../wire/property.js';

function framed(code: number, severity: number, text: string): string {
  return `@!@!@STARTMSG ${code}:${severity} @!@!@\n${text}\n@!@!@ENDMSG ${code} @!@!@\n`;
}

function read(text: string, pieces: readonly number[] = []): TlcMessage[] {
  const output = new TlcOutput('Root');
  const messages: TlcMessage[] = [];
  let at = 0;
  for (const length of pieces) {
    messages.push(...output.push(text.slice(at, at + length)));
    at += length;
  }
  messages.push(...output.push(text.slice(at)), ...output.end());
  return messages;
}

const SANY_START = framed(2220, 0, 'Starting SANY...');
const SANY_END = framed(2219, 0, 'SANY finished.');
const PARSED = SANY_START + SANY_END;

const RECORDED = [
  framed(2262, 0, 'TLC2 Version 2.18 of 20 March 2023'),
  PARSED,
  '<<"a", 1>>\n<< [name |-> "it goes ]) on {",\n     n |-> 1],\n   2 >>\n',
  framed(2110, 1, 'Invariant Small is violated.'),
  framed(2217, 4, '1: <Initial predicate>\n/\\ x = 0\n/\\ y = "@!@!@ENDMSG 2217 @!@!@"\n'),
  framed(
    2217,
    4,
    '2: <Step(1, "a") line 8, col 9 to line 9, col 89 of module M>\n/\\ x = << 1,\n   2 >>\n/\\ y = {}\n',
  ),
  framed(2122, 4, '1: Back to state: <Round line 8, col 10 to line 8, col 42 of module M>\n'),
  framed(
    2200,
    0,
    'Progress(12) at 2026-01-02 03:04:05: 1,234,567 states generated (30,000 s/min), 89,012 distinct states found (2,000 ds/min), 345 states left on queue.',
  ),
  framed(2772, 0, '<Never line 7, col 1 to line 7, col 11 of module M (7 3 7 11)>: 1,000:20,000'),
  framed(2186, 0, 'Finished in 01min 03s at (2026-01-02 03:04:05)'),
].join('');

t.test('a recorded run', (t) => {
  const location = { module: 'M', line: 7, column: 3, endLine: 7, endColumn: 11 };
  t.strictSame(
    read(RECORDED).filter(({ kind }) => kind !== 'other'),
    [
      { kind: 'version', text: 'TLC2 Version 2.18 of 20 March 2023' },
      { kind: 'print', text: '<<"a", 1>>' },
      { kind: 'print', text: '<< [name |-> "it goes ]) on {",\n     n |-> 1],\n   2 >>' },
      { kind: 'invariant', name: 'Small', state: null },
      {
        kind: 'trace-state',
        state: { index: 1, action: null, location: null, state: { x: 0, y: '@!@!@ENDMSG 2217 @!@!@' } },
        text: '/\\ x = 0\n/\\ y = "@!@!@ENDMSG 2217 @!@!@"\n',
      },
      {
        kind: 'trace-state',
        state: {
          index: 2,
          action: 'Step',
          location: { module: 'M', line: 8, column: 9, endLine: 9, endColumn: 89 },
          state: { x: [1, 2], y: [] },
        },
        text: '/\\ x = << 1,\n   2 >>\n/\\ y = {}\n',
      },
      { kind: 'back-to-state', index: 1 },
      {
        kind: 'progress',
        progress: {
          depth: 12,
          generated: 1_234_567,
          distinct: 89_012,
          queue: 345,
          generatedPerMinute: 30_000,
          distinctPerMinute: 2000,
        },
      },
      { kind: 'coverage', coverage: { action: 'Never', location, distinct: 1000, generated: 20_000 } },
      { kind: 'finished', durationMs: 63_000 },
    ],
  );
  t.end();
});

t.test('pieces of any size make no difference', (t) => {
  const whole = read(RECORDED);
  holds(
    t,
    fc.property(fc.array(fc.nat(60), { maxLength: 100 }), (pieces) => {
      deepStrictEqual(read(RECORDED, pieces), whole);
    }),
  );
  t.end();
});

t.test('any text is read', (t) => {
  const parts = fc.constantFrom(
    '@!@!@STARTMSG 2217:4 @!@!@\n',
    '@!@!@ENDMSG 2217 @!@!@\n',
    ': @!@!@STARTMSG 1:1 @!@!@\n',
    'x\n',
    '2: <A',
    '>\n',
    '***Parse Error***\n',
    '*** Errors: 1\n',
    PARSED,
    framed(3002, 1, ''),
    framed(2200, 0, 'Progress'),
  );
  holds(
    t,
    fc.property(fc.array(fc.oneof(parts, fc.string())), (texts) => void read(texts.join(''))),
    1000,
  );
  t.end();
});

function end(text: string, code: number, complaint = '') {
  const recorder = new Recorder([], true);
  for (const message of read(text)) recorder.add(message);
  return recorder.outcome({ end: { kind: 'exited', code }, complaint, durationMs: 1, timeoutMs: 1 });
}

const UNEXPECTED =
  'TLC threw an unexpected exception.\nThis was probably caused by an error in the spec or model.\nSee the User Output or TLC Console for clues to what happened.\nThe exception was a ';

t.test('a full disk', (t) => {
  const said = framed(2127, 1, 'when writing the disk (StatePoolWriter.run):\nNo space left on device');
  t.match(end(PARSED + said, 153), { kind: 'disk-full' });
  const thrown = framed(
    1000,
    1,
    `${UNEXPECTED}java.lang.RuntimeException\n: java.io.IOException: No space left on device`,
  );
  t.match(end(PARSED + thrown, 255), { kind: 'disk-full' });
  t.match(end(PARSED, 1, 'java.io.IOException: No space left on device\n'), { kind: 'disk-full' });
  t.end();
});

t.test('no memory', (t) => {
  t.match(end(PARSED + framed(1001, 1, 'Java ran out of memory.'), 153), { kind: 'out-of-memory' });
  const thrown = framed(1000, 1, `${UNEXPECTED}java.lang.OutOfMemoryError\n: Java heap space`);
  t.match(end(PARSED + thrown, 75), { kind: 'out-of-memory' });
  t.match(end(`${PARSED}Terminating due to java.lang.OutOfMemoryError: Java heap space\n`, 3), {
    kind: 'out-of-memory',
  });
  // The JVM's last words in the middle of a message that never ended.
  t.match(end(`${PARSED}@!@!@STARTMSG 2200:0 @!@!@\nProgr`, 3), { kind: 'out-of-memory' });
  const complaint = 'Exception in thread "main" java.lang.OutOfMemoryError: Java heap space\n';
  t.match(end('', 1, complaint), { kind: 'out-of-memory' });
  t.end();
});

t.test('an exception of TLC itself is internal, with what was said last', (t) => {
  const thrown = framed(1000, 1, `${UNEXPECTED}java.lang.NullPointerException\n: it is null`);
  t.match(end(PARSED + thrown, 255), { kind: 'internal', message: 'it is null' });
  t.match(end(PARSED, 255, 'last words\n'), { kind: 'internal', message: /exit code 255\n[\s\S]*last words$/ });
  t.match(end(framed(1102, 1, 'Error: unrecognized option: -x'), 1), { kind: 'internal' });
  t.end();
});

t.test('an end without an error is no success unless TLC says so', (t) => {
  t.match(end(PARSED, 0), { kind: 'internal' });
  t.match(end(PARSED + framed(2193, 0, 'Model checking completed. No error has been found.'), 0), { kind: 'ok' });
  t.end();
});

t.test('a newer TLC names temporal properties', (t) => {
  for (const [text, names] of [
    ['Temporal properties were violated.\n', []],
    ['Temporal property P was violated.\n', ['P']],
    ['Temporal properties P and Q were violated.\n', ['P', 'Q']],
    ['Temporal properties P, Q, and R were violated.\n', ['P', 'Q', 'R']],
  ] as const)
    t.strictSame(read(framed(2116, 1, text)), [{ kind: 'temporal', names }]);
  t.end();
});

for (const [what, lines, error] of [
  [
    'a lexical error in a module that the root extends',
    'Parsing file /x/Root.tla\nParsing file /x/Other.tla\nLexical error at line 5, column 29.  Encountered: "\\n" (10)\n\nFatal errors while parsing TLA+ spec in file Root\n\n*** Abort messages: 1\n\nIn module Other\n\nCould not parse module Other from file Other.tla\n',
    { module: 'Other', line: 5, column: 29 },
  ],
  [
    'the first of several semantic errors',
    "Semantic errors:\n\n*** Errors: 2\n\nline 4, col 1 to line 4, col 22 of module Root\n\nOperator Init already defined\nor declared.\n\n\nline 5, col 9 to line 5, col 9 of module Root\n\nUnknown operator: `y'.\n",
    { module: 'Root', line: 4, column: 1, message: 'Operator Init already defined or declared.' },
  ],
  [
    'a missing module',
    '\nFatal errors while parsing TLA+ spec in file Root\n\n*** Abort messages: 1\n\nUnknown location\n\nCannot find source file for module Missing imported in module Root.\n',
    { module: 'Root', line: null, message: 'Cannot find source file for module Missing imported in module Root.' },
  ],
  [
    'no module at all',
    '\nFatal errors while parsing TLA+ spec in file Root\n\njava.lang.NullPointerException: Cannot invoke "String.length()"\n',
    { module: 'Root', line: null, message: 'Parsing or semantic analysis failed.' },
  ],
] as const)
  t.test(what, (t) => {
    const text = SANY_START + lines + SANY_END + framed(3002, 1, 'Parsing or semantic analysis failed.');
    t.match(end(text, 150), { kind: 'parse-error', ...error });
    t.end();
  });
