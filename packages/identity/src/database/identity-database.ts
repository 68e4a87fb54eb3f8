import { PostgresDatabase, type SqlClient, type SqliteDatabase } from '@postern/store'

/** What a statement takes and returns. Times are epoch milliseconds; bytes are base64url text. */
export type SqlValue = string | number | null

/** One statement of a batch. */
export interface Step {
  /** With parameters `$1`, `$2`, ... */
  readonly text: string
  readonly values: readonly SqlValue[]
  /** How many rows the statement must change for the batch to hold. Not checked by default. */
  readonly expect?: number
}

/**
 * The few things the stores of this package need of a database, the same over SQLite and PostgreSQL, so that
 * each store is written once. SQLite answers at once, PostgreSQL with a promise.
 */
export interface IdentityDatabase {
  readonly dialect: 'sqlite' | 'postgres'
  /** Rows of a SELECT, or of a statement with RETURNING. The caller names their shape. @throws StoreError */
  rows<Row>(text: string, values: readonly SqlValue[]): readonly Row[] | Promise<readonly Row[]>
  /**
   * Runs statements in one transaction: all of them, or none when one changes
   * another number of rows than it must.
   * @returns whether they were committed
   * @throws StoreError, with nothing committed
   */
  batch(steps: readonly Step[]): boolean | Promise<boolean>
}

/** Chooses the dialect by the connection. The schema must have been migrated (`migrateIdentity`). */
export function identityDatabase(connection: SqliteDatabase | PostgresDatabase): IdentityDatabase {
  return connection instanceof PostgresDatabase
    ? new PostgresStatements(connection)
    : new SqliteStatements(connection)
}

type Prepared = ReturnType<SqliteDatabase['db']['prepare']>

/**
 * A statement prepared once. `order` says which value goes to which `?`; undefined when they are in order.
 */
interface Compiled {
  readonly statement: Prepared
  readonly order: readonly number[] | undefined
}

class SqliteStatements implements IdentityDatabase {
  readonly dialect = 'sqlite'
  readonly #database: SqliteDatabase
  /** One per statement text of this package, so it is bounded by the source. */
  readonly #compiled = new Map<string, Compiled>()

  constructor(database: SqliteDatabase) {
    this.#database = database
  }

  rows<Row>(text: string, values: readonly SqlValue[]): readonly Row[] {
    const { statement, order } = this.#compile(text)
    return this.#database.read(() => {
      const rows: unknown = statement.all(...arranged(values, order))
      return rows as Row[]
    })
  }

  batch(steps: readonly Step[]): boolean {
    const unmet = new Error('a statement changed another number of rows')
    try {
      this.#database.transaction(() => {
        for (const step of steps) {
          const { statement, order } = this.#compile(step.text)
          const { changes } = statement.run(...arranged(step.values, order))
          if (step.expect !== undefined && Number(changes) !== step.expect) throw unmet
        }
      })
      return true
    } catch (error) {
      if (error === unmet) return false
      throw error
    }
  }

  #compile(text: string): Compiled {
    const known = this.#compiled.get(text)
    if (known !== undefined) return known
    const numbers: number[] = []
    const questions = text.replace(/\$(\d+)/g, (_, number: string) => {
      numbers.push(Number(number) - 1)
      return '?'
    })
    const isInOrder = numbers.every((number, index) => number === index)
    const made: Compiled = {
      statement: this.#database.db.prepare(questions),
      order: isInOrder ? undefined : numbers,
    }
    this.#compiled.set(text, made)
    return made
  }
}

function arranged(values: readonly SqlValue[], order: readonly number[] | undefined): readonly SqlValue[] {
  return order === undefined ? values : order.map(index => values[index] ?? null)
}

class PostgresStatements implements IdentityDatabase {
  readonly dialect = 'postgres'
  readonly #database: PostgresDatabase

  constructor(database: PostgresDatabase) {
    this.#database = database
  }

  async rows<Row>(text: string, values: readonly SqlValue[]): Promise<readonly Row[]> {
    return (await this.#database.query<Row>(text, values)).rows
  }

  async batch(steps: readonly Step[]): Promise<boolean> {
    const unmet = new Error('a statement changed another number of rows')
    try {
      await this.#database.transaction(async client => {
        for (const step of steps) await runStep(client, step, unmet)
      })
      return true
    } catch (error) {
      if (error === unmet) return false
      throw error
    }
  }
}

async function runStep(client: SqlClient, step: Step, unmet: Error): Promise<void> {
  const { rowCount } = await client.query(step.text, step.values)
  if (step.expect !== undefined && rowCount !== step.expect) throw unmet
}
