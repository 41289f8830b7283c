/** What client stacks may differ in, which of it goes together, and the rows that are tried: every pair of levels meets. */
import { type Allowed, coveringArray, type Factors } from '../../../harness/clients/covering-array.js';
import type { StackProfile } from '../../../harness/world.js';

/** The first level of each is the usual one. `socket`: a plain socket of Node's, written to as told. */
export const STACK_FACTORS = {
  program: ['curl', 'wget', 'python', 'node', 'nc', 'socket', 'wrk', 'ab', 'scapy', 'lwip'],
  request: ['read', 'read-large', 'write', 'pipelined'],
  timestamps: ['on', 'off'],
  sack: ['on', 'off'],
  scaling: ['on', 'off'],
  ecn: ['off', 'on'],
  mtu: ['1500', '576', '9000'],
  buffers: ['default', 'tiny'],
  congestion: ['cubic', 'reno', 'bbr'],
  offloads: ['off', 'on'],
} as const satisfies Factors;

export type StackFactor = keyof typeof STACK_FACTORS;
export type StackRow = { readonly [F in StackFactor]: (typeof STACK_FACTORS)[F][number] };

/** A TCP of their own: no setting of the kernel's bears on them. */
export const OWN_STACKS: readonly string[] = ['scapy', 'lwip'];
const LOAD_GENERATORS: readonly string[] = ['wrk', 'ab'];
/** They write what they are given; HTTP clients wait for a response before the next request. */
const PIPELINING: readonly string[] = ['nc', 'socket'];

/** Every constraint is between the program and one other factor, so that a row without a forbidden pair always exists. */
export const mayMeet: Allowed = ({ left, right }) => {
  if (left.factor !== 'program') return true;
  const program = left.level;
  if (right.factor !== 'request') {
    const usual = STACK_FACTORS[right.factor as StackFactor][0];
    return !OWN_STACKS.includes(program) || right.level === usual;
  }
  if (right.level === 'pipelined') return PIPELINING.includes(program);
  return right.level !== 'write' || !LOAD_GENERATORS.includes(program);
};

/** The same on every machine; what one lacks is left out when a row runs (`StackProfile`). */
export const STACK_ROWS = coveringArray(STACK_FACTORS, mayMeet) as unknown as readonly StackRow[];

const MTU = { '576': 576, '1500': 1500, '9000': 9000 } as const;

/** How a row's client is set, all of it said, so that the machine's own settings do not matter; absent for stacks of their own. */
export function profileOf(row: StackRow): StackProfile | undefined {
  if (OWN_STACKS.includes(row.program)) return undefined;
  return {
    timestamps: row.timestamps === 'on',
    sack: row.sack === 'on',
    windowScaling: row.scaling === 'on',
    ecn: row.ecn === 'on',
    mtu: MTU[row.mtu],
    buffers: row.buffers,
    congestion: row.congestion,
    offloads: row.offloads === 'on',
  };
}

/** What is unusual about a row, in words such as `timestamps off, mtu 576`. */
export function unusual(row: StackRow): string {
  const settings = (Object.keys(STACK_FACTORS) as StackFactor[]).filter(
    (factor) => factor !== 'program' && factor !== 'request' && row[factor] !== STACK_FACTORS[factor][0],
  );
  if (OWN_STACKS.includes(row.program)) return 'a TCP of the program itself';
  return settings.length === 0 ? 'the usual settings' : settings.map((factor) => `${factor} ${row[factor]}`).join(', ');
}
