/** What is known of a connection in which nothing happened but what every hand-off must be made of. */

/** A request that was handed off, answered, and taken back, without a stranger. Times in nanoseconds. */
export interface RegularExchange {
  readonly kind: 'read' | 'write';
  readonly target: string;
  /** The write has payload. */
  readonly payload: boolean;
  readonly backend: string;
  /** The backend acknowledged payload. */
  readonly tookPayload: boolean;
  /** When the header was whole on the controller's link. */
  readonly headerAt: number;
  /** Before this nobody can have begun to serve it. */
  readonly begins: number;
  /** The backend's first segment. */
  readonly first: number;
  readonly firstFrame: { readonly file: number; readonly number: number };
  /** When the client acknowledged the whole response. */
  readonly doneFrom: number;
  /** When the client heard from the controller again. */
  readonly takenBackAtClient: number;
  /** After that the client spoke to the controller. */
  readonly spokeAfter: boolean;
  /** The backend's segments that arrived at the client. */
  readonly fromBackend: number;
  /** The client's segments that its rule took to the backend. */
  readonly routed: number;
}

export interface RegularConnection {
  /** `address:port` */
  readonly client: string;
  readonly exchanges: readonly RegularExchange[];
  /** Segments that never arrived. */
  readonly lost: number;
  /** Segments that arrived. */
  readonly packets: number;
  /** Segments that the servers sent behind the SYN-ACK. */
  readonly fromServers: number;
  /** Segments that arrived at the client. */
  readonly toClient: number;
  /** Segments that a backend sent again. */
  readonly repeated: number;
  /** The client's FINs that the last rule took to the backend, and cleared, before the close completed; 0 for a close behind it. */
  readonly heldFins: number;
  /** Those between client and controller. */
  readonly unmatched: number;
  /** Those between client and a backend. */
  readonly rewritten: number;
  readonly timestamps: boolean;
  /** How often another owner began to speak. */
  readonly changesOfOwner: number;
  readonly ended: boolean;
  /** Times at which a segment arrived that another connection's rule could have touched. */
  readonly arrivals: Float64Array;
  /** An earlier connection of the same port was handed off and has ended. */
  readonly reused: boolean;
}
