/** A target as a run uses it: the manifest with its defaults filled in and its paths made absolute. */
import { resolve } from 'node:path';
import type { WorldKind } from '../world.js';
import { CAPABILITY_NAMES, type Capability } from './capability.js';
import type { Manifest, Waiver } from './manifest.js';
import type { RoleKind } from './placeholders.js';

/** A program beside the world's own: command line and environment with placeholders still in them, an absolute folder to run in. */
export interface Launch {
  readonly command: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
}

export type Readiness =
  | { readonly by: 'stdout'; readonly pattern: string; readonly timeoutMs: number }
  | { readonly by: 'control'; readonly timeoutMs: number }
  | { readonly by: 'file'; readonly path: string; readonly timeoutMs: number }
  | { readonly by: 'start' };

/** How the harness reaches a role's side of the control protocol. */
export type ControlAccess =
  | { readonly by: 'tcp' | 'stdio' | 'none' }
  | { readonly by: 'adapter'; readonly adapter: Launch };

/** A role under test that is a program of its own. */
export interface ProcessUnderTest extends Launch {
  readonly kind: 'process';
  readonly ready: Readiness;
  readonly graceMs: number;
  readonly control: ControlAccess;
  readonly network: 'raw' | 'kernel';
}

/** A role under test that is a module of step functions. */
export interface ModuleUnderTest {
  readonly kind: 'module';
  /** Absolute path. */
  readonly file: string;
}

export interface BuiltinUnderTest {
  readonly kind: 'builtin';
}

export type RoleUnderTest = ProcessUnderTest | ModuleUnderTest | BuiltinUnderTest;

/** Roles that are not there are the reference's. Plain data: processes of the world get it as JSON. */
export type RolesUnderTest = Readonly<Partial<Record<RoleKind, RoleUnderTest>>>;

export interface Target {
  /** What results call it. */
  readonly name: string;
  readonly summary: string;
  /** How a command line names it: the manifest's path as given, or a shipped target's name. */
  readonly selector: string;
  readonly roles: RolesUnderTest;
  /** What the whole system can do: what the target declares for its roles, and what the reference's can where they play. */
  readonly capabilities: ReadonlySet<Capability>;
  readonly variants: readonly string[];
  readonly bounds: { readonly handoffMs?: number; readonly headerLimit?: number; readonly silenceMs?: number };
  readonly waivers: readonly Waiver[];
  /** Worlds that its roles can run in: programs need Linux. */
  readonly worlds: readonly WorldKind[];
}

const READY_MS = 10_000;
const GRACE_MS = 1000;

/** Whose capability it is: where none of these is under test, the reference's role has it (or nobody, for the papers' variants). */
const CONCERNS: Readonly<Record<Capability, readonly RoleKind[]>> = {
  read: ['controller', 'backend'],
  write: ['controller', 'backend'],
  timestamps: ['controller', 'backend'],
  sack: ['controller', 'backend'],
  'window-scale': ['controller', 'backend'],
  pipelining: ['controller', 'backend'],
  'control-faults': ['controller', 'switch', 'backend'],
  crash: ['controller', 'switch', 'backend'],
  'service-delay': ['backend'],
  'rule-capacity': ['switch'],
  policy: ['controller'],
  'initial-sequence': ['controller'],
  bounds: ['controller'],
  'jumbo-frames': ['switch', 'backend'],
  tls: ['controller', 'backend'],
  counters: ['switch'],
  'speculative-rules': ['switch', 'controller'],
};

/** What the reference has not. */
const NOT_REFERENCE: readonly Capability[] = ['tls', 'counters', 'speculative-rules'];

/** What a target has that declares nothing. */
const USUAL: readonly Capability[] = [
  'read',
  'write',
  'timestamps',
  'sack',
  'window-scale',
  'pipelining',
  'crash',
  'control-faults',
];

function launch(
  folder: string,
  command: readonly string[],
  env: Launch['env'] | undefined,
  cwd: string | undefined,
): Launch {
  return { command, env: env ?? {}, cwd: resolve(folder, cwd ?? '.') };
}

type ManifestRole = NonNullable<Manifest['roles'][RoleKind]>;

function resolveRole(role: ManifestRole, folder: string): RoleUnderTest {
  if ('builtin' in role) return { kind: 'builtin' };
  if ('module' in role) return { kind: 'module', file: resolve(folder, role.module) };
  const { control = 'tcp', ready } = role;
  const timeoutMs = ready?.timeoutMs ?? READY_MS;
  const access: ControlAccess =
    typeof control === 'string'
      ? { by: control }
      : { by: 'adapter', adapter: launch(folder, control.adapter, control.env, control.cwd) };
  const readiness = (): Readiness => {
    if (ready?.stdout !== undefined) return { by: 'stdout', pattern: ready.stdout, timeoutMs };
    if (ready?.file !== undefined) return { by: 'file', path: ready.file, timeoutMs };
    return control === 'none' ? { by: 'start' } : { by: 'control', timeoutMs };
  };
  return {
    kind: 'process',
    ...launch(folder, role.command, role.env, role.cwd),
    ready: readiness(),
    graceMs: role.stop?.graceMs ?? GRACE_MS,
    control: access,
    network: role.network ?? 'raw',
  };
}

function capabilitiesOf(manifest: Manifest, roles: RolesUnderTest): Set<Capability> {
  const foreign = Object.values(roles).filter((role) => role.kind === 'process');
  const closed = foreign.some((role) => role.control.by === 'none');
  const declared = new Set<Capability>(
    manifest.capabilities ?? USUAL.filter((name) => name !== 'control-faults' || !closed),
  );
  return new Set(
    CAPABILITY_NAMES.filter((name) => {
      if (declared.has(name)) return true;
      const concerned = CONCERNS[name].some((kind) => roles[kind] !== undefined && roles[kind].kind !== 'builtin');
      return !concerned && !NOT_REFERENCE.includes(name);
    }),
  );
}

/** `folder`: the manifest's, absolute; `selector`: how it was named. */
export function resolveTarget(manifest: Manifest, folder: string, selector: string): Target {
  const { controller, switch: fabric, backend } = manifest.roles;
  const roles: RolesUnderTest = {
    ...(controller && { controller: resolveRole(controller, folder) }),
    ...(fabric && { switch: resolveRole(fabric, folder) }),
    ...(backend && { backend: resolveRole(backend, folder) }),
  };
  const { handoffMs, headerLimit, silenceMs } = manifest.bounds ?? {};
  return {
    name: manifest.name,
    summary: manifest.summary ?? `roles under test: ${Object.keys(roles).join(', ')}`,
    selector,
    roles,
    capabilities: capabilitiesOf(manifest, roles),
    variants: manifest.variants ?? [],
    bounds: {
      ...(handoffMs !== undefined && { handoffMs }),
      ...(headerLimit !== undefined && { headerLimit }),
      ...(silenceMs !== undefined && { silenceMs }),
    },
    waivers: manifest.waivers ?? [],
    worlds: Object.values(roles).some((role) => role.kind === 'process') ? ['linux'] : ['sim', 'linux'],
  };
}

/** The reference itself: nothing in its place, nothing it cannot do but the papers' variants. */
export const REFERENCE_TARGET: Target = resolveTarget(
  {
    schema: 'prism-target/1',
    name: 'reference',
    roles: {
      controller: { builtin: 'reference' },
      switch: { builtin: 'reference' },
      backend: { builtin: 'reference' },
    },
  },
  '/',
  'reference',
);
