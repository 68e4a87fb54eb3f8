import type { LoginRecord } from './login-record.ts'

/** What a step makes of a record: the new one to keep, or none to leave it as it is, and what the caller wants to know. */
export interface Step<Result> {
  readonly record?: LoginRecord
  readonly result: Result
}

/** Keeps one record per account. Implemented in memory, SQLite, PostgreSQL and Redis. */
export interface LoginStore {
  readonly name: string
  /**
   * Applies a step to the record of an account, atomically among all processes that share the store: of two tries at the last place, one is let in.
   * The step is pure and may run more than once.
   * @param account keyed hash of the canonical account
   * @throws StoreError when the store does not answer
   */
  update<Result>(account: string, step: (record: LoginRecord) => Step<Result>): Result | Promise<Result>
}
