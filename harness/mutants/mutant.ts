/** What a mutant is: the reference with one rule broken on purpose, and the clause that has to notice. */
import type { BackendConfig } from '../../reference-impl/backend/config.js';
import type { ControllerConfig } from '../../reference-impl/controller/config.js';
import type { RemedyName } from '../../reference-impl/core/remedies.js';
import type { SwitchConfig } from '../../reference-impl/switch/config.js';
import type { WorldKind } from '../world.js';
import type { Breaker } from './breaker.js';

interface RoleBreaks<Config> {
  /** What the role is told at its start instead. */
  readonly config?: (config: Config) => Config;
  /** What is put around its step function. */
  readonly step?: Breaker;
}

/** How the reference is broken; several at once where the fault takes two. */
export interface Breaks {
  /** Remedies switched off, in all roles. */
  readonly without?: readonly RemedyName[];
  readonly switch?: RoleBreaks<SwitchConfig>;
  readonly controller?: RoleBreaks<ControllerConfig>;
  /** Every backend. */
  readonly backend?: RoleBreaks<BackendConfig>;
}

export interface Mutant {
  /** The clause it breaks, in lower case, and what it does: `swt-5.clears-psh`. */
  readonly id: string;
  /** The clause that must name it. */
  readonly clause: string;
  /** Whose implementer would have made the mistake. */
  readonly role: 'switch' | 'controller' | 'backend';
  /** One sentence: what it does wrong. */
  readonly summary: string;
  readonly breaks: Breaks;
  /** Ids of the cases that are run against it, the cheapest first, until one kills it. */
  readonly cases: readonly string[];
  /** Where it is run; the simulated world alone when absent. */
  readonly worlds?: readonly WorldKind[];
}
