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
export { budgetError, RowBudgetExceeded } from './budget/budget-refusal.ts'
export {
  type BudgetStatus,
  budgetStatus,
  type GuardedTable,
  type InstalledLimit,
  type WayRound,
} from './budget/budget-status.ts'
export { type DryRun, type DryRunClient, type DryRunPool, dryRun } from './budget/dry-run.ts'
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
export { checkSigningKey, type SigningKey } from './budget/signed-token.ts'
export { type EdgeBudgetOptions, edgeBudget } from './edge/edge-budget.ts'
export {
  type Change,
  type ChangedTable,
  type ChangeQuery,
  expireJournal,
  listChanges,
} from './journal/changes.ts'
export type { UndoConflict } from './journal/restoration.ts'
export { sealJournal } from './journal/seal-journal.ts'
export { showUndo, type UndoOptions, type UndoReport, undoChange } from './journal/undo.ts'
export { guardSqlite, type SqliteGuardOptions, sqliteBudgetError } from './sqlite/guard-sqlite.ts'
export { type Acting, actingAs, actingIn, currentActing } from './wrap/acting-as.ts'
export type { GuardOptions, Refused } from './wrap/guarded-connection.ts'
export { guardKnexPool } from './wrap/knex.ts'
export { guardClient, guardPool, type PgClient, type PgPool, type RunApart } from './wrap/pg.ts'
export { guardDriver, type PgModule } from './wrap/pg-driver.ts'
export {
  type GuardedPostgresJs,
  guardPostgresJs,
  type PostgresJs,
  type PostgresJsSession,
  type TransactionOf,
} from './wrap/postgres-js.ts'
