/** A result document as TAP version 14 (testanything.org): a test point a result, what it rests on as YAML below it. */
import type { ResultDocument } from '../result-schema.js';
import type { EvidenceFrame, Result } from '../verdict.js';
import { besideLines, headline } from './headline.js';
import { oneLine, outcomeOf, type Suite, suitesOf } from './outcome.js';

/**
 * A result that stayed open is skipped with its reason, under `strict` not ok; a waived one is `# TODO`. Where the environment or the harness
 * failed, the points are followed by `Bail out!`: such a run proves nothing. Any text gives a stream that a TAP parser reads.
 */
export function tapReport(document: ResultDocument, strict: boolean): string {
  const suites = suitesOf(document);
  const points = suites.flatMap((suite) => suite.results.map((result) => ({ suite, result })));
  const broken = points.find(({ result }) => outcomeOf(result, strict).kind === 'error');
  const lines = [
    'TAP version 14',
    ...(points.length === 0 ? ['1..0 # SKIP nothing was judged'] : [`1..${points.length}`]),
    `# ${plain(`${document.tool} ${document.version}: ${document.command}`)}`,
    ...points.flatMap(({ suite, result }, index) => testPoint(suite, result, index + 1, strict)),
  ];
  if (broken !== undefined)
    lines.push(`Bail out! the environment or the harness failed: ${plain(broken.result.message)}`);
  return `${lines.join('\n')}\n`;
}

function testPoint(suite: Suite, result: Result, number: number, strict: boolean): string[] {
  const outcome = outcomeOf(result, strict);
  const ok = outcome.kind === 'ok' || outcome.kind === 'skipped';
  const point = `${ok ? 'ok' : 'not ok'} ${number} - ${described(`${suite.name} ${result.id}`)}`;
  const directive =
    outcome.kind === 'skipped'
      ? ` # SKIP ${described(outcome.reason)}`
      : outcome.kind === 'waived'
        ? ` # TODO waived: ${described(outcome.reason)}`
        : '';
  return [
    point + directive,
    '  ---',
    `  verdict: ${scalar(result.verdict)}`,
    `  clauses: [${result.clauses.map(scalar).join(', ')}]`,
    `  exercised: ${result.exercised}`,
    `  message: ${scalar(headline(result))}`,
    ...list('then', besideLines(result)),
    ...(result.evidence.length === 0 ? [] : ['  evidence:', ...result.evidence.flatMap(frame)]),
    ...(result.replay === '' ? [] : [`  replay: ${scalar(result.replay)}`]),
    '  ...',
  ];
}

/** A YAML list of texts; nothing where there are none. */
function list(name: string, texts: readonly string[]): string[] {
  return texts.length === 0 ? [] : [`  ${name}:`, ...texts.map((text) => `    - ${scalar(text)}`)];
}

function frame({ capture, frame, note }: EvidenceFrame): string[] {
  return [`    - capture: ${scalar(capture)}`, `      frame: ${frame}`, `      note: ${scalar(note)}`];
}

/** C0, C1 and what else may not stand in a YAML stream or would end its line: a stray reader must not see them as anything. */
const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\uFFFE\uFFFF]/gu;

/** A double-quoted YAML scalar (YAML 1.2 §7.3.1), which every JSON string is once what YAML may not hold has been escaped. */
function scalar(text: string): string {
  return JSON.stringify(text).replace(UNPRINTABLE, (c) => {
    const hex = (c.codePointAt(0) ?? 0).toString(16);
    return hex.length > 4 ? `\\U${hex.padStart(8, '0')}` : `\\u${hex.padStart(4, '0')}`;
  });
}

function plain(text: string): string {
  return oneLine(text).replace(UNPRINTABLE, '\uFFFD');
}

/** `#` begins a directive and `\` escapes (TAP 14, "Escaping"). */
function described(text: string): string {
  return plain(text).replace(/[\\#]/g, '\\$&');
}
