/** The target manifest (`prism-target/1`): which roles are under test, how each is started and spoken to, and what the target can do. */
import { type ParseError, parse as parseJsonc, printParseErrorCode } from 'jsonc-parser';
import { z } from 'zod';
import { ClauseId } from '../../spec/requirements.js';
import { didYouMean } from '../nearest.js';
import { CAPABILITY_NAMES } from './capability.js';
import { placeholderComplaint, type RoleKind } from './placeholders.js';

const argv = z.array(z.string()).min(1, 'a command line names at least a program');
const environment = z.record(z.string().regex(/^[^=\0]+$/, 'a variable has a name without ='), z.string());
const milliseconds = z.int().min(1).max(600_000);

function isPattern(text: string): boolean {
  try {
    new RegExp(text);
    return true;
  } catch {
    return false;
  }
}

const Ready = z.strictObject({
  /** A line of its standard output matches this regular expression (ECMAScript). */
  stdout: z.string().min(1).refine(isPattern, 'not a regular expression').optional(),
  /** Its control connection is up; a switch has answered a `list`. */
  control: z.literal(true).optional(),
  /** This file exists (placeholders allowed). */
  file: z.string().min(1).optional(),
  /** How long that may take, in ms; default 10 000. */
  timeoutMs: milliseconds.optional(),
});

const Stop = z.strictObject({
  /** How long after SIGTERM it is killed, in ms; default 1000. */
  graceMs: z.int().min(0).max(60_000),
});

const Adapter = z.strictObject({
  /** Command line of an executable that speaks the control protocol on its standard input and output. */
  adapter: argv,
  env: environment.optional(),
  /** Relative to the manifest's folder; default: that folder. */
  cwd: z.string().min(1).optional(),
});

export const ProcessRole = z.strictObject({
  /** Command line, with placeholders. */
  command: argv,
  env: environment.optional(),
  /** Relative to the manifest's folder; default: that folder. */
  cwd: z.string().min(1).optional(),
  /** How it is seen that it can begin. One of `stdout`, `control`, `file`; default: its control connection, or at once where it has none. */
  ready: Ready.optional(),
  stop: Stop.optional(),
  /** How it is spoken to; default `tcp`. */
  control: z.union([z.enum(['tcp', 'stdio', 'none']), Adapter]).optional(),
  /** `raw` (default): it speaks alone on interfaces without addresses. `kernel`: the harness gives the kernel addresses, routes and neighbours. */
  network: z.enum(['raw', 'kernel']).optional(),
});
export type ProcessRole = z.infer<typeof ProcessRole>;

export const ModuleRole = z.strictObject({
  /** Path of a JavaScript module that exports `createRole`, relative to the manifest's folder. */
  module: z.string().min(1),
});

export const BuiltinRole = z.strictObject({
  /** The reference's own role, as it is played where none is under test. */
  builtin: z.literal('reference'),
});

const Role = z.union([ProcessRole, ModuleRole, BuiltinRole]);

const Roles = z
  .strictObject({
    controller: Role.optional(),
    switch: Role.optional(),
    /** Every backend. */
    backend: Role.optional(),
  })
  .refine((roles) => Object.values(roles).some((role) => role !== undefined), 'name at least one role under test');

/** A failure that is known and accepted until it is mended. */
export const Waiver = z.strictObject({
  /** Exactly one of `clause` and `case`. */
  clause: ClauseId.exactOptional(),
  case: z.string().min(1).exactOptional(),
  reason: z.string().min(1),
  /** Where it is being worked on. */
  link: z.url(),
  /** The last day that it holds, such as 2027-01-31. */
  expires: z.iso.date(),
});
export type Waiver = z.infer<typeof Waiver>;

/** Between what no request fits into and what no client sends, in bytes. */
const MIN_HEADER = 256;
const MAX_HEADER = 8 * 1024 * 1024;

const Bounds = z.strictObject({
  /** How long a backend may keep a connection without finishing, in ms; default 60 000 (ERR-2). */
  handoffMs: z.int().min(1).optional(),
  /** Longest request header that is accepted, in bytes; default 65 536 (REQ-7). */
  headerLimit: z.int().min(MIN_HEADER).max(MAX_HEADER).optional(),
  /** How long it may be silent while clients wait, in ms of real time: nothing new on any link, no new control message; default 8 000. */
  silenceMs: z.int().min(1000).max(600_000).optional(),
});

export const Manifest = z.strictObject({
  $schema: z.string().optional(),
  schema: z.literal('prism-target/1'),
  /** What results call the target. */
  name: z
    .string()
    .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/, 'a name is up to 64 letters, digits, dots, underscores and hyphens'),
  /** One sentence for `prism list targets`. */
  summary: z.string().min(1).optional(),
  roles: Roles,
  /** What the roles under test can do; default: read, write, timestamps, sack, window-scale, pipelining, crash, and control-faults where they speak the control protocol. */
  capabilities: z.array(z.enum(CAPABILITY_NAMES as [(typeof CAPABILITY_NAMES)[number]])).optional(),
  /** The papers' variants that it has. */
  variants: z.array(z.string().regex(/^VAR-\d+$/, 'a variant is VAR-1, VAR-2, ...')).optional(),
  bounds: Bounds.optional(),
  waivers: z.array(Waiver).optional(),
});
export type Manifest = z.infer<typeof Manifest>;

export type ParsedManifest =
  | { readonly ok: true; readonly manifest: Manifest }
  /** One line. */
  | { readonly ok: false; readonly error: string };

/** Every key that some part of a manifest knows, for "did you mean". */
const KEYS = [
  ...[Manifest, Ready, Stop, Adapter, ProcessRole, ModuleRole, BuiltinRole, Waiver].flatMap((s) =>
    Object.keys(s.shape),
  ),
  ...['controller', 'switch', 'backend', 'handoffMs', 'headerLimit', 'silenceMs'],
];

type Issue = z.core.$ZodIssue;

/** A union says only that nothing fits; the key that is there says which of its parts was meant. */
function meant(issue: Issue, value: unknown): Issue {
  if (issue.code !== 'invalid_union') return issue;
  const found = inside(value, issue.path);
  const isControl = issue.path.at(-1) === 'control';
  const wanted = isControl ? 'tcp, stdio, none, or {"adapter": [...]}' : 'one of command, module and builtin';
  const [strange = ''] = typeof found === 'object' && found !== null ? Object.keys(found) : [];
  const hint = strange === '' ? '' : `; got '${strange}'${didYouMean(strange, KEYS)}`;
  if (typeof found !== 'object' || found === null) return { ...issue, message: `it is ${wanted}` };
  const part = (isControl ? [Adapter] : [ProcessRole, ModuleRole, BuiltinRole]).find((schema) => {
    const [key = ''] = Object.keys(schema.shape);
    return Object.hasOwn(found, key);
  });
  const [first] = part?.safeParse(found).error?.issues ?? [];
  if (first === undefined) return { ...issue, message: `it is ${wanted}${hint}` };
  return meant({ ...first, path: [...issue.path, ...first.path] }, value);
}

/** The keys that an object of the manifest at this path may have; `value`: the whole manifest, whose role says of which kind it is. */
function knownAt(path: readonly PropertyKey[], value: unknown): readonly string[] {
  const [top, second, third] = path;
  const keys = ({ shape }: { readonly shape: object }): readonly string[] =>
    Object.keys(shape).filter((k) => k !== '$schema');
  if (top === 'roles' && third === 'ready') return keys(Ready);
  if (top === 'roles' && third === 'stop') return keys(Stop);
  if (top === 'roles' && third === 'control') return keys(Adapter);
  if (top === 'roles' && second !== undefined) {
    const role = inside(value, path);
    const has = (key: string): boolean => typeof role === 'object' && role !== null && Object.hasOwn(role, key);
    if (has('command')) return keys(ProcessRole);
    return has('module') ? keys(ModuleRole) : has('builtin') ? keys(BuiltinRole) : keys(ProcessRole);
  }
  if (top === 'roles') return keys(Roles);
  if (top === 'bounds') return keys(Bounds);
  return top === 'waivers' ? keys(Waiver) : keys(Manifest);
}

/** What stands at a path; undefined where nothing does. */
function inside(value: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>(
    (at, key) => (typeof at === 'object' && at !== null ? (at as Record<PropertyKey, unknown>)[key] : undefined),
    value,
  );
}

function told(issue: Issue, value: unknown): string {
  const at = issue.path.length > 0 ? `${issue.path.join('.')}: ` : '';
  if (issue.code === 'unrecognized_keys') {
    const [key = ''] = issue.keys;
    const known = knownAt(issue.path, value);
    // A key that belongs elsewhere is no slip of the pen.
    const what = KEYS.includes(key) ? `'${key}' does not belong here` : `unknown key '${key}'${didYouMean(key, known)}`;
    return `${at}${what}; known here: ${known.join(', ')}`;
  }
  return `${at}${issue.message.replace(/\s*\n\s*/g, ' ')}`;
}

/** What the schema cannot say of one role; one line, or undefined. */
function roleComplaint(kind: RoleKind, role: z.infer<typeof Role>): string | undefined {
  if (!('command' in role)) return undefined;
  const { command, env, cwd, ready, control } = role;
  const adapter = typeof control === 'object' ? control : undefined;
  const texts = [
    ...[...command, ...Object.values(env ?? {}), ...(ready?.file === undefined ? [] : [ready.file])],
    ...[...(adapter?.adapter ?? []), ...Object.values(adapter?.env ?? {})],
  ];
  for (const text of texts) {
    const complaint = placeholderComplaint(text, kind);
    if (complaint !== undefined) return complaint;
  }
  if ([command, adapter?.adapter].some((line) => line?.[0] === '')) return 'the program has an empty name';
  if ([...texts, ...[cwd ?? '', adapter?.cwd ?? '']].some((text) => text.includes('\0')))
    return 'a text holds a zero byte';
  const ways = [ready?.stdout, ready?.control, ready?.file].filter((way) => way !== undefined);
  if (ways.length > 1) return 'ready: one of stdout, control and file, not several';
  if (ready?.control && control === 'none') return 'ready: control needs a role that speaks the control protocol';
  if (ready?.stdout !== undefined && control === 'stdio')
    return 'ready: stdout carries the control protocol (control: stdio); use control or file';
  return undefined;
}

/** Reads the text of a manifest: JSON, with comments and trailing commas allowed. Total; an error is one line that says where. */
export function parseManifest(text: string): ParsedManifest {
  const errors: ParseError[] = [];
  const value: unknown = parseJsonc(text, errors, { allowTrailingComma: true });
  const [error] = errors;
  if (error !== undefined) {
    const line = text.slice(0, error.offset).split('\n').length;
    return { ok: false, error: `line ${line}: not JSON (${printParseErrorCode(error.error)})` };
  }
  const parsed = Manifest.safeParse(value);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    return { ok: false, error: issue === undefined ? 'not a manifest' : told(meant(issue, value), value) };
  }
  const manifest = parsed.data;
  for (const kind of ['controller', 'switch', 'backend'] as const) {
    const role = manifest.roles[kind];
    const complaint = role && roleComplaint(kind, role);
    if (complaint !== undefined) return { ok: false, error: `roles.${kind}: ${complaint}` };
  }
  for (const [index, waiver] of (manifest.waivers ?? []).entries())
    if ((waiver.clause === undefined) === (waiver.case === undefined))
      return { ok: false, error: `waivers.${index}: name one of clause and case` };
  return { ok: true, manifest };
}
