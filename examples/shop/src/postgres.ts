import pg from 'pg'
import type { Around } from './around.ts'
import type { Row, ShopDatabase } from './database.ts'

/** The shop on PostgreSQL. */
export async function openPostgres(url: string, around?: Around): Promise<ShopDatabase> {
  const pool = new pg.Pool({ connectionString: url, max: 10, connectionTimeoutMillis: 5_000 })
  pool.on('error', () => {})
  around?.guard(pool)
  await pool.query('SELECT 1')
  // Without values pg takes several statements in one text, as many applications let it.
  const query = (sql: string, values?: readonly unknown[]) =>
    values === undefined || values.length === 0 ? pool.query(sql) : pool.query(sql, [...values])
  return {
    all: async (sql, values) => (await query(sql, values)).rows as readonly Row[],
    run: async (sql, values) => (await query(sql, values)).rowCount ?? 0,
    script: async sql => {
      await pool.query(sql)
    },
    pool,
    guard: () => {},
    close: () => pool.end(),
  }
}
