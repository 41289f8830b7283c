/** The target manifest: what it accepts, what it says of what it does not, and what a target becomes of it. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import t from 'tap';
import { packageRoot } from '../../harness/package-root.js';
import { CAPABILITY_NAMES } from '../../harness/target/capability.js';
import { loadTarget, shippedTarget, shippedTargets } from '../../harness/target/load.js';
import { parseManifest } from '../../harness/target/manifest.js';
import { fillCommand, PLACEHOLDER_NAMES, type PlaceholderValues } from '../../harness/target/placeholders.js';
import { REFERENCE_TARGET, resolveTarget, type Target } from '../../harness/target/target.js';

type Json = Record<string, unknown>;

const manifest = (role: Json, more: Json = {}): string =>
  JSON.stringify({ schema: 'prism-target/1', name: 'x', roles: { switch: role }, ...more });
const program: Json = { command: ['./x'] };

function target(role: Json, more: Json = {}): Target {
  const parsed = parseManifest(manifest(role, more));
  if (!parsed.ok) throw new Error(parsed.error);
  return resolveTarget(parsed.manifest, '/folder', 'x.json');
}

t.test('what a manifest leaves out is filled in', (t) => {
  t.same(target(program).roles, {
    switch: {
      kind: 'process',
      command: ['./x'],
      env: {},
      cwd: '/folder',
      ready: { by: 'control', timeoutMs: 10_000 },
      graceMs: 1000,
      control: { by: 'tcp' },
      network: 'raw',
    },
  });
  t.same(target({ ...program, control: 'none' }).roles.switch, {
    ...target(program).roles.switch,
    control: { by: 'none' },
    ready: { by: 'start' },
  });
  t.match(target({ ...program, control: { adapter: ['a', '{control}'], cwd: 'sub' } }).roles.switch, {
    control: { by: 'adapter', adapter: { command: ['a', '{control}'], env: {}, cwd: '/folder/sub' } },
  });
  t.same(target({ module: 'm.mjs' }).roles.switch, { kind: 'module', file: '/folder/m.mjs' });
  t.end();
});

t.test('programs need Linux, modules and the reference run everywhere', (t) => {
  t.same(target(program).worlds, ['linux']);
  t.same(target({ module: 'm.mjs' }).worlds, ['sim', 'linux']);
  t.same(target({ builtin: 'reference' }).worlds, ['sim', 'linux']);
  t.end();
});

t.test('capabilities are those of the whole system', (t) => {
  const reference = CAPABILITY_NAMES.filter((name) => !['tls', 'counters', 'speculative-rules'].includes(name));
  t.same([...REFERENCE_TARGET.capabilities], reference);
  t.same(
    [...target(program).capabilities],
    reference.filter((name) => name !== 'rule-capacity' && name !== 'jumbo-frames'),
    'a switch that declares nothing has what is usual; what others do is untouched',
  );
  t.ok(target(program, { capabilities: ['rule-capacity', 'counters'] }).capabilities.has('counters'));
  t.notOk(target(program, { capabilities: ['rule-capacity'] }).capabilities.has('crash'));
  t.ok(target(program, { capabilities: [] }).capabilities.has('policy'), "the reference's controller follows policies");
  t.notOk(target({ ...program, control: 'none' }).capabilities.has('control-faults'));
  t.end();
});

t.test('what is wrong is said in one line, with where and what was meant', (t) => {
  const wrong: readonly (readonly [string, RegExp])[] = [
    ['', /^line 1: not JSON/],
    ['{\n"schema": oops', /^line 2: not JSON/],
    ['[]', /expected object/],
    [
      manifest(program, { nmae: 1 }),
      /^unknown key 'nmae' \(did you mean name\?\); known here: schema, name, summary, roles, .*, waivers$/,
    ],
    [
      manifest({ ...program, redy: 1 }),
      /^roles\.switch: unknown key 'redy' \(did you mean ready\?\); known here: command, env, cwd, ready, stop, control, network$/,
    ],
    [
      manifest({ comand: ['x'] }),
      /^roles\.switch: it is one of command, module and builtin; got 'comand' \(did you mean command\?\)$/,
    ],
    [manifest({ command: ['x'], module: 'm' }), /^roles\.switch: 'module' does not belong here; known here: command, /],
    [manifest({ command: [] }), /roles\.switch\.command: a command line names at least a program/],
    [
      manifest({ command: ['x', '{ifcaes}'] }),
      /unknown placeholder \{ifcaes\} \(did you mean ifaces\?\); there are: \{name\}/,
    ],
    [manifest({ command: ['x', '{iface}'] }), /a switch has no \{iface\} \(did you mean ifaces\?\); it has:/],
    [manifest({ ...program, env: { A: '{nope}' } }), /unknown placeholder \{nope\}/],
    [manifest({ ...program, control: { adapter: ['a', '{peers}'] } }), /a switch has no \{peers\}/],
    [manifest({ command: ['x{prism}'] }), /\{prism\} is an argument by itself/],
    [manifest({ command: [''] }), /empty name/],
    [manifest({ command: ['a\0b'] }), /zero byte/],
    [manifest({ ...program, control: 'udp' }), /roles\.switch\.control: it is tcp, stdio, none, or/],
    [manifest({ ...program, ready: { stdout: '(' } }), /ready\.stdout: not a regular expression/],
    [manifest({ ...program, ready: { stdout: 'a', file: 'b' } }), /one of stdout, control and file/],
    [manifest({ ...program, control: 'stdio', ready: { stdout: 'a' } }), /stdout carries the control protocol/],
    [manifest({ ...program, control: 'none', ready: { control: true } }), /needs a role that speaks/],
    [manifest(program, { instance: 'run' }), /^unknown key 'instance'; known here: /],
    [
      manifest(program, { bounds: { headerLimt: 1 } }),
      /^bounds: unknown key 'headerLimt' \(did you mean headerLimit\?\); known here: handoffMs, headerLimit, silenceMs$/,
    ],
    [
      manifest({ ...program, ready: { sdtout: 'a' } }),
      /^roles\.switch\.ready: unknown key 'sdtout' \(did you mean stdout\?\); known here: stdout, control, file, timeoutMs$/,
    ],
    [manifest({ ...program, stop: { grace: 1 } }), /^roles\.switch\.stop(\.graceMs)?: /],
    [
      manifest({ ...program, control: { adapter: ['a'], cdw: '.' } }),
      /^roles\.switch\.control: unknown key 'cdw' \(did you mean cwd\?\); known here: adapter, env, cwd$/,
    ],
    [
      manifest(program, {
        waivers: [{ claus: 'SWT-9', reason: 'r', link: 'https://a.example/1', expires: '2027-01-31' }],
      }),
      /^waivers\.0: unknown key 'claus' \(did you mean clause\?\); known here: clause, case, reason, link, expires$/,
    ],
    [manifest(program, { bounds: { headerLimit: 20 } }), /^bounds\.headerLimit: /],
    [manifest(program, { name: 'a b' }), /^name: /],
    [manifest(program, { capabilities: ['reed'] }), /^capabilities\.0: /],
    [manifest(program, { variants: ['6'] }), /^variants\.0: a variant is VAR-1/],
    [
      manifest(program, { waivers: [{ reason: 'r', link: 'https://a.example/1', expires: '2027-01-31' }] }),
      /^waivers\.0: /,
    ],
    [
      manifest(program, {
        waivers: [{ clause: 'SWT-9', reason: 'r', link: 'https://a.example/1', expires: '2027-02-30' }],
      }),
      /^waivers\.0\.expires: /,
    ],
    ['{"schema":"prism-target/1","name":"x","roles":{}}', /^roles: name at least one role/],
    [
      '{"schema":"prism-target/1","name":"x","roles":{"swich":{}}}',
      /^roles: unknown key 'swich' \(did you mean switch\?\); known here: controller, switch, backend$/,
    ],
  ];
  for (const [text, message] of wrong) {
    const parsed = parseManifest(text);
    t.notOk(parsed.ok, text);
    if (parsed.ok) continue;
    t.match(parsed.error, message, text);
    t.notMatch(parsed.error, '\n');
  }
  t.end();
});

t.test('any text, and any JSON, gives a manifest or one line', (t) => {
  const total = (text: string): boolean => {
    const parsed = parseManifest(text);
    return parsed.ok || (parsed.error !== '' && !parsed.error.includes('\n'));
  };
  fc.assert(fc.property(fc.string(), total), { numRuns: 300 });
  fc.assert(fc.property(fc.json(), total), { numRuns: 300 });
  const key = fc.constantFrom('command', 'module', 'builtin', 'control', 'ready', 'adapter', 'cwd', 'env', 'x');
  const role = fc.dictionary(key, fc.jsonValue());
  fc.assert(
    fc.property(role, (value) => total(manifest(value as Json))),
    { numRuns: 500 },
  );
  t.end();
});

t.test('comments and trailing commas are allowed; what prism init writes is a manifest', (t) => {
  const parsed = parseManifest(readFileSync(join(packageRoot(), 'templates/prism-target.jsonc'), 'utf8'));
  t.match(parsed, { ok: true, manifest: { name: 'my-switch' } });
  t.end();
});

t.test('every placeholder is filled in; braces around anything else are text', (t) => {
  const values = Object.fromEntries(PLACEHOLDER_NAMES.map((name) => [name, `<${name}>`])) as PlaceholderValues;
  const command = ['x', ...PLACEHOLDER_NAMES.map((name) => `{${name}}`), '{"a": {}}', '{vip}:{port}'];
  const filled = fillCommand(command, values, ['node', 'prism.js']);
  t.same(filled.slice(0, 3), ['x', '<name>', '<vip>']);
  t.same(filled.slice(-4), ['node', 'prism.js', '{"a": {}}', '<vip>:<port>']);
  t.end();
});

t.test('shipped targets, and manifests by their path', (t) => {
  t.same(shippedTargets(), [
    'backend-side',
    'ebpf-switch',
    'kernel-backend',
    'reference',
    'reference-backend',
    'reference-controller',
    'reference-processes',
    'reference-switch',
  ]);
  for (const name of shippedTargets()) t.equal(shippedTarget(name).name, name);
  t.same([...shippedTarget('reference').capabilities], [...REFERENCE_TARGET.capabilities]);
  const folder = t.testdir({
    'good.json': manifest(program),
    'twin.json': manifest(program, { name: 'reference-switch' }),
    'bad.json': '{',
  });
  mkdirSync(join(folder, 'folder.json'));
  writeFileSync(join(folder, 'long.json'), ' '.repeat((1 << 20) + 1));
  t.match(loadTarget(join(folder, 'good.json')), {
    ok: true,
    target: { name: 'x', roles: { switch: { cwd: folder } } },
  });
  const error = (word: string): string => {
    const loaded = loadTarget(word);
    return loaded.ok ? '' : loaded.error;
  };
  t.match(error(join(folder, 'twin.json')), /'reference-switch' is the name of a shipped target/);
  t.match(error(join(folder, 'bad.json')), /bad\.json: line 1: not JSON/);
  t.match(error(join(folder, 'none.json')), /no such file/);
  t.match(error(join(folder, 'folder.json')), /it is a folder/);
  t.match(error(join(folder, 'long.json')), /too long/);
  t.match(error('refrence'), /no target is called 'refrence' \(did you mean reference/);
  t.match(error(''), /no target is called ''/);
  t.end();
});

for (const example of ['python-switch', 'adapter'])
  t.test(`the example ${example} is a target`, (t) => {
    t.match(loadTarget(join(packageRoot(), 'examples', example, 'prism-target.json')), { ok: true });
    t.end();
  });
