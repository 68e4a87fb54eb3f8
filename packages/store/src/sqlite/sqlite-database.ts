import { accessSync, closeSync, constants, existsSync, openSync, rmSync, statSync } from 'node:fs'
import { dirname, relative, resolve } from 'node:path'
import type { DatabaseSync } from 'node:sqlite'
import {
  type ByteSize,
  ConfigError,
  type Duration,
  errorCode,
  type Health,
  type HealthProbe,
  parseByteSize,
  parseDuration,
  StoreError,
  writeProblem,
} from '@postern/core'
import type { MigrationSet } from '../migration/migration.ts'
import { nodeSqlite } from './node-sqlite.ts'
import { isSqliteTrouble, sqliteError } from './sqlite-error.ts'
import { checkSqliteVersion, migrateSqlite } from './sqlite-migrations.ts'

/** Path, migrations and largest size of an SQLite file, and how long a writer waits. */
export interface SqliteOptions {
  /** The file; its directory must exist. `:memory:` for one that dies with the process. */
  readonly path: string
  /** Opens without the right to change anything, and migrates nothing. */
  readonly readOnly?: boolean
  /** Schemas to bring up to date on opening, or, when read-only, to find up to date. */
  readonly migrations?: readonly MigrationSet[]
  /**
   * When a commit is on the disk. `full` (default): before it returns; it survives a power failure. `normal`:
   * soon after; it survives a crash of the process, and a power failure may take the last moments, never the
   * consistency.
   */
  readonly synchronous?: 'full' | 'normal'
  /**
   * How long a statement may wait, blocking the thread, for another process that is writing. Default `1s`.
   */
  readonly busyTimeout?: Duration
  /** Upper bound of the file; a write beyond it fails as on a full disk. Unbounded unless given. */
  readonly maxSize?: ByteSize
}

/** Bytes the write-ahead log is cut back to after a checkpoint. */
const WAL_BOUND = 64 * 1_024 * 1_024

/**
 * One SQLite file: write-ahead logging (readers never wait), one writer at a time among all processes,
 * foreign keys on. Prepare statements on `db` once and run them inside `transaction` or `read`, where
 * failures become `StoreError`.
 */
export class SqliteDatabase implements HealthProbe {
  readonly db: DatabaseSync
  /** The store as errors name it: `sqlite .postern/postern.db`. */
  readonly name: string
  readonly #busyTimeout: number
  #depth = 0
  #trouble: string | undefined

  private constructor(db: DatabaseSync, name: string, busyTimeout: number) {
    this.db = db
    this.name = name
    this.#busyTimeout = busyTimeout
  }

  /** See `openSqlite`. */
  static open(options: SqliteOptions): SqliteDatabase {
    const name = `sqlite ${displayPath(options.path)}`
    const isReadOnly = options.readOnly === true
    const busyTimeout = Math.ceil(parseDuration(options.busyTimeout ?? '1s', 'busyTimeout'))
    let db: DatabaseSync | undefined
    try {
      // An absolute path: SQLite would take one that begins with `file:` for a URI with options of its own.
      const path = options.path === ':memory:' ? options.path : resolve(options.path)
      if (path !== ':memory:') prepareFile(path, name, isReadOnly)
      db = new (nodeSqlite().DatabaseSync)(path, { readOnly: isReadOnly, timeout: busyTimeout })
      configure(db, options)
      const database = new SqliteDatabase(db, name, busyTimeout)
      for (const room of options.migrations ?? []) {
        if (isReadOnly) checkSqliteVersion(database, room)
        else migrateSqlite(database, room)
      }
      return database
    } catch (error) {
      if (db?.isOpen === true) db.close()
      throw sqliteError(error, name)
    }
  }

  /**
   * Runs work that writes, and commits what it did; undoes all of it when it throws. Inside another
   * transaction it is a savepoint: it is undone alone, and durable when the outer one is. The work is
   * synchronous.
   * @throws StoreError when the disk is full, another process writes for longer than the busy timeout, ...
   */
  transaction<T>(work: () => T): T {
    const { begin, commit, undo } = this.#depth === 0 ? TRANSACTION : savepoint(this.#depth)
    return this.#translated(() => {
      // Work that went on after a full disk undid its transaction must not commit the rest of it piece by
      // piece.
      if (this.#depth > 0 && !this.db.isTransaction)
        throw new StoreError('the transaction was undone, for a statement in it had failed', {
          store: this.name,
          retryable: false,
        })
      this.db.exec(begin)
      this.#depth++
      try {
        const result = work()
        if (result instanceof Promise) {
          result.catch(() => {})
          throw new TypeError(`${this.name}: a transaction's work must be synchronous`)
        }
        this.db.exec(commit)
        return result
      } catch (error) {
        // A full disk makes SQLite undo the whole transaction by itself; there is nothing left to undo then.
        if (this.db.isTransaction) this.db.exec(undo)
        throw error
      } finally {
        this.#depth--
      }
    })
  }

  /**
   * Like `transaction`, but does not wait when another process is writing.
   * @throws StoreError that is retryable, before anything ran, when another process is writing
   */
  tryTransaction<T>(work: () => T): T {
    return this.#translated(() => {
      this.db.exec('PRAGMA busy_timeout = 0')
      try {
        return this.transaction(work)
      } finally {
        this.db.exec(`PRAGMA busy_timeout = ${this.#busyTimeout}`)
      }
    })
  }

  /**
   * Runs work that only reads, or one statement that writes and so is a transaction by itself, with failures
   * translated as in `transaction`.
   */
  read<T>(work: () => T): T {
    return this.#translated(work)
  }

  #translated<T>(work: () => T): T {
    try {
      const result = work()
      if (this.#depth === 0) this.#trouble = undefined
      return result
    } catch (error) {
      const translated = sqliteError(error, this.name)
      if (isSqliteTrouble(translated)) this.#trouble = translated.message
      throw translated
    }
  }

  /**
   * Reads the whole file and says what is wrong with it; empty when nothing is. Takes seconds on gigabytes.
   * @throws IntegrityError when it is too damaged to be read at all
   */
  check(): readonly string[] {
    return this.read(() =>
      this.db
        .prepare('PRAGMA integrity_check(20)')
        .all()
        .map(row => String(row['integrity_check']))
        .filter(line => line !== 'ok'),
    )
  }

  /**
   * Copies the database, as it is at this moment, to a new file, while others read and write.
   * @throws StoreError when the copy cannot be written, or there is such a file already
   */
  async backup(path: string): Promise<void> {
    const target = `sqlite ${displayPath(path)}`
    if (existsSync(path))
      throw new StoreError('already exists; name a new file', { store: target, retryable: false })
    prepareFile(resolve(path), target, false)
    try {
      await nodeSqlite().backup(this.db, resolve(path))
    } catch (error) {
      rmSync(path, { force: true })
      throw sqliteError(error, target)
    }
  }

  /** From memory: whether the last transaction or read worked. */
  health(): Health {
    const detail = this.db.isOpen ? this.#trouble : 'closed'
    return {
      name: this.name,
      ok: detail === undefined,
      required: true,
      ...(detail !== undefined && { detail }),
    }
  }

  /** Closes the file; a second call does nothing. */
  close(): void {
    if (this.db.isOpen) this.db.close()
  }
}

/**
 * Opens or creates an embedded database, mode 0600.
 * @throws StoreError when the directory is missing or read-only, or the file was written by a later version
 * @throws IntegrityError when the file is damaged, or a migration is not the one that was applied
 * @example
 * const database = openSqlite({ path: '.postern/postern.db', migrations: [{ name: 'detect', migrations }] })
 * const insert = database.db.prepare('INSERT INTO remediation (id) VALUES (?)')
 * database.transaction(() => insert.run('r1'))
 */
export function openSqlite(options: SqliteOptions): SqliteDatabase {
  if (typeof options?.path !== 'string')
    throw new ConfigError({
      place: 'openSqlite',
      problem: 'has no path',
      hint: "openSqlite({ path: 'shop.db' })",
    })
  return SqliteDatabase.open(options)
}

function displayPath(path: string): string {
  if (path === ':memory:') return path
  const local = relative(process.cwd(), resolve(path))
  return local.startsWith('..') ? resolve(path) : local
}

/**
 * Says plainly what stands in the way, for SQLite opens a file it may not write as if nothing were, and fails
 * later; and creates a missing file, for SQLite would leave it readable by everyone.
 */
function prepareFile(path: string, store: string, isReadOnly: boolean): void {
  const directory = dirname(path)
  try {
    statSync(directory)
  } catch (cause) {
    const isAbsent = ['ENOENT', 'ENOTDIR'].includes(errorCode(cause) ?? '')
    const problem = isAbsent ? 'its directory does not exist; create it' : writeProblem(cause)
    throw new StoreError(problem, { store, retryable: false, ...(!isAbsent && { cause }) })
  }
  if (isReadOnly) {
    if (!existsSync(path)) throw new StoreError('there is no such file', { store, retryable: false })
    return
  }
  try {
    accessSync(directory, constants.W_OK | constants.X_OK)
    closeSync(openSync(path, 'a', 0o600))
  } catch (cause) {
    const code = errorCode(cause) ?? ''
    const isScarce = ['ENOSPC', 'EDQUOT', 'EMFILE', 'ENFILE'].includes(code)
    throw new StoreError(
      isScarce
        ? writeProblem(cause)
        : `the file or its directory cannot be written to (${code}); make both writable for the user Postern runs as`,
      { store, retryable: isScarce, cause },
    )
  }
}

function configure(db: DatabaseSync, options: SqliteOptions): void {
  // The first statement that reads the file: a damaged one is refused here, not under the first request.
  const { page_size: pageSize } = db.prepare('PRAGMA page_size').get() ?? {}
  db.prepare('SELECT count(*) FROM sqlite_schema').get()
  db.exec('PRAGMA foreign_keys = ON; PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON')
  if (options.readOnly === true) return
  db.exec('PRAGMA journal_mode = WAL')
  db.exec(`PRAGMA journal_size_limit = ${WAL_BOUND}`)
  db.exec(`PRAGMA synchronous = ${options.synchronous === 'normal' ? 'NORMAL' : 'FULL'}`)
  if (options.maxSize !== undefined) {
    const pages = Math.max(1, Math.floor(parseByteSize(options.maxSize, 'maxSize') / Number(pageSize)))
    db.exec(`PRAGMA max_page_count = ${pages}`)
  }
}

/** The statements around work. */
interface Bounds {
  readonly begin: string
  readonly commit: string
  readonly undo: string
}

const TRANSACTION: Bounds = { begin: 'BEGIN IMMEDIATE', commit: 'COMMIT', undo: 'ROLLBACK' }

/** Those of work inside a transaction. */
function savepoint(depth: number): Bounds {
  const name = `postern_${depth}`
  return {
    begin: `SAVEPOINT ${name}`,
    commit: `RELEASE ${name}`,
    undo: `ROLLBACK TO ${name}; RELEASE ${name}`,
  }
}
