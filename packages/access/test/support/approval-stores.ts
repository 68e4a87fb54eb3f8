import { connectPostgres, openSqlite, type PostgresDatabase, type SqliteDatabase } from '@postern/store'
import { freshDatabase, type Scope } from '../../../../test/fresh.ts'

/** A new database of each kind. */
export const STORES: readonly {
  readonly name: string
  open(scope: Scope): Promise<SqliteDatabase | PostgresDatabase>
}[] = [
  {
    name: 'SQLite',
    open: async scope => {
      const database = openSqlite({ path: ':memory:' })
      scope.after(async () => database.close())
      return database
    },
  },
  {
    name: 'PostgreSQL',
    open: async scope => {
      const cleanups: (() => Promise<void>)[] = []
      const url = await freshDatabase({ after: work => cleanups.push(work) })
      const database = connectPostgres({ url })
      scope.after(async () => {
        await database.close()
        for (const work of cleanups) await work()
      })
      return database
    },
  },
]
