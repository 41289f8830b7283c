/** Tells what is new from what only comes again: a repeated segment or message says that somebody waits, not that something happens. */

/** Remembered at once; beyond it all is forgotten, so that what is repeated counts once more. */
const MOST_REMEMBERED = 20_000;

export class News {
  readonly #seen = new Set<string>();
  #count = 0;

  /** How much was new so far. */
  get count(): number {
    return this.#count;
  }

  note(what: string): void {
    if (this.#seen.has(what)) return;
    if (this.#seen.size >= MOST_REMEMBERED) this.#seen.clear();
    this.#seen.add(what);
    this.#count++;
  }
}

const ETHERNET = 14;
const TCP = 6;
const ARP = 0x0806;
const IPV4 = 0x0800;

/**
 * What makes a frame news; undefined for ARP, which asks for ever. Of a TCP segment: addresses, ports, numbers, flags, window and length, so that
 * a retransmission is none, whatever its time stamps say. Any bytes.
 */
export function frameNews(bytes: Uint8Array, link: number): string | undefined {
  const frame = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (frame.length < ETHERNET + 20) return `${link} ${frame.toString('latin1')}`;
  const type = frame.readUInt16BE(12);
  if (type === ARP) return undefined;
  const header = ETHERNET + 4 * ((frame[ETHERNET] ?? 0) & 15);
  if (type !== IPV4 || frame[ETHERNET + 9] !== TCP || frame.length < header + 16)
    return `${link} ${frame.toString('latin1', ETHERNET + 6)}`;
  const length = frame.toString('latin1', ETHERNET + 2, ETHERNET + 4);
  return `${link} ${length}${frame.toString('latin1', ETHERNET + 12, ETHERNET + 20)}${frame.toString('latin1', header, header + 16)}`;
}
