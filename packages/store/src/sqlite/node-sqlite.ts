import type * as Sqlite from 'node:sqlite'

/**
 * `node:sqlite`, loaded when it is first needed. An import by name would fail on an older Node before
 * `postern` can say which one it needs, and would cost every process that keeps nothing.
 */
export function nodeSqlite(): typeof Sqlite {
  return process.getBuiltinModule('node:sqlite')
}
