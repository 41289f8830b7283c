/** What a backend is told at its start. Plain data. */
import type { WithoutRemedies } from '../core/remedies.js';
import type { Ipv4Address, MacAddress } from '../wire/addresses.js';

/** An object's bytes; a large one as a unit and how often it comes, so that nobody has to hold it whole. */
export type Content = Uint8Array | { readonly unit: Uint8Array; readonly times: number };

export interface BackendConfig {
  readonly name: string;
  readonly ip: Ipv4Address;
  readonly mac: MacAddress;
  readonly gatewayMac: MacAddress;
  /** The port clients speak to; the backend's own segments carry it as source port. */
  readonly port: number;
  /** What it serves at the start: path to content. */
  readonly objects: ReadonlyMap<string, Content>;
  /** Waits this long before the first byte of each response, in ms. */
  readonly serviceDelayMs: number;
  /** Receive buffer for a request's payload, in bytes. */
  readonly receiveBuffer: number;
  /** A TCP without congestion control and reassembly, for exhaustive exploration; false when absent. */
  readonly plainTcp?: boolean;
  readonly without: WithoutRemedies;
}
