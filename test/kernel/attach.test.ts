/** The eBPF switch on its interfaces: attached either way, gone without a trace, and what is said where it cannot be had. */
import { spawnSync } from 'node:child_process';
import t from 'tap';
import { compiled } from '../../harness/compiled.js';
import { machineHeaders } from '../../kernel/bpf/build.js';
import { libbpf } from '../../kernel/bpf/libbpf.js';
import { BpfObject } from '../../kernel/bpf/object.js';
import { hasLinux } from '../linux/needs-linux.js';

const NOTHING = { links: 0, qdiscs: 0 };

if (await hasLinux()) {
  t.test('by links and by clsact, and nothing is left', (t) => {
    const script = ['--net', process.execPath, '--import=tsx', 'test/kernel/attach-main.ts'];
    const { status, stdout, stderr } = spawnSync('unshare', script, { encoding: 'utf8', timeout: 60_000 });
    t.equal(status, 0, stderr);
    const [links, clsact, any] = JSON.parse(stdout);
    // Links at tc came with Linux 6.6; before it the kernel does not know what it is asked.
    if (links.used === 'tcx') t.same(links.attached, { links: 2, qdiscs: 0 });
    else t.match(links.used, /cannot be attached to client: EINVAL/);
    t.same([clsact.used, clsact.attached], ['clsact', { links: 0, qdiscs: 2 }]);
    t.equal(any.used, links.used === 'tcx' ? 'tcx' : 'clsact', 'without a wish the better way is found');
    for (const { afterwards } of [links, clsact, any]) t.same(afterwards, NOTHING);
    t.end();
  });

  t.test('what the verifier refuses is told in its words', async (t) => {
    const folder = t.testdir({
      'bad.bpf.c': `#include <linux/bpf.h>
        #include <bpf/bpf_helpers.h>
        SEC("tc") int bad(struct __sk_buff *skb) { return *(volatile int *)(long)skb->data; }
        char _license[] SEC("license") = "Apache-2.0";\n`,
    });
    const { XDG_CACHE_HOME } = process.env;
    process.env.XDG_CACHE_HOME = folder;
    t.teardown(() => {
      if (XDG_CACHE_HOME === undefined) delete process.env.XDG_CACHE_HOME;
      else process.env.XDG_CACHE_HOME = XDG_CACHE_HOME;
    });
    const recipe = {
      what: 'a bad program',
      name: 'bad',
      packages: 'clang, libbpf-dev, linux-libc-dev',
      source: `${folder}/bad.bpf.c`,
      headers: [],
      flags: ['-O2', '-g', '-target', 'bpf', ...machineHeaders(), '-c'],
    };
    const path = await compiled({ ...recipe, compiler: 'clang' });
    t.throws(
      () => new BpfObject(path, 'bad'),
      /the kernel's verifier refuses .*bad-[0-9a-f]+: .*(invalid access to packet|outside of the packet)/,
    );
    t.throws(() => new BpfObject(path, 'good'), /has no program good/);
    t.throws(() => new BpfObject(path, 'bad', { rules: 1 }), /has no map rules/);
    t.throws(() => new BpfObject(`${folder}/bad.bpf.c`, 'bad'), /is no eBPF object/);
    await t.rejects(
      compiled({ ...recipe, compiler: 'no-such-clang' }),
      /needs the compiler no-such-clang \(Debian: clang/,
    );
    await t.rejects(
      compiled({ ...recipe, compiler: 'clang', flags: ['-target', 'bpf', '-c', '-Werror=no'] }),
      /cannot be compiled/,
    );
    t.ok(libbpf().possible_cpus() >= 1);
  });
}
