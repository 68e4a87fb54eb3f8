import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { DatabaseSync } from 'node:sqlite'
import { type Duration, parseDuration, StoreError } from '@postern/core'
import { nodeSqlite } from './node-sqlite.ts'
import { sqliteError } from './sqlite-error.ts'
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

const BUSY = 5

/**
 * Takes a right that only one process may have. Kept by SQLite's lock on an empty file, which is a lock of
 * the operating system: a killed process leaves none behind.
 * @throws StoreError naming the process that has it
 */
export function lockDirectory(directory: string, { name, wait = 0 }: DirectoryLockOptions): DirectoryLock {
  const file = join(directory, `${name}.lock`)
  const holder = `${file}-holder`
  const store = `data directory ${directory}`
  let db: DatabaseSync | undefined
  try {
    db = new (nodeSqlite().DatabaseSync)(file, { timeout: parseDuration(wait, 'wait') })
    db.exec('PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE')
    writeFileSync(holder, `${process.pid}\n`, { mode: 0o600 })
  } catch (error) {
    db?.close()
    if (error instanceof Error && 'errcode' in error && error.errcode === BUSY) {
      throw new StoreError(
        `is in use by another Postern (${processOf(holder)}); ${workerAdvice() ?? 'stop it, or give this one its own directory'}`,
        { store, retryable: true, cause: error },
      )
    }
    throw sqliteError(error, store)
  }
  const held = db
  return {
    release: () => {
      if (!held.isOpen) return
      rmSync(holder, { force: true })
      held.close()
    },
  }
}

function processOf(holder: string): string {
  try {
    return `process ${Number(readFileSync(holder, 'utf8'))}`
  } catch {
    return 'a process that did not say its number'
  }
}
