/** The papers' variants that stand in for clauses: what a target that declares one is not asked for. */
import type { ClauseFinding } from './judge.js';

/** By variant, the clauses it replaces (shared requirements, VAR): a lock closes the window otherwise, a direct migration reports to another. */
export const REPLACED: ReadonlyMap<string, readonly string[]> = new Map([
  ['VAR-6', ['REQ-3', 'SWT-6', 'RET-2']],
  ['VAR-7', ['BKD-6', 'RET-1']],
]);

/** The declared variant that replaces a clause; undefined where none does. */
export function replacing(clause: string, variants: readonly string[]): string | undefined {
  return variants.find((variant) => REPLACED.get(variant)?.includes(clause));
}

/** Findings as a target with these variants is judged: a replaced clause that is kept all the same passes, else it is `unsupported`. */
export function withVariants(findings: readonly ClauseFinding[], variants: readonly string[]): ClauseFinding[] {
  return findings.map((found) => {
    const { clause, finding } = found;
    const variant = replacing(clause, variants);
    if (variant === undefined || finding.verdict === 'pass') return found;
    const message = `replaced by ${variant}, which the target declares; without it: ${finding.verdict}: ${finding.message}`;
    return { ...found, finding: { ...finding, verdict: 'unsupported', message, evidence: [] } };
  });
}
