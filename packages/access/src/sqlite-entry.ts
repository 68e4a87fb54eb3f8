/** `@postern/access/sqlite`: row budgets, undo and column rights for `node:sqlite`. */
export type { ColumnRights } from './sqlite/authorizer.ts'
export {
  guardSqlite,
  type SqliteGuard,
  type SqliteGuardOptions,
  sqliteBudgetError,
} from './sqlite/guard-sqlite.ts'
export {
  type RemoveSqliteOptions,
  removeSqliteBudgets,
  type SqliteConnection,
} from './sqlite/remove-sqlite.ts'
export type { SqliteChange, SqliteUndo } from './sqlite/undo-sqlite.ts'
