/** The capture codec against itself: round trips, both byte orders, damage of every kind. */
import fc from 'fast-check';
import t from 'tap';
import {
  type Capture,
  type CaptureFrame,
  encodePcapng,
  pcapngHeader,
  pcapngPacket,
  readCapture,
} from '../../harness/capture/pcapng.js';

const names = ['client', 'controller', 'backend0'];

const frame = fc.record({
  interfaceName: fc.constantFrom(...names),
  timestampNs: fc.bigInt({ min: 0n, max: (1n << 63n) - 1n }),
  bytes: fc.uint8Array({ maxLength: 100 }),
  beyond: fc.nat(1000),
  // A NUL ends an option's text.
  comment: fc.option(
    fc.string({ unit: 'grapheme', maxLength: 40 }).filter((text) => !text.includes('\0')),
    { nil: undefined },
  ),
});

function toCaptureFrame(random: { beyond: number } & Omit<CaptureFrame, 'originalLength'>): CaptureFrame {
  const { interfaceName, timestampNs, bytes, beyond, comment } = random;
  return {
    interfaceName,
    timestampNs,
    bytes,
    originalLength: bytes.length + beyond,
    ...(comment !== undefined && { comment }),
  };
}

const frames = fc.array(
  frame.map(({ comment, ...rest }) => toCaptureFrame({ ...rest, ...(comment !== undefined && { comment }) })),
  { maxLength: 12 },
);

function whole(capture: Capture): Extract<Capture, { ok: true }> {
  if (!capture.ok) throw new Error(`${capture.error.reason} at ${capture.error.offset}: ${capture.error.detail}`);
  return capture;
}

t.test('what is written is read back', async (t) => {
  fc.assert(
    fc.property(frames, (written) => {
      const capture = whole(readCapture(encodePcapng(names, written)));
      t.same(
        capture.interfaces.map((i) => [i.name, i.linkType]),
        names.map((name) => [name, 1]),
      );
      const read = capture.frames.map(({ interfaceIndex, ...rest }) => ({
        ...rest,
        interfaceName: names[interfaceIndex],
        bytes: [...rest.bytes],
      }));
      t.same(
        read,
        written.map((f) => ({ ...f, bytes: [...f.bytes] })),
      );
    }),
  );
});

t.test('streaming gives the same file', async (t) => {
  const written: CaptureFrame = {
    interfaceName: 'backend0',
    timestampNs: 5n,
    bytes: Uint8Array.of(1, 2, 3),
    originalLength: 9,
    comment: 'x',
  };
  const streamed = Buffer.concat([pcapngHeader(names), pcapngPacket(2, 5n, written.bytes, 9, 'x')]);
  t.same(streamed, Buffer.from(encodePcapng(names, [written])));
  t.throws(() => encodePcapng(['client'], [written]), /no interface backend0/);
});

t.test('a file cut anywhere is truncated, and says how many frames are whole', async (t) => {
  const written = [0, 1, 2].map((n) => ({
    interfaceName: 'client',
    timestampNs: BigInt(n),
    bytes: new Uint8Array(20 + n),
    originalLength: 20 + n,
  }));
  const file = encodePcapng(names, written);
  const ends = [pcapngHeader(names).length];
  for (const f of written) ends.push((ends.at(-1) ?? 0) + pcapngPacket(0, 0n, f.bytes).length);
  const boundaries = new Set([28, ...names.map((_, n) => pcapngHeader(names.slice(0, n + 1)).length), ...ends]);
  for (let cut = 4; cut < file.length; cut++) {
    const capture = readCapture(file.subarray(0, cut));
    if (boundaries.has(cut)) {
      t.ok(capture.ok);
      continue;
    }
    t.notOk(capture.ok);
    if (capture.ok) continue;
    t.equal(capture.error.reason, 'truncated', `cut at ${cut}`);
    t.equal(capture.error.wholeFrames, ends.filter((end, n) => n > 0 && end <= cut).length);
    t.ok(capture.error.offset < cut);
  }
});

t.test('any bytes give a capture or a named error', async () => {
  const valid = frames.map((f) => encodePcapng(names, f));
  const damaged = fc
    .tuple(valid, fc.array(fc.tuple(fc.nat(2000), fc.nat(255)), { maxLength: 6 }))
    .map(([file, changes]) => {
      for (const [at, value] of changes) file[at % file.length] = value;
      return file;
    });
  const magics = [
    [0x0a, 0x0d, 0x0d, 0x0a],
    [0xa1, 0xb2, 0xc3, 0xd4],
    [0x4d, 0x3c, 0xb2, 0xa1],
    [0xa1, 0xb2, 0xcd, 0x34],
  ];
  const headed = fc
    .tuple(fc.constantFrom(...magics), fc.uint8Array({ maxLength: 200 }))
    .map(([magic, rest]) => Uint8Array.from([...magic, ...rest]));
  fc.assert(
    fc.property(fc.oneof(fc.uint8Array({ maxLength: 200 }), damaged, headed), (file) => {
      const capture = readCapture(file);
      return capture.ok || (capture.error.offset <= file.length && capture.error.detail.length > 0);
    }),
    { numRuns: 3000 },
  );
});

/** Blocks in either byte order, for shapes that our writer never makes. */
class Writer {
  readonly parts: Buffer[] = [];
  constructor(readonly little: boolean) {}
  u16(...values: number[]): this {
    for (const v of values) this.parts.push(Buffer.from(this.little ? [v & 255, v >>> 8] : [v >>> 8, v & 255]));
    return this;
  }
  u32(...values: number[]): this {
    for (const v of values) this.little ? this.u16(v & 0xffff, v >>> 16) : this.u16(v >>> 16, v & 0xffff);
    return this;
  }
  raw(...values: number[]): this {
    this.parts.push(Buffer.from(values));
    return this;
  }
  block(type: number, fill: (body: Writer) => void): this {
    const body = new Writer(this.little);
    fill(body);
    const bytes = Buffer.concat(body.parts);
    this.u32(type, bytes.length + 12);
    this.parts.push(bytes);
    return this.u32(bytes.length + 12);
  }
  section(): this {
    return this.block(0x0a0d0d0a, (b) => b.u32(0x1a2b3c4d).u16(1, 0).u32(0xffffffff, 0xffffffff));
  }
  bytes(): Uint8Array {
    return Buffer.concat(this.parts);
  }
}

t.test('time stamps of every resolution, in both byte orders', async (t) => {
  const second = 1_000_000_000n;
  for (const little of [true, false]) {
    const withResolution = (resolution: number, offset: number, high: number, low: number): bigint | undefined => {
      const w = new Writer(little).section().block(1, (b) => {
        b.u16(1, 0).u32(0).u16(9, 1).raw(resolution, 0, 0, 0).u16(14, 8);
        little ? b.u32(offset, 0) : b.u32(0, offset);
        b.u16(0, 0);
      });
      w.block(6, (b) => b.u32(0, high, low, 1, 1).raw(7, 0, 0, 0));
      return whole(readCapture(w.bytes())).frames[0]?.timestampNs;
    };
    t.equal(withResolution(6, 0, 1, 5), ((1n << 32n) + 5n) * 1000n);
    t.equal(withResolution(0, 100, 0, 7), 107n * second);
    t.equal(withResolution(3, 0, 0, 7), 7_000_000n);
    t.equal(withResolution(9, 0, 0, 7), 7n);
    t.equal(withResolution(12, 0, 0, 7_999), 7n);
    t.equal(withResolution(0x80 | 10, 0, 0, 1536), (second * 3n) / 2n);
    t.equal(withResolution(0x80 | 32, 0, 3, 0x80000000), (second * 7n) / 2n);
  }
});

t.test('several sections, simple and obsolete packets, unknown blocks', async (t) => {
  const first = new Writer(true)
    .section()
    .block(1, (b) => b.u16(1, 0).u32(4))
    .block(0x0bad, (b) => b.u32(1, 2, 3))
    .block(3, (b) => b.u32(9).raw(1, 2, 3, 4))
    .block(2, (b) => b.u16(0, 0).u32(0, 2, 2, 2).raw(5, 6, 0, 0));
  const second = new Writer(false)
    .section()
    .block(1, (b) => b.u16(113, 0).u32(0))
    .block(6, (b) => b.u32(0, 0, 3, 3, 3).raw(7, 8, 9, 0));
  const capture = whole(readCapture(Buffer.concat([first.bytes(), second.bytes()])));
  t.same(
    capture.interfaces.map((i) => [i.linkType, i.snapLength]),
    [
      [1, 4],
      [113, 0],
    ],
  );
  t.same(
    capture.frames.map((f) => [f.interfaceIndex, f.timestampNs, [...f.bytes], f.originalLength]),
    [
      [0, 0n, [1, 2, 3, 4], 9],
      [0, 2000n, [5, 6], 2],
      [1, 3000n, [7, 8, 9], 3],
    ],
  );
});

t.test('classic pcap in both units and byte orders', async (t) => {
  for (const little of [true, false])
    for (const [magic, unit] of [
      [0xa1b2c3d4, 1000n],
      [0xa1b23c4d, 1n],
    ] as const) {
      const file = new Writer(little).u32(magic).u16(2, 4).u32(0, 0, 65535, 1).u32(10, 20, 2, 60).raw(1, 2).bytes();
      const capture = whole(readCapture(file));
      t.same(capture.interfaces, [{ name: undefined, linkType: 1, snapLength: 65535 }]);
      t.same(
        capture.frames.map((f) => [f.timestampNs, [...f.bytes], f.originalLength]),
        [[10_000_000_000n + 20n * unit, [1, 2], 60]],
      );
      const cut = readCapture(file.subarray(0, file.length - 1));
      t.match(cut, { ok: false, error: { reason: 'truncated', offset: 24, wholeFrames: 0 } });
    }
});

t.test('damage is named', async (t) => {
  const section = new Writer(true).section();
  const reasonOf = (file: Uint8Array): string => {
    const capture = readCapture(file);
    return capture.ok ? 'ok' : capture.error.reason;
  };
  t.equal(reasonOf(new Uint8Array(0)), 'not-a-capture');
  t.equal(reasonOf(Buffer.from('GET / HTTP/1.1\r\n')), 'not-a-capture');
  t.equal(reasonOf(Buffer.from([0x1f, 0x8b, 8, 0])), 'unsupported');
  t.equal(
    reasonOf(new Writer(true).block(0x0a0d0d0a, (b) => b.u32(0x1a2b3c4d).u16(2, 0).u32(0, 0)).bytes()),
    'unsupported',
  );
  t.equal(reasonOf(new Writer(true).block(0x0a0d0d0a, (b) => b.u32(1, 2, 3, 4)).bytes()), 'corrupt');
  t.equal(reasonOf(section.block(6, (b) => b.u32(0, 0, 0, 0, 0)).bytes()), 'corrupt', 'a packet without an interface');
  t.equal(reasonOf(Buffer.concat([pcapngHeader(['client']), new Writer(true).u32(6, 13, 0, 0).bytes()])), 'corrupt');
  const mismatched = Buffer.from(encodePcapng(['client'], []));
  mismatched[mismatched.length - 1] = 1;
  t.equal(reasonOf(mismatched), 'corrupt');
});
