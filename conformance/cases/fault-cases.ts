/** Cases in which the roles and what is between them fail: the control plane, crashes, limits, volume. */
import type { ConformanceCase } from './case.js';
import {
  confirmationOfHandoffLost,
  earlyPayload,
  earlyPipelinedRequest,
  handoffAgainAfterCompletion,
  handoffAgainDuringTheNext,
  handoffCarriesTheHandshake,
  handoffLost,
  handoffTwice,
} from './control/hand-off-messages.js';
import { nonsense } from './control/nonsense.js';
import {
  fewerRulesThanConnections,
  ruleNeverConfirmed,
  ruleRefusedConflict,
  ruleRefusedFull,
} from './control/refused-rules.js';
import {
  completeAgainDuringTheNext,
  completeLate,
  completeLost,
  completeTwice,
  reportConfirmationLost,
  reportOfAnOlderHandoff,
  requestAfterGivingUp,
  resetFreesTheRule,
} from './control/reports.js';
import {
  addAgainAfterRemoval,
  addConfirmationLate,
  addConfirmationLost,
  addLost,
  addTwice,
  addUnderAnotherId,
  removeAgainDuringTheNext,
  removeConfirmationLate,
  removeConfirmationLost,
  removeLost,
  removeUnderAnotherId,
} from './control/rule-messages.js';
import { strangerAtABackend, strangerAtTheSwitch } from './control/strangers.js';

import { backendEnds, crashAfterReport, crashWithPipelinedRequest } from './crash/backend-ends.js';
import {
  failureReported,
  failureReportLost,
  failureReportTwice,
  handoffRefused,
  resetLost,
} from './crash/reported-failure.js';
import { switchFallsSilent } from './crash/switch-ends.js';
import {
  emptyLinesBefore,
  headerThatNeverEnds,
  inManySegments,
  payloadByteByByte,
  splitEverywhereAtOnce,
  writeCutInAwkwardPlaces,
} from './header/segmented.js';
import { absoluteForm, longTarget, queries } from './header/targets.js';
import { synAckLostTwice, synTwice } from './loss/handshake-repeats.js';
import { latePayload, lateResponse, spoiledResponse } from './loss/late-copies.js';
import {
  closingAckTwice,
  oldClosingAckBehindReopening,
  probesWhileHandedOff,
  reopeningAckTwice,
} from './loss/reopening.js';
import {
  emptyObjects,
  expectAndSend,
  expectAndWait,
  expectInOneSegment,
  headsOfAllSizes,
  writeOfNothing,
} from './payload/expectations.js';
import { mixedAcrossBackends, readsTwoToTenDeep, writesTwoToTenDeep, writeUnderLoss } from './pipeline/depths.js';
import { headerAtTheLimit, headerOneByteTooLong } from './refusal/refusals.js';
import { unparseable } from './refusal/unparseable.js';
import { quietWrite } from './stages/pauses.js';
import { objectOf1GB, objectOf64MB, thousandConnections, thousandsOfHandoffs } from './volume/volume.js';
import {
  clientTimestampsWrap,
  clientWrapsInsideHeader,
  clientWrapsInsidePayload,
  wrapsBetweenSynAndData,
  wrapsInsideAResponse,
  wrapsUnderLoss,
} from './wrap/numbers.js';

export const FAULT_CASES: readonly ConformanceCase[] = [
  // The switch's side of the control plane.
  ruleRefusedFull,
  ruleRefusedConflict,
  ruleNeverConfirmed,
  fewerRulesThanConnections,
  addConfirmationLate,
  addConfirmationLost,
  addLost,
  addTwice,
  addUnderAnotherId,
  addAgainAfterRemoval,
  removeConfirmationLate,
  removeConfirmationLost,
  removeLost,
  removeUnderAnotherId,
  removeAgainDuringTheNext,
  // The backends' side.
  handoffCarriesTheHandshake,
  handoffLost,
  handoffTwice,
  handoffAgainAfterCompletion,
  handoffAgainDuringTheNext,
  confirmationOfHandoffLost,
  earlyPayload,
  earlyPipelinedRequest,
  completeLost,
  completeLate,
  completeTwice,
  completeAgainDuringTheNext,
  reportConfirmationLost,
  reportOfAnOlderHandoff,
  requestAfterGivingUp,
  resetFreesTheRule,
  // What nobody may listen to.
  ...nonsense,
  strangerAtTheSwitch,
  strangerAtABackend,
  // Who crashes, falls silent or gives up.
  ...backendEnds,
  crashAfterReport,
  crashWithPipelinedRequest,
  failureReported,
  failureReportLost,
  failureReportTwice,
  resetLost,
  handoffRefused,
  switchFallsSilent,
  // Headers in pieces, at their limits, and no headers at all.
  splitEverywhereAtOnce,
  inManySegments,
  headerThatNeverEnds,
  emptyLinesBefore,
  absoluteForm,
  queries,
  longTarget,
  headerAtTheLimit,
  headerOneByteTooLong,
  ...unparseable,
  // Payloads, and requests one behind the other.
  writeCutInAwkwardPlaces,
  payloadByteByByte,
  expectAndWait,
  expectAndSend,
  expectInOneSegment,
  writeOfNothing,
  headsOfAllSizes,
  emptyObjects,
  readsTwoToTenDeep,
  writesTwoToTenDeep,
  mixedAcrossBackends,
  writeUnderLoss,
  // Repeated and old segments, numbers that wrap.
  synTwice,
  synAckLostTwice,
  closingAckTwice,
  reopeningAckTwice,
  oldClosingAckBehindReopening,
  probesWhileHandedOff,
  lateResponse,
  latePayload,
  spoiledResponse,
  quietWrite,
  wrapsInsideAResponse,
  wrapsBetweenSynAndData,
  wrapsUnderLoss,
  clientWrapsInsidePayload,
  clientWrapsInsideHeader,
  clientTimestampsWrap,
  // Much of everything.
  thousandsOfHandoffs,
  thousandConnections,
  objectOf64MB,
  objectOf1GB,
];
