/** What a codec says about bytes that are not a packet of its protocol. */

export interface WireError {
  readonly layer: 'ethernet' | 'arp' | 'ipv4' | 'tcp' | 'udp';
  readonly reason: /** The captured bytes end inside the header. */
    | 'truncated'
    /** An IP version other than 4. */
    | 'version'
    /** A header length shorter than the fixed header, or longer than the packet. */
    | 'header-length'
    /** A length field that contradicts the header or the layer below. */
    | 'length'
    /** ARP for something else than IPv4 over Ethernet. */
    | 'address-type';
  readonly detail: string;
}

export type Parsed<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly error: WireError };

export function wireError(
  layer: WireError['layer'],
  reason: WireError['reason'],
  detail: string,
): { ok: false; error: WireError } {
  return { ok: false, error: { layer, reason, detail } };
}
