export { type Agent, type AgentBudget, type AgentOptions, agent } from './agents/agent.ts'
export { AGENT_COUNTS, type AgentCount } from './agents/agent-budgets.ts'
export type { Approval, ApprovalGrant, ApprovalPreview, ApprovalState } from './approval/approval.ts'
export { ApprovalRefused } from './approval/approval-refused.ts'
export type { ApprovalRequest } from './approval/approval-request.ts'
export { Approvals } from './approval/approvals.ts'
export type { ApprovalsOptions } from './approval/approvals-options.ts'
export { type Mail, type MailOptions, mailChannel } from './approval/mail-channel.ts'
export { type MakersOf, type MakerTable, makersOf } from './approval/makers.ts'
export type { ApprovalChannel, Notice } from './approval/notice.ts'
export { calledBy, peopleIn } from './approval/people.ts'
export type { UsedConsents } from './approval/used-consents.ts'
export { type WebhookOptions, webhookChannel } from './approval/webhook-channel.ts'
export { type Acting, actingAs, actingIn, currentActing } from './budget/acting-as.ts'
export { type ClaimOptions, type ClaimSigner, claimSigner } from './budget/actor-claim.ts'
export {
  type Budgets,
  compileBudgets,
  DEFAULT_BUDGETS,
  type OverBudget,
  type RowAction,
  type RowBudget,
  type RowsOptions,
  rows,
} from './budget/budget.ts'
export { type BudgetGrant, openBudgetGrant, signBudgetGrant } from './budget/budget-grant.ts'
export { budgetError, ReadBudgetExceeded, RowBudgetExceeded, RowBudgetHeld } from './budget/budget-refusal.ts'
export {
  type BudgetStatus,
  budgetStatus,
  type GuardedTable,
  type InstalledLimit,
  type WayRound,
} from './budget/budget-status.ts'
export type { TableName } from './budget/counted-budgets.ts'
export {
  type InstallOptions,
  type InstallPlan,
  installBudgets,
  type PlannedStatement,
  planBudgets,
  REMOVE_BUDGETS_SQL,
  removeBudgets,
} from './budget/install-budgets.ts'
export {
  type BudgetAnswer,
  type BudgetAnswerOptions,
  budgetAnswer,
  type DelayOptions,
  delayOverBudget,
} from './budget/over-budget.ts'
export { readSigningKey, type SigningKey } from './budget/signed-token.ts'
export { UnitsInWindow } from './budget/units-in-window.ts'
export type { CedarEntity, CedarUid, CedarValue } from './cedar/cedar-entities.ts'
export { type CedarOptions, type CedarPolicies, cedarPolicies } from './cedar/cedar-policies.ts'
export { type EdgeBudgetOptions, edgeBudget } from './edge/edge-budget.ts'
export { RouteBudgets, type RouteBudgetsOptions } from './edge/route-budgets.ts'
export {
  type CountStep,
  type KeptCounts,
  memoryCounts,
  UNITS_CODEC,
  type UnitCounts,
} from './edge/unit-counts.ts'
export { Access, type AccessOptions, type AccessOutcome } from './guard/access.ts'
export { type AccessRefusal, AccessRefused } from './guard/access-refusal.ts'
export type { ActQuestion, Permit } from './guard/act-question.ts'
export { type ActRule, type ApproveRule, checkActRule, type Requirement } from './guard/act-rule.ts'
export { ActingInRequest } from './guard/acting-in-request.ts'
export { ApprovalEndpoints, type ApprovalEndpointsOptions } from './guard/approval-endpoints.ts'
export { type FieldOptions, graphqlField } from './guard/graphql-field.ts'
export {
  type GraphqlCost,
  type GraphqlLimits,
  type GraphqlNode,
  graphqlCost,
} from './guard/graphql-limits.ts'
export { type Caller, type Guarded, type GuardedActOptions, guard } from './guard/guard.ts'
export { type OpenApiDocument, type OpenApiOptions, openApiRoutes } from './guard/openapi-routes.ts'
export { AccessGuard } from './guard/route-guard.ts'
export type { RoutePolicy } from './guard/route-rule.ts'
export {
  type ToolArguments,
  ToolGuard,
  type ToolHandler,
  type ToolResult,
  type ToolRule,
} from './guard/tool-guard.ts'
export { refusalData, type TrpcCall, type TrpcOptions, trpcGuard } from './guard/trpc-middleware.ts'
export {
  type Change,
  type ChangedTable,
  type ChangeQuery,
  expireJournal,
  listChanges,
} from './journal/changes.ts'
export type { UndoConflict } from './journal/restoration.ts'
export { type SealOptions, sealJournal } from './journal/seal-journal.ts'
export { showUndo, type UndoOptions, type UndoReport, undoChange } from './journal/undo.ts'
export { type ForeignRecordOptions, foreignRecordDetector } from './ownership/foreign-record-detector.ts'
export type { OwnedRoute } from './ownership/owned-route.ts'
export { recordsIssued } from './ownership/records-issued.ts'
export {
  type AccessAct,
  type AccessAnswer,
  type AccessMatrix,
  accessMatrix,
} from './policy/access-matrix.ts'
export type { CommandResult } from './policy/command-result.ts'
export type {
  Condition,
  FieldRef,
  Operand,
  PrincipalAttribute,
  ResourceType,
} from './policy/condition.ts'
export type { Context } from './policy/context.ts'
export { type AccessQuestion, type Explanation, explain } from './policy/explain.ts'
export {
  all,
  always,
  any,
  attribute,
  check,
  eq,
  gt,
  gte,
  hasRole,
  hasScope,
  isNull,
  lt,
  lte,
  member,
  ne,
  not,
  now,
  type OperandLike,
  oneOf,
  owns,
  parent,
  principal,
} from './policy/expressions.ts'
export { Facts, type Fields } from './policy/facts.ts'
export type { Filter } from './policy/filter.ts'
export type { Membership } from './policy/membership.ts'
export { allow, deny, type Policy, type PolicyOptions } from './policy/policy.ts'
export { type AccessChange, diffPolicies, type PolicyDiff } from './policy/policy-diff.ts'
export { type Decides, definePolicies, PolicySet, type Resource } from './policy/policy-set.ts'
export { type PolicyCase, testPolicies } from './policy/policy-test.ts'
export { questionsAbout } from './policy/questions-about.ts'
export { type FieldDefinition, type ResourceTypeOptions, resourceType } from './policy/resource-type.ts'
export type { FieldType, Scalar } from './policy/scalar.ts'
export type { Verdict } from './policy/verdict.ts'
export { type WhoCan, type WhoCanOptions, whoCan } from './policy/who-can.ts'
export { ReadBudgets, type ReadBudgetsOptions, type ReadCharge } from './read/read-budgets.ts'
export type { RunApart } from './read/table-names.ts'
export type { DialectName, SqlValue } from './sql-filter/dialect.ts'
export { type LoadFactsOptions, loadFacts, type RunQuery } from './sql-filter/load-facts.ts'
export { type PrismaOptions, type PrismaWhere, toPrisma } from './sql-filter/prisma-where.ts'
export { type RowLevelSecurityOptions, rowLevelSecurity } from './sql-filter/row-level-security.ts'
export {
  claimSettings,
  type SessionExpressions,
  supabaseExpressions,
} from './sql-filter/session-source.ts'
export { type SqlOptions, type SqlPredicate, type SqlTag, toSql } from './sql-filter/sql-predicate.ts'
export { type DryRun, type DryRunClient, type DryRunPool, dryRun } from './wrap/dry-run.ts'
export type { GuardOptions, Refused } from './wrap/guarded-connection.ts'
export { guardKnexPool } from './wrap/knex.ts'
export { guardClient, guardPool, type PgClient, type PgPool } from './wrap/pg.ts'
export { guardDriver, type PgModule } from './wrap/pg-driver.ts'
export {
  type GuardedPostgresJs,
  guardPostgresJs,
  type PostgresJs,
  type PostgresJsSession,
  type TransactionOf,
} from './wrap/postgres-js.ts'
export { guardPrisma } from './wrap/prisma.ts'
