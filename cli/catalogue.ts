/** What bears on what: clauses, the checks and cases that judge them, and the remedies that keep them. */
import { CASES } from '../conformance/cases/index.js';
import { CHECKS } from '../conformance/checks/index.js';
import type { ListedMutant } from '../conformance/mutants/list-schema.js';
import { worldsOf } from '../conformance/mutants/select.js';
import { type CombinationList, combinationsOf, leftOutLines } from '../conformance/report/combinations.js';
import { MUTANTS } from '../harness/mutants/index.js';
import { REMEDIES, REMEDY_NAMES, type RemedyName } from '../reference-impl/core/remedies.js';
import { clauseOf, readSpecification, type SpecMutant, type SpecRemedy, shippedSpecification } from '../spec/formal.js';
import { type Operator, operatorsOf } from '../spec/operators.js';
import { CLAUSES, compareClauses } from '../spec/requirements.js';
import { leftOutOf } from './combinations.js';

/** The clauses that break, in some case, when a remedy is switched off; the first is the one it is there for. */
export const REMEDY_CLAUSES: Readonly<Record<RemedyName, readonly string[]>> = {
  'header-only-ack': ['REQ-2', 'RET-7'],
  'window-closing': ['REQ-3', 'SWT-6'],
  'fin-suppression': ['SWT-7', 'BKD-4', 'RET-3'],
  'backend-ack-limit': ['BKD-3', 'BKD-2', 'RET-7'],
  'confirm-before-handoff': ['HOF-1'],
  'backend-guard': ['HOF-5'],
  'complete-when-acked': ['BKD-6', 'HOF-2'],
  'rules-before-reopen': ['RET-1'],
  'drain-rules': ['HOF-4', 'EST-2', 'SWT-2'],
  'answer-probes': ['RET-2'],
  'exact-reset': ['ERR-1', 'ERR-2'],
  'hand-off-lease': ['ERR-2', 'EST-2', 'BKD-9'],
  'repeat-reset': ['ERR-1'],
  'timestamp-continuity': ['BKD-8'],
};

export interface ListedClause {
  readonly id: string;
  readonly clauses: readonly string[];
  readonly level: 'M' | 'S' | 'Y';
  readonly role: string;
  readonly title: string;
  readonly statement: string;
  readonly source: string;
  /** Why the model has no operator for it. */
  readonly unmodelled?: string | undefined;
  /** What is missing to judge it. */
  readonly pending?: string | undefined;
  /** Operators of the specification, the faults that these must catch, and ids of passive checks, cases, broken implementations and remedies. */
  readonly evidence: {
    readonly operators: readonly string[];
    readonly specMutants: readonly string[];
    readonly mutants: readonly string[];
    readonly checks: readonly string[];
    readonly cases: readonly string[];
    readonly remedies: readonly string[];
  };
}

export interface ListedCase {
  readonly id: string;
  readonly clauses: readonly string[];
  readonly summary: string;
  readonly worlds: readonly string[];
  readonly programs: readonly string[];
}

export interface ListedRemedy {
  readonly id: string;
  readonly clauses: readonly string[];
  readonly summary: string;
}

/** The rows of the covering array, with what beside them the document tells, and in words. */
export function listCombinations(): {
  readonly items: CombinationList['combinations'];
  readonly beside: Omit<CombinationList, 'schema' | 'combinations'>;
  readonly closing: readonly string[];
} {
  const combinations = combinationsOf(undefined, leftOutOf('linux'));
  const { factors, pairs, leftOut } = combinations;
  const items = combinations.rows.map(({ case: id, levels }) => ({
    id,
    clauses: [...(CASES.find((c) => c.id === id)?.clauses ?? [])],
    levels: { ...levels },
  }));
  const lists = Object.entries(factors).map(([name, levels]): [string, string[]] => [name, [...levels]]);
  return {
    items,
    beside: { factors: Object.fromEntries(lists), pairs, leftOut: [...leftOut] },
    closing: [
      '',
      ...lists.map(([name, levels]) => `${name}: ${levels.join(', ')}`),
      `${pairs.covered} of ${pairs.total} pairs of settings meet here`,
      ...leftOutLines(combinations, 'linux'),
    ],
  };
}

const specification = () => readSpecification(shippedSpecification());

export function listClauses(): ListedClause[] {
  const { mutants, remedies } = specification();
  return CLAUSES.map(({ operators, ...clause }) => ({
    ...clause,
    clauses: [clause.id],
    evidence: {
      operators,
      specMutants: [
        ...remedies.filter((r) => operators.includes(r.operator)).map((r) => `without-${r.id}`),
        ...mutants.filter((m) => operators.includes(m.operator)).map((m) => m.id),
      ],
      checks: CHECKS.filter((c) => c.clause === clause.id).map((c) => `check.${c.clause}`),
      cases: CASES.filter((c) => c.clauses.includes(clause.id)).map((c) => c.id),
      mutants: MUTANTS.filter((m) => m.clause === clause.id).map((m) => m.id),
      remedies: REMEDY_NAMES.filter((name) => REMEDY_CLAUSES[name].includes(clause.id)),
    },
  }));
}

export interface ListedOperator {
  readonly id: string;
  readonly clauses: readonly string[];
  readonly kind: Operator['kind'];
  /** Models that check it. */
  readonly models: readonly string[];
}

export function listOperators(): ListedOperator[] {
  const all = specification();
  return operatorsOf(all).map(({ name, kind }) => ({
    id: name,
    clauses: [clauseOf(name)],
    kind,
    models: all.models
      .filter(({ cfg }) => new RegExp(`\\b${name}\\b`).test(all.configurations[cfg] ?? ''))
      .map(({ id }) => id),
  }));
}

export type ListedSpecRemedy = Omit<SpecRemedy, 'operator'> & {
  readonly operator: string;
  readonly clauses: readonly string[];
};

export function listSpecRemedies(): ListedSpecRemedy[] {
  return specification().remedies.map((remedy) => ({ ...remedy, clauses: [clauseOf(remedy.operator)] }));
}

export interface ListedSpecMutant {
  readonly id: string;
  readonly clauses: readonly string[];
  readonly operator: string;
  readonly model: string;
  readonly summary: string;
}

export function listSpecMutants(): ListedSpecMutant[] {
  const { mutants, remedies } = specification();
  const listed = ({ id, operator, model, summary }: SpecMutant): ListedSpecMutant => ({
    id,
    clauses: [clauseOf(operator)],
    operator,
    model,
    summary,
  });
  return [
    ...remedies.map(({ id, operator, model }) => ({
      id: `without-${id}`,
      clauses: [clauseOf(operator)],
      operator,
      model,
      summary: `${id} = FALSE`,
    })),
    ...mutants.map(listed),
  ];
}

export interface ListedModel {
  readonly id: string;
  readonly clauses: readonly string[];
  readonly distinct: number;
  readonly summary: string;
}

export function listModels(): ListedModel[] {
  return specification().models.map(({ id, distinct, summary }) => ({ id, clauses: [], distinct, summary }));
}

export function listCases(): ListedCase[] {
  return CASES.map(({ id, clauses, summary, worlds, programs }) => ({
    id,
    clauses: [...clauses].sort(compareClauses),
    summary,
    worlds,
    programs: programs ?? [],
  }));
}

export function listRemedies(): ListedRemedy[] {
  return REMEDY_NAMES.map((id) => ({ id, clauses: REMEDY_CLAUSES[id], summary: REMEDIES[id] }));
}

/** Broken implementations. */
export function listMutants(): ListedMutant[] {
  return MUTANTS.map((mutant) => ({
    id: mutant.id,
    clauses: [mutant.clause],
    role: mutant.role,
    summary: mutant.summary,
    worlds: [...worldsOf(mutant)],
    cases: [...mutant.cases],
    without: [...(mutant.breaks.without ?? [])],
  }));
}
