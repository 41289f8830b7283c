/** Faults seeded into the specification: each must be caught by the operator that names it. */
import type { Model, Specification, SpecMutant, SpecRemedy } from '../../spec/formal.js';
import type { TlcOutcome } from '../tlc/outcome.js';
import type { Change } from './check.js';

/** A change of the protocol with the operator that has to notice it. */
export interface SpecFault {
  /** A mutant's id, or `without-` and a remedy's constant. */
  readonly id: string;
  readonly summary: string;
  readonly operator: string;
  readonly model: Model;
  readonly change: Change;
}

/** A seeded fault that does not fit the text of the specification any more; the message is one line. */
export class SpecFaultError extends Error {
  override name = 'SpecFaultError';
}

/** The remedies, each switched off (all operators are asked: exactly the named one must be reported), then the mutants. */
export function faultsOf(specification: Specification): SpecFault[] {
  return [
    ...specification.remedies.map((remedy) => remedyFault(specification, remedy)),
    ...specification.mutants.map((mutant) => mutantFault(specification, mutant)),
  ];
}

function remedyFault(specification: Specification, { id, operator, model }: SpecRemedy): SpecFault {
  return {
    id: `without-${id}`,
    summary: `${id} = FALSE`,
    operator,
    model: modelOf(specification, model, id),
    change: { without: [id] },
  };
}

/** Only the named operator is asked, so that nothing else can catch the fault in its place. */
function mutantFault(specification: Specification, { id, operator, model, summary, edits }: SpecMutant): SpecFault {
  const modules: Record<string, string> = {};
  for (const { file, find, replace } of edits) {
    const text = modules[file] ?? specification.modules[file];
    if (text === undefined) throw new SpecFaultError(`mutant ${id}: there is no ${file}`);
    const [before, after, ...more] = text.split(find);
    if (before === undefined || after === undefined || more.length > 0)
      throw new SpecFaultError(
        `mutant ${id}: its text stands ${after === undefined ? 'nowhere' : 'more than once'} in ${file}: ${find.trim().split('\n')[0]}`,
      );
    modules[file] = before + replace + after;
  }
  return {
    id,
    summary,
    operator,
    model: modelOf(specification, model, id),
    change: { without: [], only: [operator], modules },
  };
}

function modelOf({ models }: Specification, id: string, of: string): Model {
  const model = models.find((candidate) => candidate.id === id);
  if (model === undefined) throw new SpecFaultError(`${of}: there is no model ${id}`);
  return model;
}

/** The operator that a run reports as violated; null when it reports none. */
export function violatedOperator(outcome: TlcOutcome): string | null {
  switch (outcome.kind) {
    case 'invariant':
    case 'action-property':
      return outcome.name;
    case 'liveness':
      return outcome.property ?? outcome.candidates.join(' or ');
    default:
      return null;
  }
}
