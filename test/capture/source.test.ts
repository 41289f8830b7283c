/** Captures read piece by piece: the same frames as at once, whatever the pieces; compressed, damaged, cut. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import t from 'tap';
import { CaptureParser, type FrameSink, Unreadable } from '../../harness/capture/parser.js';
import { encodePcapng, readCapture } from '../../harness/capture/pcapng.js';
import { CaptureSource, sourceError } from '../../harness/capture/source.js';

const folder = mkdtempSync(join(tmpdir(), 'prism-source-'));
t.teardown(() => rmSync(folder, { recursive: true, force: true }));

type Seen = [index: number, ns: bigint, bytes: string, originalLength: number][];

function collector(seen: Seen): FrameSink {
  return {
    interface: () => undefined,
    frame: (index, clock, high, low, bytes, start, end, originalLength) => {
      seen.push([
        index,
        clock?.ns(high, low) ?? 0n,
        Buffer.from(bytes.subarray(start, end)).toString('hex'),
        originalLength,
      ]);
    },
  };
}

const frames = fc.array(
  fc
    .record({
      interfaceName: fc.constantFrom('client', 'controller'),
      timestampNs: fc.bigInt({ min: 0n, max: (1n << 63n) - 1n }),
      bytes: fc.uint8Array({ maxLength: 90 }),
      beyond: fc.nat(9),
    })
    .map(({ beyond, ...frame }) => ({ ...frame, originalLength: frame.bytes.length + beyond })),
  { maxLength: 10 },
);

/** What a source does with its buffer, in memory. */
function inPieces(bytes: Uint8Array, sizes: readonly number[], sink: FrameSink): void {
  const parser = new CaptureParser(sink, false);
  let rest = new Uint8Array(0);
  let at = 0;
  for (let turn = 0; ; turn++) {
    const end = Math.min(bytes.length, at + Math.max(1, sizes[turn % sizes.length] ?? 1));
    const piece = Buffer.concat([rest, bytes.subarray(at, end)]);
    const last = end === at;
    at = end;
    const used = parser.parse(piece, piece.length, last);
    rest = Uint8Array.from(piece.subarray(used));
    if (last) return;
  }
}

t.test('pieces of any size give the frames of the whole file', async (t) => {
  fc.assert(
    fc.property(frames, fc.array(fc.nat(200), { minLength: 1, maxLength: 5 }), (written, sizes) => {
      const file = encodePcapng(['client', 'controller'], written);
      const capture = readCapture(file);
      t.ok(capture.ok);
      if (!capture.ok) return;
      const seen: Seen = [];
      inPieces(file, sizes, collector(seen));
      t.same(
        seen,
        capture.frames.map((f) => [
          f.interfaceIndex,
          f.timestampNs,
          Buffer.from(f.bytes).toString('hex'),
          f.originalLength,
        ]),
      );
    }),
  );
});

t.test('any bytes in any pieces give frames or a named error, the same as at once', async (t) => {
  const damaged = fc
    .tuple(frames, fc.array(fc.tuple(fc.nat(600), fc.nat(255)), { maxLength: 4 }), fc.nat(40))
    .map(([written, changes, cut]) => {
      const file = encodePcapng(['client', 'controller'], written);
      for (const [at, value] of changes) file[at % file.length] = value;
      return file.subarray(0, file.length - Math.min(cut, file.length - 1));
    });
  fc.assert(
    fc.property(fc.oneof(damaged, fc.uint8Array({ maxLength: 100 })), fc.nat(64), (file, size) => {
      const whole = readCapture(file);
      const seen: Seen = [];
      let failed: Unreadable | undefined;
      try {
        inPieces(file, [size], collector(seen));
      } catch (error) {
        if (!(error instanceof Unreadable)) throw error;
        failed = error;
      }
      t.equal(failed === undefined, whole.ok);
      if (!whole.ok) t.match(failed, { reason: whole.error.reason, offset: whole.error.offset });
    }),
    { numRuns: 1500 },
  );
});

t.test('stamps relative to the first are those of big integers', async (t) => {
  fc.assert(
    fc.property(frames, (written) => {
      const near = written.map((frame) => ({
        ...frame,
        timestampNs: 1_506_211_200_000_000_000n + (frame.timestampNs >> 20n),
      }));
      const origin = near[0]?.timestampNs ?? 0n;
      const expected = near.map((frame) => Number(frame.timestampNs - origin));
      const seen: number[] = [];
      const parser = new CaptureParser(
        {
          interface: () => undefined,
          frame: (_, clock, high, low) => seen.push(clock?.since(origin, high, low) ?? Number.NaN),
        },
        false,
      );
      const file = encodePcapng(['client', 'controller'], near);
      parser.parse(file, file.length, true);
      t.same(seen, expected);
    }),
  );
});

async function readFile(bytes: Uint8Array, name: string): Promise<{ seen: Seen; error: string | undefined }> {
  const path = join(folder, name);
  writeFileSync(path, bytes);
  const seen: Seen = [];
  const source = CaptureSource.open(path, collector(seen));
  try {
    while (await source.step());
    return { seen, error: undefined };
  } catch (error) {
    return { seen, error: sourceError(error, source.parser.frames)?.detail ?? `not of the file: ${error}` };
  } finally {
    source.close();
  }
}

t.test('files larger than a piece, plain and compressed', async (t) => {
  const written = Array.from({ length: 900 }, (_, n) => ({
    interfaceName: 'client',
    timestampNs: BigInt(n),
    bytes: new Uint8Array(3000).fill(n),
    originalLength: 3000,
  }));
  const file = encodePcapng(['client'], written);
  const plain = await readFile(file, 'a.pcapng');
  t.equal(plain.error, undefined);
  t.equal(plain.seen.length, 900);
  t.same((await readFile(gzipSync(file), 'a.pcapng.gz')).seen, plain.seen);
  const cut = await readFile(gzipSync(file).subarray(0, 4000), 'b.pcapng.gz');
  t.match(cut.error, /gzip: unexpected end of file/);
  const spoilt = gzipSync(file);
  spoilt.fill(0x55, 200, 260);
  t.match((await readFile(spoilt, 'c.pcapng.gz')).error, /gzip: |block/);
  t.match((await readFile(new Uint8Array(0), 'empty')).error, /empty/);
  t.match((await readFile(file.subarray(0, file.length - 5), 'd.pcapng')).error, /the file ends within a block/);
});
