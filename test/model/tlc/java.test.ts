/** Which Java is found, and what is said where none will do. */
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { javaMajor, probeJava } from '../../../model/tlc/java.js';

/** A folder with a program `java` that says this. */
function javaThatSays(t: Test, text: string): string {
  const bin = join(t.testdir({}), 'bin');
  mkdirSync(bin);
  writeFileSync(join(bin, 'java'), `#!/bin/sh\necho '${text}' >&2\n`);
  chmodSync(join(bin, 'java'), 0o755);
  return bin;
}

t.test('no java on PATH', async (t) => {
  t.match(await probeJava({ PATH: t.testdir({}) }), { kind: 'missing', message: /apt-get install/ });
  t.match(await probeJava({}), { kind: 'missing' });
  t.match(await probeJava({ JAVA_HOME: t.testdirName }), { kind: 'missing', message: /JAVA_HOME is set/ });
});

t.test('versions', async (t) => {
  t.strictSame(await probeJava({ PATH: javaThatSays(t, 'openjdk version "1.8.0_292"') }), {
    kind: 'found',
    path: join(t.testdirName, 'bin', 'java'),
    major: 8,
    version: '1.8.0_292',
  });
  t.match(await probeJava({ PATH: javaThatSays(t, 'java version "1.7.0_80"') }), {
    kind: 'too-old',
    version: '1.7.0_80',
  });
  t.match(await probeJava({ PATH: javaThatSays(t, 'no runtime present') }), { kind: 'broken', message: /no runtime/ });
  t.same(['1.8.0_292', '17.0.15', '9', '22-ea', 'x'].map(javaMajor), [8, 17, 9, 22, undefined]);
});

t.test('JAVA_HOME comes first', async (t) => {
  const JAVA_HOME = join(javaThatSays(t, 'openjdk version "21.0.1"'), '..');
  t.match(await probeJava({ ...process.env, JAVA_HOME }), { kind: 'found', major: 21 });
});
