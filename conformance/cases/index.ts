/** Every active case, in the order in which a connection lives. */
import type { ConformanceCase } from './case.js';
import { combinations } from './clients/combinations.js';
import { curlAlternates } from './clients/curl-alternates.js';
import { curlHeadAndMissing } from './clients/curl-head-and-missing.js';
import { curlPutAtOnce, curlPutExpecting } from './clients/curl-put.js';
import { curlSizes } from './clients/curl-sizes.js';
import { nodeReadsAndWrites, pythonReadsAndWrites, wgetReadsAndWrites } from './clients/other-programs.js';
import { abortDuringHandoff, abortWhenIdle } from './close/abort.js';
import { connectionClose, http10 } from './close/by-server.js';
import { finBehindHeader } from './close/fin-behind-header.js';
import { finBehindPayload } from './close/fin-behind-payload.js';
import { halfCloseWhenIdle } from './close/half-close-when-idle.js';
import { eightConnections } from './concurrency/eight-connections.js';
import { neighbours } from './concurrency/neighbours.js';
import { twoCurls } from './concurrency/two-curls.js';
import { FAULT_CASES } from './fault-cases.js';
import { byteByByte } from './header/byte-by-byte.js';
import { splitInTwo } from './header/split-in-two.js';
import { HOSTILE_CASES } from './hostile/index.js';
import { handshakeAckLost, synAckLost, synLost } from './loss/handshake.js';
import { headerAckLost } from './loss/header-ack.js';
import { payloadSegmentLost } from './loss/payload-segment.js';
import { reopeningAckLost, zeroWindowAckLate } from './loss/reopening-ack.js';
import { lastSegmentLost, responseAckLost, responseSegmentLost } from './loss/response-segment.js';
import { duplicatedAndReordered, onePercentLoss } from './loss/unruly-network.js';
import { behindHeader } from './payload/behind-header.js';
import { chunked } from './payload/chunked.js';
import { partlyBehindHeader } from './payload/partly-behind-header.js';
import { post } from './payload/post.js';
import { behindPayload } from './pipeline/behind-payload.js';
import { pipelinedReads } from './pipeline/reads.js';
import { pathHash, pathMap, roundRobin } from './policy/selection.js';
import { headerTooLong, malformedRequest, unsupportedMethod } from './refusal/refusals.js';
import { STAGE_CASES } from './stages/index.js';

export const CASES: readonly ConformanceCase[] = [
  // Unmodified clients.
  curlSizes,
  curlAlternates,
  curlHeadAndMissing,
  curlPutExpecting,
  curlPutAtOnce,
  wgetReadsAndWrites,
  pythonReadsAndWrites,
  nodeReadsAndWrites,
  // Programs and stacks, in pairs.
  ...combinations,
  // The header, however it is segmented.
  splitInTwo,
  byteByByte,
  malformedRequest,
  headerTooLong,
  unsupportedMethod,
  // Who serves it.
  pathMap,
  pathHash,
  roundRobin,
  // What comes behind the header.
  behindHeader,
  partlyBehindHeader,
  chunked,
  post,
  pipelinedReads,
  behindPayload,
  // Many connections.
  twoCurls,
  eightConnections,
  neighbours,
  // The end of a connection.
  finBehindPayload,
  finBehindHeader,
  halfCloseWhenIdle,
  connectionClose,
  http10,
  abortWhenIdle,
  abortDuringHandoff,
  // Bad luck.
  synLost,
  synAckLost,
  handshakeAckLost,
  headerAckLost,
  responseSegmentLost,
  lastSegmentLost,
  responseAckLost,
  payloadSegmentLost,
  reopeningAckLost,
  zeroWindowAckLate,
  duplicatedAndReordered,
  onePercentLoss,
  // Misfortunes of the roles, and what is between them.
  ...FAULT_CASES,
  // Segment by segment.
  ...STAGE_CASES,
  ...HOSTILE_CASES,
];
