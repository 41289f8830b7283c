/** What a switch is told at its start. Plain data. */
import type { PortName } from '../core/core.js';
import type { WithoutRemedies } from '../core/remedies.js';
import type { Ipv4Address, MacAddress } from '../wire/addresses.js';

export interface SwitchConfig {
  /** The one MAC of every port; the next hop of every host. */
  readonly mac: MacAddress;
  /** `gateway`: the address the port answers ARP for beside the logical one. */
  readonly ports: readonly { readonly name: PortName; readonly gateway: Ipv4Address }[];
  /** The default L3 table: longest prefix first wins. `nextHop`: deliver to that host's MAC instead of the destination's own. */
  readonly routes: readonly {
    readonly prefix: Ipv4Address;
    readonly length: number;
    readonly port: PortName;
    readonly nextHop?: Ipv4Address;
  }[];
  /** Static neighbours; others are learned by ARP. */
  readonly neighbours: readonly { readonly ip: Ipv4Address; readonly mac: MacAddress; readonly port: PortName }[];
  /** Answered by ARP on every port that does not lead to it. */
  readonly logical: Ipv4Address;
  readonly ruleCapacity: number;
  /** Control peers that are listened to (SEC-3); whoever speaks when absent. */
  readonly peers?: readonly string[];
  /** How long a removed rule's leftovers are dropped, in ms (remedy `drain-rules`). */
  readonly drainMs: number;
  readonly without: WithoutRemedies;
}
