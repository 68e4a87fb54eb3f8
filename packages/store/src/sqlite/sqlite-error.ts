import { errorCode, IntegrityError, PosternError, StoreError } from '@postern/core'

interface Meaning {
  readonly message: string
  readonly retryable: boolean
}

/** What SQLite's primary result codes mean for the people who run it (sqlite.org/rescode.html). */
const MEANINGS: ReadonlyMap<number, Meaning> = new Map([
  [
    3,
    {
      message: 'access is denied; give the user Postern runs as the file and its directory',
      retryable: false,
    },
  ],
  [5, { message: 'another process holds the write lock; try again', retryable: true }],
  [6, { message: 'a statement of this process is still running on the same table', retryable: true }],
  [7, { message: 'SQLite is out of memory', retryable: true }],
  [
    8,
    {
      message: 'the file or its directory is read-only; make both writable for the user Postern runs as',
      retryable: false,
    },
  ],
  [9, { message: 'the statement was interrupted', retryable: true }],
  // SQLite tells no more of these apart: EDQUOT, EFBIG, EROFS, EIO.
  [
    10,
    {
      message:
        'the disk refused a write; check its quota, whether it became read-only, the limit on file sizes (ulimit -f), and the log of the kernel (dmesg)',
      retryable: false,
    },
  ],
  [
    13,
    {
      message: 'the disk is full, or the size limit is reached; free some space, nothing was lost',
      retryable: true,
    },
  ],
  [
    14,
    {
      message:
        'the file cannot be opened; check that its directory exists and is accessible, and how many files the process may open (ulimit -n)',
      retryable: false,
    },
  ],
  [15, { message: 'the locking protocol failed; is the file on a network file system?', retryable: true }],
  [18, { message: 'a value is larger than SQLite can hold', retryable: false }],
  [22, { message: 'this system cannot hold a file that large', retryable: false }],
  [23, { message: 'the statement is not allowed here', retryable: false }],
])

const BUSY = 5
const CORRUPT = 11
const CONSTRAINT = 19
const NOT_A_DATABASE = 26

interface NativeError extends Error {
  readonly errcode: number
}

function isNative(error: unknown): error is NativeError {
  return error instanceof Error && 'errcode' in error && typeof error.errcode === 'number'
}

/** SQLITE_CONSTRAINT_TRIGGER: what `RAISE` says is put together by the trigger, and may quote values. */
const RAISED_BY_TRIGGER = 1_811
/** Row budgets, whose refusals name no value. */
const OWN_REFUSAL = /^postern[: ]/

function isClosed(error: unknown): boolean {
  return errorCode(error) === 'ERR_INVALID_STATE'
}

/**
 * What went wrong in SQLite, in the taxonomy: `IntegrityError` for a damaged file, else `StoreError`, whose
 * cause is the driver's error. Anything that did not come from SQLite is returned as it is.
 * @param store the store as errors name it
 */
export function sqliteError(error: unknown, store: string): unknown {
  if (error instanceof PosternError) return error
  if (isClosed(error)) return new StoreError('was closed', { store, retryable: false })
  if (!isNative(error)) return error
  const primary = error.errcode & 0xff
  if (primary === NOT_A_DATABASE) {
    return new IntegrityError(
      `${store}: the file is not a SQLite database, or is encrypted or damaged; restore a backup`,
      { cause: error },
    )
  }
  if (primary === CORRUPT) {
    return new IntegrityError(
      `${store}: the file is damaged (${error.message}); stop writing to it and restore a backup`,
      { cause: error },
    )
  }
  if (error.errcode === RAISED_BY_TRIGGER && !OWN_REFUSAL.test(error.message)) {
    const cause = Object.assign(new Error('constraint failed'), { errcode: error.errcode })
    return new StoreError('a trigger refused the change', { store, retryable: false, cause })
  }
  const meaning = MEANINGS.get(primary)
  // Other constraint and syntax messages of SQLite quote names of tables and columns, never values.
  return new StoreError(meaning?.message ?? error.message, {
    store,
    retryable: meaning?.retryable ?? false,
    cause: error,
  })
}

/**
 * Whether the failure is a constraint that did not hold: a duplicate key, a missing parent, a failed check.
 */
export function isSqliteConstraint(error: unknown): boolean {
  const native = error instanceof StoreError ? error.cause : error
  return isNative(native) && (native.errcode & 0xff) === CONSTRAINT
}

/**
 * Codes after which the database is in trouble, not only one statement: access, memory, read-only, disk,
 * full, open.
 */
const TROUBLE = new Set([3, 7, 8, 10, 13, 14])

/** Whether a translated failure says something about the health of the database. */
export function isSqliteTrouble(error: unknown): error is Error {
  if (error instanceof IntegrityError) return true
  return error instanceof StoreError && isNative(error.cause) && TROUBLE.has(error.cause.errcode & 0xff)
}

/** Whether another process held the lock for longer than the caller wanted to wait. */
export function isSqliteBusy(error: unknown): boolean {
  return error instanceof StoreError && isNative(error.cause) && (error.cause.errcode & 0xff) === BUSY
}
