/**
 * `@postern/access/start`: what a start of Postern needs of this package to enforce a configuration, in half
 * of the code. Applications import the same from `@postern/access`.
 */
export { Approvals } from './approval/approvals.ts'
export { makersOf } from './approval/makers.ts'
export { webhookChannel } from './approval/webhook-channel.ts'
export { actingAs } from './budget/acting-as.ts'
export { compileBudgets } from './budget/budget.ts'
export { signBudgetGrant } from './budget/budget-grant.ts'
export { readSigningKey } from './budget/signed-token.ts'
export { UnitsInWindow } from './budget/units-in-window.ts'
export { cedarPolicies } from './cedar/cedar-policies.ts'
export { RouteBudgets } from './edge/route-budgets.ts'
export { memoryCounts, UNITS_CODEC } from './edge/unit-counts.ts'
export { Access } from './guard/access.ts'
export { checkActRule } from './guard/act-rule.ts'
export { ActingInRequest } from './guard/acting-in-request.ts'
export { ApprovalEndpoints } from './guard/approval-endpoints.ts'
export { AccessGuard } from './guard/route-guard.ts'
export { expireJournal } from './journal/changes.ts'
export { sealJournal } from './journal/seal-journal.ts'
export { foreignRecordDetector } from './ownership/foreign-record-detector.ts'
export { ReadBudgets } from './read/read-budgets.ts'
