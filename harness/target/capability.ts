/** What a target may be able to do, in the manifest's words; a case that needs what a target lacks is `unsupported` there. */

/** Each with what it means for the role that declares it. */
export const CAPABILITIES = {
  read: 'serves GET and HEAD',
  write: 'serves PUT and POST with a payload',
  timestamps: 'negotiates TCP timestamps (RFC 7323) and keeps them across owners',
  sack: 'negotiates SACK-permitted (RFC 2018)',
  'window-scale': 'negotiates window scaling (RFC 7323)',
  pipelining: 'takes requests that are sent before the response to the one before them',
  'control-faults':
    'speaks the control protocol through the harness, so that messages can be delayed, lost, repeated and forged',
  crash: 'may be killed or stopped while it runs, and is started anew for the next case',
  'service-delay': 'a backend waits {serviceDelayMs} before the first byte of a response',
  'rule-capacity': 'a switch takes the size of its rule table from {ruleCapacity}',
  policy: 'a controller selects backends by the policy file {policy}',
  'initial-sequence': 'a controller takes the initial sequence number of its connections from {initialSequence}',
  bounds: 'a controller takes its time bounds from {handoffMs} or from the topology file {topology}',
  'jumbo-frames': 'a switch carries, and a backend sends and takes, IP packets of 9000 bytes',
  tls: 'VAR-1',
  counters: 'VAR-2',
  'speculative-rules': 'VAR-3',
} as const satisfies Readonly<Record<string, string>>;

export type Capability = keyof typeof CAPABILITIES;

export const CAPABILITY_NAMES = Object.keys(CAPABILITIES) as readonly Capability[];
