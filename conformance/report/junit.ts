/** A result document as JUnit XML, the part of it that Jenkins, GitLab and GitHub's reporters all read. */
import type { ResultDocument } from '../result-schema.js';
import type { Result } from '../verdict.js';
import { besideLines, headline } from './headline.js';
import { type Outcome, oneLine, outcomeOf, type Suite, suitesOf } from './outcome.js';

/**
 * A test suite a world, a test case a result; `classname` is the first clause. What stayed open is skipped with its reason, under `strict` a
 * failure; a waived fail is skipped; `error` is the harness's. Well-formed XML 1.0 whatever the texts hold.
 */
export function junitReport(document: ResultDocument, strict: boolean): string {
  const suites = suitesOf(document).map((suite) => ({
    suite,
    outcomes: suite.results.map((result) => outcomeOf(result, strict)),
  }));
  const all = suites.flatMap(({ outcomes }) => outcomes);
  const seconds = (document.durationMs / 1000).toFixed(3);
  const lines = [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites${attributes({ name: document.tool, ...counts(all), time: seconds })}>`,
    ...suites.flatMap(({ suite, outcomes }) => [
      // The time of one suite among several is not known: it is left out rather than made up.
      `  <testsuite${attributes({
        name: suite.name,
        ...counts(outcomes),
        ...(suites.length === 1 ? { time: seconds } : {}),
        timestamp: document.startedAt.replace(/(\.\d+)?Z$/, ''),
      })}>`,
      '    <properties>',
      ...properties(document),
      '    </properties>',
      ...suite.results.flatMap((result, i) => testCase(suite, result, outcomes[i] ?? { kind: 'ok' })),
      '  </testsuite>',
    ]),
    '</testsuites>',
  ];
  return `${lines.join('\n')}\n`;
}

function counts(outcomes: readonly Outcome[]): Record<string, number> {
  const of = (...kinds: Outcome['kind'][]): number => outcomes.filter(({ kind }) => kinds.includes(kind)).length;
  return { tests: outcomes.length, failures: of('failed'), errors: of('error'), skipped: of('skipped', 'waived') };
}

function properties(document: ResultDocument): string[] {
  const { version, command, target, seed } = document;
  return Object.entries({ version, command, target, ...(seed === null ? {} : { seed }) }).map(
    ([name, value]) => `      <property${attributes({ name, value })}/>`,
  );
}

function testCase(suite: Suite, result: Result, outcome: Outcome): string[] {
  const head = `    <testcase${attributes({ name: result.id, classname: `${suite.name}.${result.clauses[0] ?? 'run'}` })}`;
  const message = oneLine(headline(result));
  const words = details(result);
  const inner = {
    ok: [],
    failed: [
      `      <failure${attributes({ message, type: result.verdict })}>${escapeXml([message, ...words].join('\n'))}</failure>`,
    ],
    error: [
      `      <error${attributes({ message, type: 'error' })}>${escapeXml([message, ...words].join('\n'))}</error>`,
    ],
    skipped: [`      <skipped${attributes({ message: outcome.kind === 'skipped' ? outcome.reason : '' })}/>`],
    // A waived result's message says why and until when.
    waived: [`      <skipped${attributes({ message })}/>`],
  }[outcome.kind];
  if (inner.length === 0) return [`${head}/>`];
  const out =
    words.length === 0 || outcome.kind === 'skipped'
      ? []
      : [`      <system-out>${escapeXml(words.join('\n'))}</system-out>`];
  return [`${head}>`, ...inner, ...out, '    </testcase>'];
}

function details(result: Result): string[] {
  const { clauses, evidence, replay } = result;
  return [
    ...besideLines(result).map((line) => `then: ${line}`),
    ...(clauses.length === 0 ? [] : [`clauses: ${clauses.join(', ')}`]),
    ...evidence.map(({ capture, frame, note }) => `${capture} frame ${frame}: ${note}`),
    ...(replay === '' ? [] : [`again: ${replay}`]),
  ];
}

function attributes(values: Readonly<Record<string, string | number>>): string {
  return Object.entries(values)
    .map(([name, value]) => ` ${name}="${escapeXml(String(value))}"`)
    .join('');
}

const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };

/** Everything but Char of XML 1.0 §2.2; under the flag u, \p{Cs} is a surrogate without its other half. */
const ILLEGAL = /[^\t\n\r\u{20}-\u{D7FF}\u{E000}-\u{FFFD}\u{10000}-\u{10FFFF}]/gu;

/** For text and attributes; what XML cannot hold is shown as `\xNN`. Line ends and tabs as references, so that attributes keep them. */
function escapeXml(text: string): string {
  return text
    .replace(ILLEGAL, (c) => `\\x${c.charCodeAt(0).toString(16).padStart(2, '0')}`)
    .replace(/[&<>"]/g, (c) => ENTITIES[c] ?? c)
    .replace(/[\t\r]/g, (c) => `&#${c.charCodeAt(0)};`);
}
