import { IntegrityError, PosternError } from '@postern/core'

/** Result codes of SQLite that a file which only this program writes does not give. */
const EDITED = new Set([
  1, // no such table, a view in its place
  11, // damaged
  19, // a row that is there already
  20, // a value of another type
  26, // not a database
])

/**
 * A failure of the search index. Where the file itself is wrong, the error says that it can be made again
 * from the log. Others, as of a full disk, are returned as they are.
 */
export function indexProblem(error: unknown, path: string): unknown {
  const cause = error instanceof PosternError ? error.cause : error
  const isEdited = cause instanceof Error && 'errcode' in cause && EDITED.has(Number(cause.errcode) & 0xff)
  return isEdited ? unusableIndex(path, cause.message, error) : error
}

/** An index that does not go with its log. */
export function unusableIndex(path: string, problem: string, cause?: unknown): IntegrityError {
  return new IntegrityError(
    `${path}: the search index is damaged, or somebody edited it (${problem}). It is made from the log, which is not changed by this: ` +
      'stop what writes the log, then postern audit rebuild --replace',
    { cause },
  )
}
