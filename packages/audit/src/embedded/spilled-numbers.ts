import { DatabaseSync, type StatementSync } from 'node:sqlite'

interface Opened {
  readonly database: DatabaseSync
  readonly get: StatementSync
  readonly set: StatementSync
  readonly all: StatementSync
  readonly count: StatementSync
}

/**
 * The numbers of more tenants than memory should hold, in a temporary file of this process. It has no name in
 * any directory, so nobody who can write to the log's directory can edit it, and it is gone when the process
 * ends. It is created when it is first needed.
 */
export class SpilledNumbers {
  #opened: Opened | undefined
  #size = 0

  /** Tenants in it. */
  get size(): number {
    return this.#size
  }

  /** @returns undefined for a tenant that is not in it */
  get(tenant: string): number | undefined {
    const number = this.#opened?.get.get(key(tenant))?.['number']
    return number === undefined ? undefined : Number(number)
  }

  /** Adds or replaces all of these, or none. @returns false when the file cannot be written */
  add(numbers: ReadonlyMap<string, number>): boolean {
    try {
      this.#opened ??= open()
    } catch {
      return false
    }
    const { database, set, count } = this.#opened
    try {
      database.exec('BEGIN')
      for (const [tenant, number] of numbers) set.run(key(tenant), number)
      const size = Number(count.get()?.['size'])
      database.exec('COMMIT')
      this.#size = size
    } catch {
      // A full disk may have ended the transaction already.
      if (database.isTransaction) database.exec('ROLLBACK')
      return false
    }
    return true
  }

  /** Every tenant with its number, in no order. */
  *all(): Generator<readonly [tenant: string, number: number]> {
    if (this.#opened === undefined) return
    for (const row of this.#opened.all.iterate())
      yield [JSON.parse(String(row['tenant'])) as string, Number(row['number'])]
  }

  close(): void {
    this.#opened?.database.close()
    this.#opened = undefined
  }
}

/** As JSON, which escapes what SQLite does not keep in a text: U+0000 and lone surrogates. */
function key(tenant: string): string {
  return JSON.stringify(tenant)
}

function open(): Opened {
  // SQLite's name for a private temporary file.
  const database = new DatabaseSync('')
  // A journal in memory: it holds the pages that one transaction changes.
  database.exec(`PRAGMA journal_mode = MEMORY; PRAGMA synchronous = OFF;
    CREATE TABLE spilled (tenant TEXT PRIMARY KEY, number INTEGER NOT NULL) WITHOUT ROWID`)
  return {
    database,
    get: database.prepare('SELECT number FROM spilled WHERE tenant = ?'),
    set: database.prepare('INSERT OR REPLACE INTO spilled VALUES (?, ?)'),
    all: database.prepare('SELECT tenant, number FROM spilled'),
    count: database.prepare('SELECT count(*) AS size FROM spilled'),
  }
}
