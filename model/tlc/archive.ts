/** The names of the files in a zip or jar. */
import { type FileHandle, open } from 'node:fs/promises';

// APPNOTE.TXT 4.3.16 and 4.3.12: the end of central directory record, and one header of the central directory.
const END_SIGNATURE = 0x06054b50;
const END_BYTES = 22;
const LONGEST_COMMENT = 0xffff;
const HEADER_SIGNATURE = 0x02014b50;
const HEADER_BYTES = 46;
/** Far more than any jar of TLC has (200 kB). */
const LARGEST_DIRECTORY = 64 * 1024 * 1024;

/** The names in the central directory, or undefined when the file is no zip (or a ZIP64). Rejects with the system's error when it cannot be read. */
export async function archiveNames(path: string): Promise<Set<string> | undefined> {
  const file = await open(path, 'r');
  try {
    const { size } = await file.stat();
    const tail = await bytesAt(file, Math.max(0, size - END_BYTES - LONGEST_COMMENT), END_BYTES + LONGEST_COMMENT);
    for (let at = tail.length - END_BYTES; at >= 0; at--) {
      if (tail.readUInt32LE(at) !== END_SIGNATURE) continue;
      const length = tail.readUInt32LE(at + 12);
      if (length > Math.min(size, LARGEST_DIRECTORY)) return undefined;
      return namesIn(await bytesAt(file, tail.readUInt32LE(at + 16), length), tail.readUInt16LE(at + 10));
    }
    return undefined;
  } finally {
    await file.close();
  }
}

async function bytesAt(file: FileHandle, position: number, length: number): Promise<Buffer> {
  const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, position);
  return buffer.subarray(0, bytesRead);
}

function namesIn(directory: Buffer, count: number): Set<string> | undefined {
  const names = new Set<string>();
  let at = 0;
  for (let i = 0; i < count; i++) {
    if (at + HEADER_BYTES > directory.length || directory.readUInt32LE(at) !== HEADER_SIGNATURE) return undefined;
    const [name, extra, comment] = [28, 30, 32].map((offset) => directory.readUInt16LE(at + offset));
    const start = at + HEADER_BYTES;
    names.add(directory.toString('utf8', start, start + (name ?? 0)));
    at = start + (name ?? 0) + (extra ?? 0) + (comment ?? 0);
  }
  return names;
}
