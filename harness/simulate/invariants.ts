/** The invariants of a simulated run, each with the clause that it stands for. */

export const INVARIANTS = {
  'logical-source': ['EST-2', 'every segment that reaches the client comes from the logical address and the fabric'],
  'options-kept': [
    'EST-3',
    'no owner exceeds or changes what was negotiated, nor sends beyond the window of the client',
  ],
  'one-initial-number': ['EST-4', 'a repeated SYN is answered with the same initial sequence number'],
  'header-received': [
    'REQ-1',
    'what is handed over is the next request header of the client, byte for byte, and the client has sent it',
  ],
  'header-only': ['REQ-2', 'the controller acknowledges nothing behind the header of the request at hand'],
  'read-closes-window': ['REQ-3', 'the acknowledgement of a read closes the window'],
  'write-keeps-window': ['REQ-4', 'the acknowledgement of a write keeps the window open'],
  'backend-of-policy': ['REQ-6', 'the backend is the one that the policy names'],
  'rule-before-hand-off': ['HOF-1', 'the rule is in force when the backend is told'],
  'nothing-in-flight': ['HOF-2', 'all that was sent is acknowledged when the connection changes hands'],
  'state-handed-over': ['HOF-3', 'the hand-off carries the numbers, options and time stamps as they are'],
  'one-owner': ['HOF-4', 'there is one owner at most, and who is not says nothing'],
  'backend-silent-before': ['HOF-5', 'a backend sends nothing on a connection that it has not taken over'],
  steered: ['SWT-1', "a client's segment with a rule leaves for that backend, by its addresses"],
  disguised: ['SWT-2', "a backend's segment under a rule leaves as the logical server's"],
  routed: ['SWT-3', 'what has no rule goes where the default table says, as it is'],
  'checksums-kept': ['SWT-4', 'valid checksums stay valid, corrupt ones corrupt'],
  'nothing-else-changed': ['SWT-5', 'a segment that is forwarded differs in what it must only'],
  'client-sees-zero': ['SWT-6', 'while a read is handed off, the window that the client sees is zero'],
  'fin-hidden': ['SWT-7', 'no FIN of the client reaches a backend'],
  'rules-as-confirmed': ['SWT-9', 'the table of the switch is what it has confirmed'],
  'switch-total': ['SWT-10', 'no input makes the switch fail'],
  'stream-continues': ['BKD-1', 'the byte stream to the client has no gap, and no byte of it is ever another'],
  'response-right': ['BKD-1', 'the client gets the response that belongs to its request'],
  'corrupt-ignored': ['BKD-1', 'a corrupt segment has no effect'],
  'payload-only': ['BKD-2', 'for a write, the backend acknowledges the payload of that request only'],
  'nothing-behind-header': ['BKD-3', 'for a read, the backend acknowledges nothing behind the header'],
  'fin-held': ['BKD-4', 'a FIN is not acknowledged while handed off'],
  'own-bytes-only': ['BKD-5', 'no owner sends bytes of another'],
  'complete-means-acknowledged': [
    'BKD-6',
    'completion is reported when the client has the whole response, with the numbers as they are',
  ],
  'failure-has-a-cause': ['BKD-7', 'a backend reports a failure only when there is one'],
  'host-total': ['BKD-7', 'no input makes a controller or a backend fail'],
  'time-stamps-rise': ['BKD-8', 'time stamps never run backwards, and echoes are of what the client sent'],
  'backend-silent-after': ['BKD-9', 'a backend that has given the connection up sends nothing more on it'],
  'rules-gone-first': ['RET-1', 'the controller is silent until the rules are gone'],
  'window-reopened': ['RET-2', 'the window of a read is opened as soon as the rules are gone'],
  progress: ['RET-2', 'when the faults are over, every client is served'],
  'close-completes': ['RET-3', 'a client that closes is answered by a close'],
  'nothing-left': ['RET-6', 'at the end nobody holds anything: no rule, no connection, no timer, no byte'],
  'reset-has-a-cause': ['ERR-1', 'a client is reset only when its backend was lost'],
  'reset-reaches-client': ['ERR-2', 'a client whose backend was lost is told'],
  'refusal-has-a-cause': ['ERR-3', 'a request is refused only when no backend can be had for it'],
} as const satisfies Record<string, readonly [clause: string, statement: string]>;

export type InvariantName = keyof typeof INVARIANTS;

export function isInvariantName(text: string): text is InvariantName {
  return Object.hasOwn(INVARIANTS, text);
}

export function clauseOfInvariant(name: InvariantName): string {
  return INVARIANTS[name][0];
}

/** Thrown where an invariant does not hold; ends the run. */
export class Violation extends Error {
  override name = 'Violation';

  constructor(
    readonly invariant: InvariantName,
    /** The client's `address:port`; null where it is about no connection. */
    readonly conn: string | null,
    /** Who is to blame: a role, or `client` where it shows there. */
    readonly role: string,
    message: string,
  ) {
    super(message);
  }
}
