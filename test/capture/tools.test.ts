/** The capture codec against the tools that people use: capinfos, tshark, tcpdump, editcap and scapy. */
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { encodePcapng, readCapture } from '../../harness/capture/pcapng.js';

const folder = t.testdir({});
const file = join(folder, 'out.pcapng');
const names = ['client', 'controller', 'backend0', 'backend1'];
const base = 1_506_211_200_000_000_000n;

/** ARP requests, which every tool decodes; each differs in its last byte. */
const frames = Array.from({ length: 40 }, (_, n) => {
  const bytes = new Uint8Array(42 + (n % 5));
  bytes.set([255, 255, 255, 255, 255, 255, 2, 0, 0, 0, 0, 1, 8, 6, 0, 1, 8, 0, 6, 4, 0, 1], 0);
  bytes[41] = n;
  return {
    interfaceName: names[n % names.length] ?? '',
    timestampNs: base + BigInt(n) * 1_000_001_001n,
    bytes,
    originalLength: bytes.length + (n % 3),
    ...(n % 4 === 0 && { comment: `frame ${n}: ü` }),
  };
});
writeFileSync(file, encodePcapng(names, frames));

/** Runs a tool; when it is missing the test is skipped with the reason, and fails under CI=true. */
function tool(t: Test, command: string, ...args: string[]): string | undefined {
  const ran = spawnSync(command, args, { encoding: 'utf8', env: { ...process.env, TZ: 'UTC' } });
  if (ran.error) {
    const reason = `${command} is not installed`;
    if (process.env.CI === 'true') t.fail(reason);
    else t.comment(`skipped: ${reason}`);
    return undefined;
  }
  t.equal(ran.status, 0, `${command}: ${ran.stderr}`);
  return ran.stdout;
}

const dotted = (ns: bigint): string => `${ns / 1_000_000_000n}.${String(ns % 1_000_000_000n).padStart(9, '0')}`;

t.test('capinfos counts the same', async (t) => {
  const out = tool(t, 'capinfos', '-c', '-I', '-T', '-m', '-r', file);
  if (out === undefined) return;
  t.match(out, /,40\b|"40"/);
  const interfaces = tool(t, 'capinfos', '-I', file) ?? '';
  for (const name of names) t.match(interfaces, `Name = ${name}`);
  t.match(interfaces, 'Time precision = nanoseconds (9)');
});

t.test('tshark reads times, lengths, interfaces and comments', async (t) => {
  const fields = ['frame.interface_name', 'frame.time_epoch', 'frame.cap_len', 'frame.len', 'frame.comment'];
  const out = tool(t, 'tshark', '-r', file, '-T', 'fields', ...fields.flatMap((field) => ['-e', field]));
  if (out === undefined) return;
  t.same(
    out
      .trimEnd()
      .split('\n')
      .map((line) => line.trimEnd().split('\t')),
    frames.map((f) =>
      [f.interfaceName, dotted(f.timestampNs), `${f.bytes.length}`, `${f.originalLength}`, f.comment ?? ''].filter(
        (x, i) => i < 4 || x !== '',
      ),
    ),
  );
});

t.test('tcpdump reads times', async (t) => {
  const out = tool(t, 'tcpdump', '-n', '-tt', '--time-stamp-precision=nano', '-r', file);
  if (out === undefined) return;
  t.same(
    out
      .trimEnd()
      .split('\n')
      .map((line) => line.split(' ')[0]),
    frames.map((f) => dotted(f.timestampNs)),
  );
});

t.test('scapy reads the bytes', async (t) => {
  const program =
    'import sys\nfrom scapy.utils import RawPcapNgReader\nfor b, m in RawPcapNgReader(sys.argv[1]): print(b.hex(), m.wirelen)';
  const python = ['/usr/bin/python3', 'python3'].find(
    (candidate) => spawnSync(candidate, ['-c', 'import scapy.utils']).status === 0,
  );
  const out = tool(t, python ?? 'scapy (for Python)', '-c', program, file);
  if (out === undefined) return;
  t.same(
    out.trimEnd().split('\n'),
    frames.map((f) => `${Buffer.from(f.bytes).toString('hex')} ${f.originalLength}`),
  );
});

t.test('what editcap and tcpdump write is read', async (t) => {
  for (const format of ['pcapng', 'pcap', 'nsecpcap']) {
    const converted = join(folder, `converted.${format}`);
    if (tool(t, 'editcap', '-F', format, file, converted) === undefined) return;
    const capture = readCapture(readFileSync(converted));
    if (!capture.ok) {
      t.fail(`${format}: ${capture.error.detail}`);
      continue;
    }
    const precision = format === 'pcap' ? 1000n : 1n;
    t.same(
      capture.frames.map((f) => [f.timestampNs, [...f.bytes], f.originalLength]),
      frames.map((f) => [(f.timestampNs / precision) * precision, [...f.bytes], f.originalLength]),
      format,
    );
    if (format === 'pcapng') {
      t.same(
        capture.interfaces.map((i) => i.name),
        names,
      );
      t.same(
        capture.frames.map((f) => f.comment),
        frames.map((f) => f.comment),
      );
    }
  }
  const copy = join(folder, 'copy.pcap');
  if (tool(t, 'tcpdump', '--time-stamp-precision=nano', '-r', file, '-w', copy) === undefined) return;
  const capture = readCapture(readFileSync(copy));
  t.same(
    capture.ok && capture.frames.map((f) => f.timestampNs),
    frames.map((f) => f.timestampNs),
  );
});
