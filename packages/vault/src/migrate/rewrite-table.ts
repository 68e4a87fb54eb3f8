import { BudgetExceeded, type Clock, ConfigError, IntegrityError, systemClock } from '@postern/core'
import { JOB_SQL, selectAfter, type TableDialect } from '../sql/table.sql.ts'
import type { Row } from '../table/row-context.ts'
import { type Column, type Table, termColumns } from '../table/table-schema.ts'
import { checkTable, checkUnique } from './check-table.ts'
import { columnsBeside, type RewriteKind, type RowRewrite, rewriteRows } from './rewrite-rows.ts'
import { type RewriteClient, RowWriter } from './write-rows.ts'

/** The table and columns of a job, and what it does to them. */
export interface RewriteOptions extends RowRewrite {
  readonly table: string
  /**
   * `PostgresDatabase` or `sqliteClient`. With another client that has no transactions, what a trigger
   * changes is found out after it was written: the first batch is one row then.
   */
  readonly client: RewriteClient
  readonly dialect: TableDialect
  /** Rows read and written at a time. Default 100. */
  readonly batch?: number
  /** Pause between two batches, milliseconds. Default 0. */
  readonly pause?: number
  /**
   * Keys of rows that are left as they are, each as `postern vault canary` takes it. Whoever opens a canary
   * is frozen, and a job opens rows.
   */
  readonly except?: readonly (readonly string[])[]
  /** Called after each batch. */
  readonly onProgress?: (progress: RewriteProgress) => void
  /** Ends the job after the batch at hand; running it again goes on from there. */
  readonly signal?: AbortSignal
  readonly clock?: Clock
  /** How the job waits for the pause or for a budget; told milliseconds. */
  readonly wait?: (milliseconds: number) => Promise<void>
}

/** How far a rewriting job is. */
export interface RewriteProgress {
  /** Rows looked at, over all runs of the job. */
  readonly rows: number
  /** Values rewritten in this run. */
  readonly rewritten: number
  /** Rows that changed under the job, and were taken again. */
  readonly contended: number
  /**
   * Values of this run that somebody wrote in the old form behind the job: by an instance that still has
   * another configuration, or without the vault. They were rewritten too.
   */
  readonly late: number
  /** Whether every row was looked at. */
  readonly done: boolean
}

/**
 * Longest wait for a budget before it is asked for again, milliseconds: a holder that lies names any time.
 */
const LONGEST_WAIT = 3_600_000
/** Largest batch, rows: they are held in memory, and locked while they are written. */
export const MOST_ROWS = 10_000

/** How often a row that changes under the job is taken again. */
const MAX_ATTEMPTS = 10
/** How often the table is read, if each time something was written in the old form meanwhile. */
const MAX_PASSES = 5

/**
 * Rewrites the encrypted columns of a table row by row, in the order of its key,
 * while the application works on.
 *
 * A batch is one statement in one transaction: each row is written only if it still is what was read (compare
 * and set), then read back and compared, and all of it is undone if one is not what was written. Where it
 * stands is kept in `vault_job`; killed at any point, it goes on from the last batch, and finds what it had
 * already done. A budget that is used up makes it wait, not fail.
 * @throws ConfigError when the column's state does not allow it, or the batch is out of range
 * @throws IntegrityError naming the column when a value does not open, or is not
 *   what was written. Never with a value
 */
export async function rewriteTable(options: RewriteOptions): Promise<RewriteProgress> {
  const { kind, vault, client, dialect, except = [], batch = 100 } = options
  // With a batch of no rows every table would be done at once, and nothing of it sealed.
  if (!(Number.isInteger(batch) && batch >= 1 && batch <= MOST_ROWS))
    throw new ConfigError({
      place: 'batch',
      problem: `${batch} is not a whole number from 1 to ${MOST_ROWS}`,
    })
  const table = vault.table(options.table)
  const columns = table.columns.filter(({ mode }) => mode !== 'held')
  checkStates(columns, kind)
  await checkTable(client, table, dialect)
  const writer = await RowWriter.of(client, table, dialect)
  const isLeft = await leftOut(table, writer, except)
  const name = `${kind} ${table.name}`
  const known = await client.query<StoredJob>(JOB_SQL.get, [name])
  const job = new RewriteJob(options, { name, table, columns, writer, isLeft }, known.rows[0])
  return await job.run()
}

/** What `vault_job` keeps of a job. */
interface StoredJob {
  readonly position: string
  readonly done: unknown
}

/** What a job rewrites, and through what. */
interface RewriteSubject {
  readonly name: string
  readonly table: Table
  /** Those that the job rewrites. */
  readonly columns: readonly Column[]
  readonly writer: RowWriter
  readonly isLeft: (row: Row) => boolean
}

/** One run of a job: where it stands, and what it has done. */
class RewriteJob {
  readonly #options: RewriteOptions
  readonly #subject: RewriteSubject
  readonly #wait: (milliseconds: number) => Promise<void>
  /** Names of the columns that are read. */
  readonly #read: readonly string[]
  /** Key of the last row that was looked at; undefined before the first. */
  #position: readonly unknown[] | undefined
  #limit: number
  #rows: number
  #rewritten = 0
  /** Rows that needed rewriting, each time they were met. */
  #due = 0
  #contended = 0
  #late = 0

  constructor(options: RewriteOptions, subject: RewriteSubject, known: StoredJob | undefined) {
    this.#options = options
    this.#subject = subject
    const { table, columns, writer } = subject
    this.#wait = options.wait ?? (milliseconds => new Promise(resolve => setTimeout(resolve, milliseconds)))
    const terms = options.kind === 'rewrap' ? columns.flatMap(({ search }) => termColumns(search)) : []
    this.#read = [
      ...new Set([...table.key, ...columnsBeside(table), ...columns.map(({ name }) => name), ...terms]),
    ]
    this.#limit = writer.canUndo ? this.#batch : 1
    this.#rows = Number(known?.done ?? 0)
    if (known !== undefined)
      this.#position = (JSON.parse(known.position) as readonly StoredKey[]).map(fromStoredKey)
  }

  get #batch(): number {
    return this.#options.batch ?? 100
  }

  async run(): Promise<RewriteProgress> {
    for (let pass = 1; pass <= MAX_PASSES; pass++) {
      const isWhole = this.#position === undefined
      const [due, rewritten] = [this.#due, this.#rewritten]
      if (!(await this.#pass(pass === 1))) return this.#progress(false)
      // Not when nothing was written: then there may be rows that the job finds and cannot write.
      if (isWhole && this.#due === due) break
      if (pass === MAX_PASSES && this.#rewritten === rewritten)
        throw new IntegrityError(
          `${this.#subject.table.name}: ${this.#due - due} rows need to be rewritten and are not found by their key. ` +
            'Look for a key column whose type compares in its own way',
        )
      this.#position = undefined
    }
    await this.#options.client.query(JOB_SQL.remove, [this.#subject.name])
    const progress = this.#progress(true)
    this.#options.onProgress?.(progress)
    return progress
  }

  #progress(done: boolean): RewriteProgress {
    return {
      rows: this.#rows,
      rewritten: this.#rewritten,
      contended: this.#contended,
      late: this.#late,
      done,
    }
  }

  /** Goes through the rows behind the position. Returns whether it came to the end. */
  async #pass(isFirst: boolean): Promise<boolean> {
    const { client, pause = 0, signal, onProgress } = this.#options
    const { table, name, isLeft } = this.#subject
    for (;;) {
      const text = selectAfter(
        table.name,
        table.key,
        this.#read,
        this.#position === undefined ? 'first' : 'next',
      )
      // One more than is rewritten: it must not have the key of the last.
      const found = await client.query<Row>(text, [...(this.#position ?? []), this.#limit + 1])
      checkUnique(table, found.rows)
      const rows = found.rows.slice(0, this.#limit)
      const last = rows.at(-1)
      if (last === undefined) return true
      this.#limit = this.#batch
      const before = this.#rewritten
      await this.#rewrite(rows.filter(row => !isLeft(row)))
      if (isFirst) this.#rows += rows.length
      else this.#late += this.#rewritten - before
      this.#position = table.key.map(column => last[column])
      await client.query(JOB_SQL.put, [name, JSON.stringify(this.#position.map(toStoredKey)), this.#rows])
      onProgress?.(this.#progress(false))
      if (signal?.aborted === true) return false
      if (pause > 0) await this.#wait(pause)
    }
  }

  /** Rewrites what needs it in some rows, and again those that change meanwhile. */
  async #rewrite(rows: readonly Row[]): Promise<void> {
    const { table, columns, writer } = this.#subject
    let todo = rows
    for (let attempt = 0; todo.length > 0; attempt++) {
      if (attempt === MAX_ATTEMPTS)
        throw new IntegrityError(
          `${table.name}: a row changed ${MAX_ATTEMPTS} times while it was rewritten; run the job again`,
        )
      const outcome = await patiently(
        () => rewriteRows(this.#options, table, columns, writer, todo),
        this.#options.clock ?? systemClock,
        this.#wait,
      )
      this.#rewritten += outcome.rewritten
      if (attempt === 0) this.#due += outcome.due
      this.#contended += outcome.contended.length
      todo = outcome.contended.length === 0 ? [] : await writer.read(outcome.contended, this.#read)
    }
  }
}

/**
 * Whether a row is one of those that the job must not touch. Which those are is read from the table: it may
 * write a key in another way (a UUID in capitals, a number with zeros), and a row that is not recognised is
 * opened.
 * @throws ConfigError for a key of another length, or of which there is no row
 */
async function leftOut(
  table: Table,
  writer: RowWriter,
  except: readonly (readonly string[])[],
): Promise<(row: Row) => boolean> {
  for (const key of except)
    if (key.length !== table.key.length)
      throw new ConfigError({
        place: 'except',
        problem: `names a row by ${key.length} values, and the key of ${table.name} has ${table.key.length}`,
        hint: `one value each of ${table.key.join(', ')}`,
      })
  if (except.length === 0) return () => false
  const left = new Set<string>()
  for (const key of except) {
    const named = Object.fromEntries(table.key.map((name, at) => [name, key[at]]))
    const [row] = await writer.read([writer.keyValues(named)], table.key)
    if (row === undefined)
      throw new ConfigError({
        place: 'except',
        problem: `names a row that ${table.name} does not have: ${JSON.stringify(key)}`,
        hint: 'a row that is not recognised would be opened, and a canary freeze whoever opens it',
      })
    left.add(writer.keyOf(row))
  }
  return row => left.has(writer.keyOf(row))
}

/** Runs work again when a budget was used up, once it is free. */
async function patiently<T>(
  work: () => Promise<T>,
  clock: Clock,
  wait: (milliseconds: number) => Promise<void>,
): Promise<T> {
  for (;;) {
    try {
      return await work()
    } catch (error) {
      if (!(error instanceof BudgetExceeded)) throw error
      await wait(Math.min(LONGEST_WAIT, Math.max(1_000, error.retryAt - clock.now())))
    }
  }
}

function checkStates(columns: readonly Column[], kind: RewriteKind): void {
  const allowed = { seal: ['dual'], open: ['plaintext'], rewrap: ['dual', 'strict'] }[kind]
  for (const { table, name, state, access } of columns) {
    if (access === 'ingest')
      throw new ConfigError({
        place: `${table}.${name}`,
        problem: `is only ingested here, and "${kind}" has to open it`,
        hint: 'run the job from a vault.json without "access", as a service that may open the column',
      })
    if (!allowed.includes(state))
      throw new ConfigError({
        place: `${table}.${name}`,
        problem: `is in state "${state}", but "${kind}" needs "${allowed.join('" or "')}"`,
        hint:
          kind === 'seal'
            ? 'set it to "dual" first, everywhere, so that nobody writes plain values any more'
            : 'set it first, everywhere',
      })
  }
}

/** A key value in the position of a job: bytes as hexadecimal text in an object. */
type StoredKey = string | number | { readonly hex: string }

function toStoredKey(value: unknown): StoredKey {
  if (value instanceof Uint8Array) return { hex: Buffer.from(value).toString('hex') }
  return typeof value === 'number' ? value : String(value)
}

function fromStoredKey(value: StoredKey): unknown {
  return typeof value === 'object' ? Buffer.from(value.hex, 'hex') : value
}
