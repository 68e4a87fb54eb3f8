import type { DatabaseSync } from 'node:sqlite'
import { ConfigError } from '@postern/core'
import { CHANGES, currentRow, ENTRIES, insertRow, MARK_UNDONE, updateRow } from './sqlite-journal.sql.ts'

/** What one actor changed within one `actingAs`, as the journal has it. */
export interface SqliteChange {
  readonly change: string
  /** Epoch milliseconds. */
  readonly at: number
  readonly actor: string
  readonly tenant: string
  readonly table: string
  readonly action: 'delete' | 'update'
  readonly rows: number
  /** How many of them were put back. */
  readonly undone: number
}

/** What putting rows back came to. */
export interface SqliteUndo {
  readonly restored: number
  /** Rows that were made or edited again since, by table and key as SQL writes it. 100 at most. */
  readonly conflicts: readonly { readonly table: string; readonly key: string }[]
}

/** The newest thousand entries, newest first. */
export function sqliteChanges(db: DatabaseSync, actor: string, since: number): readonly SqliteChange[] {
  return db
    .prepare(CHANGES)
    .all(actor, since)
    .map(row => ({
      change: String(row['change']),
      at: Number(row['at']),
      actor: String(row['actor']),
      tenant: String(row['tenant']),
      table: String(row['relation']),
      action: row['action'] === 'delete' ? 'delete' : 'update',
      rows: Number(row['rows']),
      undone: Number(row['undone']),
    }))
}

const MAX_SHOWN = 100

/**
 * Puts the rows of a change back, the last one first, in one transaction.
 * @param conflicts `stop`: nothing is written when there is one; `skip`: all others are put back
 * @throws ConfigError when a transaction is open, a table was altered since, or a trigger was created since
 */
export function undoSqlite(
  db: DatabaseSync,
  change: string,
  conflicts: 'stop' | 'skip',
  now: number,
): SqliteUndo {
  if (db.isTransaction)
    throw new ConfigError({ place: 'undo', problem: 'a transaction is open', hint: 'commit it first' })
  const found: { table: string; key: string }[] = []
  let restored = 0
  let refused = 0
  db.exec('BEGIN IMMEDIATE; PRAGMA defer_foreign_keys = ON')
  try {
    const mark = db.prepare(MARK_UNDONE)
    for (const row of db.prepare(ENTRIES).all(change)) {
      const [table, columns, keys, key, old] = ['relation', 'columns', 'keys', 'key', 'old'].map(name =>
        String(row[name]),
      ) as [string, string, string, string, string]
      const current = db.prepare(currentRow(table, columns, keys, key)).get()?.['now']
      if (current !== (row['became'] ?? undefined)) {
        refused++
        if (found.length < MAX_SHOWN) found.push({ table, key })
        continue
      }
      db.exec(
        row['action'] === 'delete'
          ? insertRow(table, columns, old)
          : updateRow(table, columns, old, keys, key),
      )
      mark.run(now, Number(row['id']))
      restored++
    }
    const isOff = refused > 0 && conflicts === 'stop'
    db.exec(isOff ? 'ROLLBACK' : 'COMMIT')
    return { restored: isOff ? 0 : restored, conflicts: found }
  } catch (error) {
    if (db.isTransaction) db.exec('ROLLBACK')
    throw new ConfigError(
      {
        place: 'undo',
        problem:
          'a row cannot be put back: the table was altered since, another row stands in its way, or a trigger that was created after the guard would change rows',
        hint: 'nothing was written; undo later changes first, or drop the trigger',
      },
      { cause: error },
    )
  }
}
