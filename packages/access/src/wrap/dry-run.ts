import type { PgClient } from './pg.ts'

/** What a change would do, counted by `dryRun` in a transaction that was rolled back. */
export interface DryRun {
  readonly rows: number
  readonly tables: readonly {
    readonly table: string
    readonly action: 'delete' | 'update' | 'insert'
    readonly rows: number
  }[]
  /** `this would delete 4,812 rows of 6 tables`. */
  readonly sentence: string
}

/** What is used of a guarded `pg.Pool`. */
export interface DryRunPool<C extends DryRunClient> {
  connect(): Promise<C>
}

/** What is used of a connection of it. */
export interface DryRunClient extends PgClient {
  query(text: string): Promise<{ readonly rows: readonly unknown[] }>
  release(error?: Error): void
}

const PENDING = `SELECT pg_catalog.format('%I.%I', schema, relation) AS "table", action, rows::pg_catalog.float8 AS rows FROM postern_budgets.pending()`

/**
 * Runs work on a connection of a guarded pool, counts the rows of guarded tables that it changes, and rolls
 * everything back. Budgets do not refuse meanwhile; the database does not commit a dry run, whatever the work
 * does. What the work does outside of the database is not rolled back. Call it inside `actingAs`.
 * @example
 * const { sentence } = await dryRun(pool, client => client.query('DELETE FROM
 * customers WHERE region = $1', [7]))
 */
export async function dryRun<C extends DryRunClient>(
  pool: DryRunPool<C>,
  work: (client: C) => Promise<unknown>,
): Promise<DryRun> {
  const client = await pool.connect()
  let failure: Error | undefined
  try {
    await client.query('BEGIN')
    await client.query("SELECT pg_catalog.set_config('postern.dry_run', 'on', true)")
    await work(client)
    const { rows } = await client.query(PENDING)
    return summary(rows as DryRun['tables'])
  } finally {
    await client.query('ROLLBACK').catch((error: unknown) => {
      failure = error instanceof Error ? error : new Error('the connection is broken')
    })
    client.release(failure)
  }
}

const VERBS = ['delete', 'update', 'insert'] as const

function summary(tables: DryRun['tables']): DryRun {
  const parts = VERBS.flatMap(action => {
    const own = tables.filter(entry => entry.action === action)
    if (own.length === 0) return []
    const rows = own.reduce((sum, entry) => sum + entry.rows, 0)
    return [`${action} ${plural(rows, 'row')} of ${plural(own.length, 'table')}`]
  })
  return {
    rows: tables.reduce((sum, entry) => sum + entry.rows, 0),
    tables,
    sentence:
      parts.length === 0
        ? 'this would change no row of a guarded table'
        : `this would ${parts.join(' and ')}`,
  }
}

function plural(count: number, noun: string): string {
  return `${count.toLocaleString('en')} ${noun}${count === 1 ? '' : 's'}`
}
