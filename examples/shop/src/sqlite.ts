import { DatabaseSync } from 'node:sqlite'
import type { Row, ShopDatabase } from './database.ts'

/** The shop on an embedded database. */
export function openSqlite(file: string): ShopDatabase {
  const db = new DatabaseSync(file)
  db.exec('PRAGMA journal_mode = WAL; PRAGMA foreign_keys = ON; PRAGMA synchronous = NORMAL')
  const prepare = (sql: string) => db.prepare(sql.replace(/\$(\d+)/g, '?$1'))
  return {
    all: async (sql, values = []) => prepare(sql).all(...values) as readonly Row[],
    run: async (sql, values = []) => Number(prepare(sql).run(...values).changes),
    script: async sql => db.exec(sql),
    close: async () => db.close(),
  }
}
