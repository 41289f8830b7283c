/** Where a frame that leaves a switch had entered it: what no rewriting changes tells them apart. Guesses, for choosing frames to impair. */
import { parseFrame } from '../../reference-impl/wire/frame.js';

/** Frames remembered; a thousandth of a second's worth at line speed is plenty. */
const REMEMBERED = 8192;

/** Identification, ports, sequence number and payload length survive the switch (SWT-5); addresses, flags, window and checksums may not. */
function fingerprint(bytes: Uint8Array): string | undefined {
  const parsed = parseFrame(bytes);
  if (!parsed.ok) return undefined;
  const { ipv4, tcp } = parsed.value;
  if (!ipv4 || !tcp) return undefined;
  return `${ipv4.id} ${tcp.srcPort} ${tcp.dstPort} ${tcp.seq} ${tcp.payloadLength}`;
}

export class Origins {
  readonly #seen = new Map<string, string>();

  /** A frame enters the switch by that vantage. */
  enter(vantage: string, bytes: Uint8Array): void {
    const print = fingerprint(bytes);
    if (print === undefined) return;
    this.#seen.delete(print);
    this.#seen.set(print, vantage);
    if (this.#seen.size <= REMEMBERED) return;
    const [oldest] = this.#seen.keys();
    if (oldest !== undefined) this.#seen.delete(oldest);
  }

  /** The vantage by which a leaving frame entered last; `switch` for what nothing that entered can have become. */
  of(bytes: Uint8Array): string {
    const print = fingerprint(bytes);
    return (print === undefined ? undefined : this.#seen.get(print)) ?? 'switch';
  }
}
