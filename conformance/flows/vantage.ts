/** Where a frame was seen: by the interface's name, by what the user said, or, where neither tells, by the hosts' MAC addresses. */
import type { CapturedInterface } from '../../harness/capture/pcapng.js';
import type { MacAddress } from '../../reference-impl/wire/addresses.js';
import type { Hosts } from './decode.js';
import { isKnownLink, LinkType, NO_MAC } from './link.js';

/** `byMac`: the vantage of each frame shows in its MAC addresses. */
export type Place = { readonly vantage: string } | { readonly byMac: true };

/** Settles the interfaces of one file; what it leaves out it notes. */
export class VantageFinder {
  readonly #places: (Place | undefined)[] = [];
  readonly #pending: { readonly index: number; readonly described: CapturedInterface }[] = [];
  #named = false;

  constructor(
    private readonly hosts: Hosts,
    /** For a file that does not name its interfaces: the vantage of all its frames. */
    private readonly given: string | undefined,
    private readonly note: (text: string) => void,
  ) {}

  /** Every vantage that a topology has. */
  static known(hosts: Hosts): ReadonlySet<string> {
    return new Set(['client', 'controller', ...hosts.backends.keys()]);
  }

  add(index: number, described: CapturedInterface): void {
    const vantage = this.given ?? described.name;
    if (!isKnownLink(described.linkType)) {
      this.note(
        `interface ${vantage ?? index} has link type ${described.linkType}, which is not known here, and was ignored`,
      );
    } else if (vantage !== undefined && VantageFinder.known(this.hosts).has(vantage)) {
      this.#named = true;
      this.#places[index] = { vantage };
    } else if (vantage !== undefined && (this.given !== undefined || vantage.startsWith('switch'))) {
      this.note(`interface ${vantage} is no vantage of the topology and was ignored`);
    } else this.#pending.push({ index, described });
  }

  /** Interfaces that say nothing are told apart by MAC address only in a file where no other says anything. */
  place(index: number): Place | undefined {
    for (const { index: one, described } of this.#pending.splice(0)) {
      const name = described.name ?? `${one}`;
      if (this.#named) {
        this.note(
          described.name === undefined
            ? `interface ${name} has no name; name its vantage with FILE@vantage`
            : `interface ${name} is no vantage of the topology and was ignored`,
        );
      } else if (described.linkType !== LinkType.ETHERNET || this.hosts.macs.size === 0) {
        this.note(
          `interface ${name} is no vantage of the topology, and neither link type nor topology give MAC addresses to tell by; name it with FILE@vantage`,
        );
      } else {
        this.note(`interface ${name} is no vantage of the topology: whose frames they are was told by MAC addresses`);
        this.#places[one] = { byMac: true };
      }
    }
    return this.#places[index];
  }

  /** Vantages that the interfaces name, whether they saw anything or not. */
  get vantages(): string[] {
    return this.#places.flatMap((place) => (place !== undefined && 'vantage' in place ? [place.vantage] : []));
  }
}

/** The vantage that a frame between two hosts shows: its sender's before the fabric, its receiver's behind it. */
export function vantageByMac(hosts: Hosts, src: MacAddress, dst: MacAddress): string | undefined {
  if (src === NO_MAC && dst === NO_MAC) return undefined;
  for (const [vantage, macs] of hosts.macs) if (macs.has(src) || macs.has(dst)) return vantage;
  // Only on the clients' side may MAC addresses be unknown: what stands between the fabric and nobody else is a client, or a router before them.
  const clientless = hosts.macs.has('controller') && hosts.fabricMac !== undefined;
  const complete = [...hosts.backends.keys()].every((name) => hosts.macs.has(name));
  return clientless && complete && (src === hosts.fabricMac || dst === hosts.fabricMac) ? 'client' : undefined;
}
