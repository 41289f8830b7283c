/** A digest of what happened in a run: every frame, control message and event, with its time and place. */

/** Two streams of 32 bits (FNV-1a and a murmur-like mix): enough to notice a difference, which is all that is asked. */
export class RunDigest {
  #a = 0x811c9dc5;
  #b = 0x9747b28c;

  number(value: number): void {
    // Times are beyond 32 bits.
    this.#mix(value >>> 0);
    this.#mix((value / 0x1_0000_0000) >>> 0);
  }

  text(text: string): void {
    for (let i = 0; i < text.length; i++) this.#mix(text.charCodeAt(i));
  }

  /** The frame's first 96 bytes (all headers; the TCP checksum stands for the payload) and its length. */
  frame(bytes: Uint8Array): void {
    this.#mix(bytes.length);
    const stop = Math.min(96, bytes.length) - 3;
    let at = 0;
    for (; at < stop; at += 4)
      this.#mix(
        ((bytes[at] ?? 0) << 24) | ((bytes[at + 1] ?? 0) << 16) | ((bytes[at + 2] ?? 0) << 8) | (bytes[at + 3] ?? 0),
      );
    for (; at < bytes.length && at < 96; at++) this.#mix(bytes[at] ?? 0);
  }

  /** 16 hex digits. */
  toString(): string {
    return [this.#a, this.#b].map((word) => (word >>> 0).toString(16).padStart(8, '0')).join('');
  }

  #mix(word: number): void {
    this.#a = Math.imul(this.#a ^ word, 0x01000193);
    this.#a ^= this.#a >>> 15;
    this.#b = Math.imul(this.#b ^ Math.imul(word, 0xcc9e2d51), 0x85ebca6b);
    this.#b ^= this.#b >>> 13;
  }
}
