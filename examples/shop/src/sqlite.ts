import { DatabaseSync } from 'node:sqlite'
import type { Around } from './around.ts'
import type { Row, ShopDatabase } from './database.ts'

/** The shop on an embedded database. */
export function openSqlite(file: string, around?: Around): ShopDatabase {
  const db = new DatabaseSync(file)
  db.exec('PRAGMA journal_mode = WAL; PRAGMA foreign_keys = ON; PRAGMA synchronous = NORMAL')
  const prepare = (sql: string) => db.prepare(sql.replace(/\$(\d+)/g, '?$1'))
  return {
    all: async (sql, values = []) => prepare(sql).all(...values) as readonly Row[],
    run: async (sql, values = []) => {
      try {
        return Number(prepare(sql).run(...values).changes)
      } catch (error) {
        throw around === undefined ? error : around.meant(error)
      }
    },
    script: async sql => db.exec(sql),
    guard: () => around?.guard(db),
    close: async () => db.close(),
  }
}
