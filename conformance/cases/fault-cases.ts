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
  requestAfterGivingUp,
  resetFreesTheRule,
} from './control/reports.js';
import {
  addAgainAfterRemoval,
  addConfirmationLate,
  addConfirmationLost,
  addLost,
  addTwice,
  removeAgainDuringTheNext,
  removeConfirmationLate,
  removeConfirmationLost,
  removeLost,
} from './control/rule-messages.js';
import { strangerAtABackend, strangerAtTheSwitch } from './control/strangers.js';

import { backendEnds, crashAfterReport, crashWithPipelinedRequest } from './crash/backend-ends.js';
import { failureReported, failureReportLost, failureReportTwice, handoffRefused } from './crash/reported-failure.js';
import { switchFallsSilent } from './crash/switch-ends.js';

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
  addAgainAfterRemoval,
  removeConfirmationLate,
  removeConfirmationLost,
  removeLost,
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
  handoffRefused,
  switchFallsSilent,
];
