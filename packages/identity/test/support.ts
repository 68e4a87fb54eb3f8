import { createHash } from 'node:crypto'
import type { TestContext } from 'node:test'
import { type Address, parseAddress, type RandomSource, VirtualClock } from '@postern/core'
import { connectPostgres, openSqlite, type PostgresDatabase, type SqliteDatabase } from '@postern/store'
import { freshDatabase } from '../../../test/services.ts'
import { type IdentityDatabase, identityDatabase } from '../src/database/identity-database.ts'
import { migrateIdentity } from '../src/database/identity-migrations.sql.ts'
import { IdentitySecret } from '../src/database/identity-secret.ts'

/** Makes handles on one fresh database, each as another process would have it. */
export type Databases = (t: TestContext) => Promise<() => Promise<IdentityDatabase>>

const sqlite: Databases = async t => {
  const database = openSqlite({ path: ':memory:' })
  t.after(() => database.close())
  await migrateIdentity(database)
  return async () => identityDatabase(database)
}

const postgres: Databases = async t => {
  const url = await freshDatabase(t)
  return async () => {
    const database = connectPostgres({ url, max: 4 })
    t.after(() => database.close())
    await migrateIdentity(database)
    return identityDatabase(database)
  }
}

export const DATABASES: Readonly<Record<string, Databases>> = { SQLite: sqlite, PostgreSQL: postgres }

/** One fresh database of the store, empty, for what several processes share. */
export const STORES: Readonly<
  Record<string, (t: TestContext) => Promise<SqliteDatabase | PostgresDatabase>>
> = {
  SQLite: async t => {
    const database = openSqlite({ path: ':memory:' })
    t.after(() => database.close())
    return database
  },
  PostgreSQL: async t => {
    const database = connectPostgres({ url: await freshDatabase(t), max: 8 })
    t.after(() => database.close())
    return database
  },
}

/** One handle on a fresh SQLite database in memory. */
export async function oneDatabase(t: TestContext): Promise<IdentityDatabase> {
  return (await sqlite(t))()
}

/** Bytes that repeat themselves from run to run. */
export function seededRandom(seed = 'seed'): RandomSource {
  let count = 0
  return {
    bytes: length => {
      const parts: Buffer[] = []
      while (Buffer.concat(parts).length < length)
        parts.push(createHash('sha512').update(`${seed} ${count++}`).digest())
      return new Uint8Array(Buffer.concat(parts).subarray(0, length))
    },
  }
}

export const SECRET_TEXT = 'a secret of the tests, long enough for them'

export function testSecret(): IdentitySecret {
  return new IdentitySecret(SECRET_TEXT)
}

export function address(text: string): Address {
  const parsed = parseAddress(text)
  if (parsed === undefined) throw new Error(`${text} is not an address`)
  return parsed
}

export { VirtualClock }
