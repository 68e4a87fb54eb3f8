import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import type { DatabaseSync } from 'node:sqlite'
import { setTimeout as pause } from 'node:timers/promises'
import { type Duration, formatDuration, parseDuration, StoreError } from '@postern/core'
import { nodeSqlite } from '../sqlite/node-sqlite.ts'
import { sqliteError } from '../sqlite/sqlite-error.ts'
import { workerAdvice } from './worker-advice.ts'

/**
 * The right of one process to do something alone in a directory. The operating system takes it back when the
 * process dies.
 */
export interface DirectoryLock {
  /** Gives the right back; a second call does nothing. */
  release(): void
}

interface DirectoryLockOptions {
  /** What the right is for, a file name: `gateway`, `audit-log`. */
  readonly name: string
  /** How long to wait, blocking the thread, for another process to give it back. Default: not at all. */
  readonly wait?: Duration
}

/** Which right is taken, and how long another process is waited for meanwhile. */
export interface DirectoryLockWait {
  /** What the right is for, a file name. */
  readonly name: string
  /** How long to wait for another process to give it back. Default: not at all. */
  readonly wait?: Duration | undefined
  /** Told once, in a sentence, before the wait begins. */
  readonly onWait?: ((sentence: string) => void) | undefined
  /** Ends the wait when it is aborted. */
  readonly stop?: AbortSignal | undefined
}

const BUSY = 5
/** How often a right that is waited for is tried. */
const RETRY_MS = 100

/** Module state: files whose right this process has. It would wait for itself indefinitely. */
const own = new Set<string>()

/**
 * Takes a right that only one process may have. Kept by SQLite's lock on an empty file, which is a lock of
 * the operating system: a killed process leaves none behind.
 * @throws StoreError naming the process that has it
 */
export function lockDirectory(directory: string, { name, wait = 0 }: DirectoryLockOptions): DirectoryLock {
  const file = lockFile(directory, name)
  const holder = holderFile(file)
  const store = `data directory ${directory}`
  let db: DatabaseSync | undefined
  try {
    db = new (nodeSqlite().DatabaseSync)(file, { timeout: parseDuration(wait, 'wait') })
    db.exec('PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE')
    writeFileSync(holder, `${process.pid}\n`, { mode: 0o600 })
  } catch (error) {
    db?.close()
    if (isBusy(error)) {
      const problem = own.has(file)
        ? 'is in use by another Postern of this process; call postern() once and share what it gives, or close() the first before the next'
        : `is in use by another Postern (${processOf(holder)}); ${workerAdvice(holderOf(holder)) ?? 'stop it, or give this one its own directory'}`
      throw new StoreError(problem, { store, retryable: true, cause: error })
    }
    throw sqliteError(error, store)
  }
  const held = db
  own.add(file)
  return {
    release: () => {
      if (!held.isOpen) return
      own.delete(file)
      rmSync(holder, { force: true })
      held.close()
    },
  }
}

/**
 * Takes a right as `lockDirectory` does, and waits for another process to give it back, as when a process
 * manager starts the new process before it stops the old one. Timers and requests go on meanwhile.
 * @throws StoreError naming the process that still has it after `wait`; at once when it is this process. The
 *   reason of `stop`
 */
export async function awaitDirectoryLock(
  directory: string,
  { name, wait = 0, onWait, stop }: DirectoryLockWait,
): Promise<DirectoryLock> {
  const file = lockFile(directory, name)
  const longest = parseDuration(wait, 'wait')
  const until = performance.now() + longest
  for (let isFirst = true; ; isFirst = false) {
    try {
      return lockDirectory(directory, { name })
    } catch (error) {
      if (!isBusy(error) || own.has(file) || performance.now() >= until) throw error
      if (isFirst) {
        onWait?.(
          `data directory ${directory} is in use by another Postern (${processOf(holderFile(file))}): waiting up to ` +
            `${formatDuration(longest)} for it to stop, as it does in a restart that starts the new process first`,
        )
      }
    }
    stop?.throwIfAborted()
    await pause(RETRY_MS)
  }
}

/** Whether another process, or another part of this one, has the right. */
function isBusy(error: unknown): boolean {
  const cause = error instanceof StoreError ? error.cause : error
  return cause instanceof Error && 'errcode' in cause && cause.errcode === BUSY
}

function lockFile(directory: string, name: string): string {
  return join(resolve(directory), `${name}.lock`)
}

function holderFile(lock: string): string {
  return `${lock}-holder`
}

function processOf(holder: string): string {
  const number = holderOf(holder)
  return number === undefined ? 'a process that did not say its number' : `process ${number}`
}

function holderOf(holder: string): number | undefined {
  try {
    return Number(readFileSync(holder, 'utf8'))
  } catch {
    return undefined
  }
}
