/** What a client program's run needs around it. */

/** An address on the client's link that the client's kernel does not have. */
export interface OwnAddress {
  readonly ip: string;
  readonly mac: string;
  /** The switch's address on that link. */
  readonly gateway: string;
}

/** The Host header's value (RFC 9110 §7.2: without the default port). */
export function hostHeader({ host, port }: Pick<ClientSurroundings, 'host' | 'port'>): string {
  return port === 80 ? host : `${host}:${port}`;
}

export interface ClientSurroundings {
  /** Existing private folder for request bodies and responses, of this job alone; the caller removes it. */
  readonly folder: string;
  readonly host: string;
  readonly port: number;
  /** Ends the program early when aborted. */
  readonly signal: AbortSignal;
  /** Wraps a command line so that it runs inside the client's namespace. */
  enter(command: readonly string[]): string[];
  /** A fresh one for each call, for clients that bring a TCP of their own; throws a WorldError when there is none left. */
  ownAddress(): OwnAddress;
}
