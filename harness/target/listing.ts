/** What `prism list targets` says of the shipped targets. */
import { z } from 'zod';
import { CAPABILITY_NAMES } from './capability.js';
import { shippedTarget, shippedTargets } from './load.js';

const Kind = z.enum(['process', 'module', 'builtin']);

export const ListedTarget = z.strictObject({
  id: z.string(),
  /** Empty: a target bears on no clause more than on another. */
  clauses: z.array(z.string()),
  summary: z.string(),
  /** Roles under test, each with how it is played; the reference plays the others. */
  roles: z.strictObject({ controller: Kind.optional(), switch: Kind.optional(), backend: Kind.optional() }),
  worlds: z.array(z.enum(['sim', 'linux'])),
  capabilities: z.array(z.enum(CAPABILITY_NAMES as [(typeof CAPABILITY_NAMES)[number]])),
  variants: z.array(z.string()),
});
export type ListedTarget = z.infer<typeof ListedTarget>;

export const TargetList = z.strictObject({ schema: z.literal('prism-list/1'), targets: z.array(ListedTarget) });

export function listTargets(): ListedTarget[] {
  return shippedTargets()
    .map(shippedTarget)
    .map(({ name, summary, roles, worlds, capabilities, variants }) => ({
      id: name,
      clauses: [],
      summary,
      roles: Object.fromEntries(Object.entries(roles).map(([kind, role]) => [kind, role.kind])),
      worlds: [...worlds],
      capabilities: [...capabilities],
      variants: [...variants],
    }));
}
