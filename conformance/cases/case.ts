/** What an active case is: a story written once that runs in every world. */
import type { Capability } from '../../harness/target/capability.js';
import type { Fault, HttpResponse, JobResult, World, WorldKind, WorldOptions } from '../../harness/world.js';
import type { EvidenceFrame } from '../verdict.js';
import type { CaseEvidence } from './evidence.js';

/** An expectation that failed. */
export interface Failure {
  readonly message: string;
  /** The clause that it speaks for; the one that the case is named after when absent. */
  readonly clause?: string;
  /** A client was not served as it should have been: whose fault that is has to be sought in the frames. */
  readonly service?: true;
  /** Frames or lines of the control log that show it. */
  readonly frames?: readonly EvidenceFrame[];
}

/** What an expectation speaks for: a clause by its id, or a client's being served. */
export type SpeaksFor = 'service' | `${string}-${number}`;

export interface CaseContext {
  readonly world: World;
  /** What clients said so far, for `afterwards`. */
  readonly results: JobResult[];
  /** Longest request header that the controller takes, in bytes: as its target declares, else 65,536. */
  readonly headerLimit: number;
  /** Records a failed expectation; the case fails with the first one. It speaks for the clause that the case is named after unless told. */
  expect(condition: boolean, message: string, speaksFor?: SpeaksFor): void;
  /** Every job ended ok; says which did not and why. */
  expectOk(results: readonly JobResult[]): void;
  /** A response of this status whose body is that object. */
  expectBody(response: HttpResponse | undefined, status: number, path: string): void;
}

export interface ConformanceCase {
  /** `CLAUSE.story-in-words`, such as `REQ-2.payload-behind-header`. */
  readonly id: string;
  /** The clauses whose premise this case makes happen; its verdict is one for each of them. */
  readonly clauses: readonly string[];
  /** One sentence. */
  readonly summary: string;
  readonly worlds: readonly WorldKind[];
  /** Programs of the Linux world that it needs beside the roles (`curl`, `python3`, `cc`, ...; harness/clients/installed.ts). */
  readonly programs?: readonly string[];
  /** What a target must be able to do beyond what `options` ask of it; the case is `unsupported` where it cannot. */
  readonly needs?: readonly Capability[];
  /** Takes minutes or gigabytes: runs only when it is asked for by its whole id. */
  readonly slow?: boolean;
  readonly options?: Partial<
    Pick<
      WorldOptions,
      | 'policy'
      | 'captureLength'
      | 'largeObjects'
      | 'ruleCapacity'
      | 'serviceDelayMs'
      | 'controlFaults'
      | 'roleFaults'
      | 'initialSequence'
      | 'bounds'
      | 'clientProfile'
    >
  > & {
    readonly faults?: readonly Fault[];
  };
  run(context: CaseContext): Promise<void>;
  /** Looks at what the run left, after it has ended: for what the client cannot see and no passive check judges. */
  afterwards?(evidence: CaseEvidence): void;
}
