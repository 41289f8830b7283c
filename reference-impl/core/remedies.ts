/**
 * The remedies that close the races the papers leave open, each of which can be switched off by name
 * (`--without NAME`) to see the clause that then breaks. Hazard numbers are those of the design notes.
 */
export const REMEDIES = {
  'header-only-ack':
    "The controller's ACK at hand-off covers the request header only (SoCC'17 §2.2). Off: it covers every byte received.",
  'window-closing':
    "The window towards the client is zero while a read is handed off: in the controller's ACK, and by the switch in the backend's segments (SoCC'17 §2.2, §2.4; thesis §3.2). Off: it stays open.",
  'fin-suppression':
    "A client's FIN is cleared by the switch and ignored by the backend while handed off (SoCC'17 §2.4). Off: it reaches the backend, which acknowledges it.",
  'backend-ack-limit':
    'The backend acknowledges nothing behind the request it serves (hazards 5, 6). Off: it acknowledges what it receives.',
  'confirm-before-handoff':
    'The backend is told to take over only when the switch has confirmed the rules (HOF-1). Off: both are told at once.',
  'backend-guard':
    'A backend answers no segment of a connection it does not own (hazards 1, 2). Off: it answers RST as a stock kernel does.',
  'complete-when-acked':
    'The backend reports completion only when the client has acknowledged every response byte (BKD-6, HOF-2). Off: as soon as the last byte is sent.',
  'rules-before-reopen':
    'The window reopens only when the switch has confirmed that the rules are gone (RET-1). Off: both at once.',
  'drain-rules':
    'For a while after a rule is removed the switch drops what the former backend still had in the network (hazards 9, 10). Off: such a segment is routed without rewriting.',
  'answer-probes':
    'The controller answers a window probe with the window as it is now (hazards 3, 4). Off: it is silent.',
  'exact-reset':
    "Before resetting a client whose backend died, the controller learns the client's next expected sequence number from an ACK that it provokes (hazard 7). Off: it resets with the number it knew at hand-off.",
  'hand-off-lease':
    'A backend gives a connection up by itself before the controller gives the backend up (ERR-2), and when its control connection breaks. Off: it goes on for as long as TCP does, and what it still sends reaches the client without rewriting.',
  'repeat-reset':
    'The reset of a client is repeated, its number learned anew, until the client is known to be gone. Off: the RST is sent once.',
  'timestamp-continuity':
    "A new owner's timestamp clock starts where the old owner's stopped (BKD-8). Off: each owner uses its own clock.",
} as const;

export type RemedyName = keyof typeof REMEDIES;

/** The remedies that are switched off; empty for the hardened protocol. */
export type WithoutRemedies = readonly RemedyName[];

export const REMEDY_NAMES = Object.keys(REMEDIES) as RemedyName[];

export function isRemedyName(text: string): text is RemedyName {
  return Object.hasOwn(REMEDIES, text);
}
