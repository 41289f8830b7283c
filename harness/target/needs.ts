/** What a case asks of a target, said or implied by its options, and which of it the target lacks. */
import type { WorldOptions } from '../world.js';
import type { Capability } from './capability.js';
import { CAPABILITIES } from './capability.js';
import type { Target } from './target.js';

export interface Asking {
  readonly needs?: readonly Capability[];
  readonly options?: Partial<WorldOptions>;
}

/** Every capability that a case needs, in no particular order, each once. */
export function neededBy({ needs = [], options = {} }: Asking): Capability[] {
  const implied: readonly (readonly [boolean, Capability])[] = [
    [(options.controlFaults ?? []).length > 0, 'control-faults'],
    [(options.roleFaults ?? []).length > 0, 'crash'],
    [options.ruleCapacity !== undefined, 'rule-capacity'],
    [options.serviceDelayMs !== undefined, 'service-delay'],
    [options.policy !== undefined, 'policy'],
    [options.initialSequence !== undefined, 'initial-sequence'],
    [options.bounds !== undefined, 'bounds'],
    [options.clientProfile?.mtu === 9000, 'jumbo-frames'],
  ];
  return [...new Set([...needs, ...implied.filter(([asked]) => asked).map(([, name]) => name)])];
}

/** Why a target cannot run the case, in one line; undefined when it can. */
export function lacking(asking: Asking, target: Pick<Target, 'name' | 'capabilities'>): string | undefined {
  const missing = neededBy(asking).filter((name) => !target.capabilities.has(name));
  if (missing.length === 0) return undefined;
  return `the target ${target.name} does not declare ${missing.map((name) => `${name} (${CAPABILITIES[name]})`).join(', ')}`;
}
