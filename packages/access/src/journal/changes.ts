import { type Duration, parseDuration } from '@postern/core'
import type { PostgresDatabase } from '@postern/store'
import { CHANGES, EXPIRE } from './journal.sql.ts'

/** One transaction that the journal can undo. */
export interface Change {
  /** What `undo` is called with. */
  readonly id: string
  readonly at: Date
  readonly actor: string
  readonly tenant: string
  readonly tables: readonly ChangedTable[]
}

/** What a transaction did to one table. */
export interface ChangedTable {
  /** `public.orders`. */
  readonly table: string
  readonly action: 'delete' | 'update'
  readonly rows: number
  /** Rows of it that were put back. */
  readonly undone: number
}

/** Which changes are listed. */
export interface ChangeQuery {
  readonly actor?: string
  readonly since?: Date
  /** One change by its id. */
  readonly id?: string
  /** Default 50, at most 1,000. */
  readonly limit?: number
}

interface Row {
  readonly change: string
  readonly at: Date
  readonly actor: string
  readonly tenant: string
  readonly entries: readonly { table: string; action: 'delete' | 'update'; rows: number; undone: boolean }[]
}

/** Changes that can be undone, the newest first. */
export async function listChanges(
  database: PostgresDatabase,
  query: ChangeQuery = {},
): Promise<readonly Change[]> {
  const { actor = null, since = null, id = null, limit = 50 } = query
  const { rows } = await database.query<Row>(CHANGES, [actor, since, id, Math.min(limit, 1_000)])
  return rows.map(({ change, entries, ...row }) => {
    const tables = new Map<string, ChangedTable>()
    for (const { table, action, rows: count, undone } of entries) {
      const name = `${table} ${action}`
      const before = tables.get(name) ?? { table, action, rows: 0, undone: 0 }
      tables.set(name, { ...before, rows: before.rows + count, undone: before.undone + (undone ? count : 0) })
    }
    return { id: change, ...row, tables: [...tables.values()] }
  })
}

/**
 * Forgets old rows that are older than this: they cannot be put back any more.
 * @returns how many entries were removed
 */
export async function expireJournal(database: PostgresDatabase, retention: Duration): Promise<number> {
  const age = parseDuration(retention, 'retention')
  let total = 0
  for (;;) {
    const { rows } = await database.query<{ n: number }>(EXPIRE, [age], '1m')
    const count = rows[0]?.n ?? 0
    total += count
    if (count < 10_000) return total
  }
}
