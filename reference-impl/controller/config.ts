/** What a controller is told at its start. Plain data. */
import type { WithoutRemedies } from '../core/remedies.js';
import type { Ipv4Address, MacAddress } from '../wire/addresses.js';

export type SelectionPolicy =
  | {
      readonly kind: 'path-map';
      readonly map: readonly { readonly prefix: string; readonly backend: string }[];
      readonly default: string;
    }
  | { readonly kind: 'path-hash' }
  | { readonly kind: 'round-robin' };

export interface ControllerConfig {
  readonly mac: MacAddress;
  /** The fabric's MAC, next hop for everything. */
  readonly gatewayMac: MacAddress;
  readonly logical: { readonly ip: Ipv4Address; readonly port: number };
  readonly backends: readonly { readonly name: string; readonly ip: Ipv4Address; readonly mac: MacAddress }[];
  readonly policy: SelectionPolicy;
  /** Longest request header that is accepted, in bytes (REQ-7: 64 KiB unless declared otherwise). */
  readonly headerLimit: number;
  /** How long a backend may keep a connection without finishing, in ms (ERR-2). */
  readonly handoffMs: number;
  /** How long a connection may be idle at the controller, in ms. */
  readonly idleMs: number;
  /** The MSS option it sends, in bytes: its link's MTU less 40; 1460 when absent. */
  readonly mss?: number;
  /** Keys the initial sequence numbers (RFC 6528). */
  readonly secret: string;
  /** Every connection starts at this sequence number instead, so that a test can have it wrap where it likes. */
  readonly initialSequence?: number;
  /** A TCP without congestion control and reassembly, for exhaustive exploration; false when absent. */
  readonly plainTcp?: boolean;
  readonly without: WithoutRemedies;
}
