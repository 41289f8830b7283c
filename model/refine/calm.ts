/**
 * States of the real cores as the explorer keeps them: time stands still, patience has no end, and counters that decide nothing are zero, so that two
 * states which differ by such things only are one. What is left out here (back-off, giving up after many tries, congestion control) `prism simulate` runs.
 */
import type { BackendState } from '../../reference-impl/backend/backend.js';
import type { ControllerState } from '../../reference-impl/controller/controller.js';
import type { SwitchState } from '../../reference-impl/switch/switch.js';
import type { Endpoint } from '../../reference-impl/tcp/endpoint.js';
import { LATER } from './scenario.js';

type At = number | null;
const later = (at: At): At => (at === null ? null : LATER);

const FIRST_RTO = 1_000_000;

function calmEndpoint(endpoint: Endpoint): Endpoint {
  return {
    ...endpoint,
    ssthresh: 0,
    duplicateAcks: 0,
    recover: null,
    srtt: null,
    rttvar: 0,
    rto: FIRST_RTO,
    retries: 0,
    probes: 0,
    rttSample: null,
    retransmitAt: later(endpoint.retransmitAt),
    persistAt: later(endpoint.persistAt),
    timeWaitAt: later(endpoint.timeWaitAt),
  };
}

export function calmController(state: ControllerState): ControllerState {
  const connections = new Map(
    [...state.connections].map(([key, connection]) => {
      const { phase } = connection;
      return [
        key,
        {
          ...connection,
          endpoint: calmEndpoint(connection.endpoint),
          calls: connection.calls.map((call) => ({ ...call, at: LATER, tries: 1 })),
          idleAt: LATER,
          timer: null,
          phase:
            phase.kind === 'handed-off'
              ? { ...phase, deadline: LATER }
              : phase.kind === 'resetting'
                ? { ...phase, at: LATER, tries: 0 }
                : phase,
        },
      ];
    }),
  );
  return { ...state, connections, ipId: 1 };
}

export function calmBackend(state: BackendState): BackendState {
  const services = new Map(
    [...state.services].map(([key, service]) => [
      key,
      {
        ...service,
        endpoint: calmEndpoint(service.endpoint),
        respondAt: later(service.respondAt),
        leaseEnds: later(service.leaseEnds),
        report: service.report === null ? null : { ...service.report, at: LATER },
        timer: null,
      },
    ]),
  );
  return { ...state, services, ipId: 1 };
}

/** Drains last: what a rule that is gone left in the network never outlives them (`drainMs` is longer than any frame's way). */
export function calmSwitch(state: SwitchState): SwitchState {
  const drains = new Map(
    [...state.rules.drains].map(([key, list]) => [key, list.map((drain) => ({ ...drain, until: LATER }))]),
  );
  return { ...state, rules: { ...state.rules, drains }, counters: { frames: 0, rewritten: 0, routed: 0, dropped: 0 } };
}

/** One text for equal plain data, whatever the order of its keys; what roles are started with is left out. */
export function plainText(value: unknown): string {
  return JSON.stringify(value, (key, part: unknown) => {
    if (key === 'config' || key === 'neighbours') return undefined;
    if (part instanceof Map) return [...part].sort(([a], [b]) => (String(a) < String(b) ? -1 : 1));
    if (part instanceof Uint8Array) return Buffer.from(part).toString('base64');
    if (part !== null && typeof part === 'object' && !Array.isArray(part))
      return Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)));
    return part;
  });
}
