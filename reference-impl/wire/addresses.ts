/** IPv4 and MAC addresses as numbers, and their usual notation. */

/** 32 bits, unsigned, network order: 198.18.0.1 is 0xc6120001. */
export type Ipv4Address = number;

/** 48 bits, unsigned: exact in a double. */
export type MacAddress = number;

export const BROADCAST_MAC: MacAddress = 0xffffffffffff;

export function parseIpv4Address(text: string): Ipv4Address | undefined {
  const match = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(text);
  if (!match) return undefined;
  let value = 0;
  for (let i = 1; i <= 4; i++) {
    const octet = Number(match[i]);
    if (octet > 255) return undefined;
    value = value * 256 + octet;
  }
  return value;
}

export function formatIpv4Address(address: Ipv4Address): string {
  return `${address >>> 24}.${(address >>> 16) & 255}.${(address >>> 8) & 255}.${address & 255}`;
}

export function parseMacAddress(text: string): MacAddress | undefined {
  if (!/^[0-9a-fA-F]{2}(:[0-9a-fA-F]{2}){5}$/.test(text)) return undefined;
  return Number.parseInt(text.replaceAll(':', ''), 16);
}

export function formatMacAddress(address: MacAddress): string {
  return address
    .toString(16)
    .padStart(12, '0')
    .replace(/(..)(?!$)/g, '$1:');
}
