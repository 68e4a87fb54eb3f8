import { isSqliteConstraint, PostgresError } from '@postern/store'

/** Whether a statement failed because another row has the same key. */
export function isUniqueViolation(error: unknown): boolean {
  return error instanceof PostgresError ? error.state === '23505' : isSqliteConstraint(error)
}
