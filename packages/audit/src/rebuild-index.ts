import { existsSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { IntegrityError } from '@postern/core'
import { lockDirectory } from '@postern/store'
import { KeyStore } from './entry/key-store.ts'
import { disk } from './files/file-layer.ts'
import { INDEX, LogFiles } from './files/log-files.ts'
import { parseCheckpoint } from './format/checkpoint.ts'
import { parseNote } from './format/note.ts'
import { AuditIndex } from './index/audit-index.ts'
import { fillIndex } from './index/fill-index.ts'

/** Whether an index is compared or replaced, and who follows the progress. */
export interface RebuildOptions {
  /** As in `openAuditLog`. */
  readonly keyDirectory?: string
  /**
   * `compare` (default) leaves the index unchanged; `replace` installs the rebuilt
   * one, and needs the log closed.
   */
  readonly mode?: 'compare' | 'replace'
  readonly onProgress?: (done: number, total: number) => void
}

/** What `rebuildIndex` found. */
export interface Rebuilt {
  /** Entries of the log that went into the index. */
  readonly size: number
  /** Whether the index that was there says exactly what the log says. */
  readonly identical: boolean
}

const REBUILT = 'index.rebuilt.db'

/**
 * Rebuilds the index from the log, and compares it with the existing one.
 * @throws StoreError when the log is open and the index is to be replaced
 */
export function rebuildIndex(directory: string, options: RebuildOptions = {}): Rebuilt {
  const keyDirectory = options.keyDirectory ?? `${directory.replace(/\/+$/, '')}-keys`
  const lock = options.mode === 'replace' ? lockDirectory(directory, { name: 'audit-log' }) : undefined
  const path = join(directory, REBUILT)
  const keys = KeyStore.open(join(keyDirectory, 'subjects.db'), { readOnly: true })
  try {
    removeDatabase(path)
    const log = new LogFiles(disk, directory)
    const note = log.checkpoint()
    if (note === undefined) throw new IntegrityError(`${directory}: no checkpoint; this is not an audit log`)
    const { origin, size } = parseCheckpoint(parseNote(note).text)
    const live = openLive(join(directory, INDEX), keys)
    const rebuilt = AuditIndex.open(path, keys)
    // An open log keeps growing meanwhile: both are compared at the size of the live index.
    const goal = options.mode === 'replace' ? Number(size) : Math.min(Number(size), live?.size ?? Infinity)
    fillIndex({
      index: rebuilt,
      log,
      keys,
      origin,
      size: goal,
      written: Number(size),
      ...(options.onProgress !== undefined && { onProgress: options.onProgress }),
    })
    const identical = live?.digest() === rebuilt.digest()
    live?.close()
    rebuilt.close()
    if (options.mode === 'replace') {
      removeDatabase(join(directory, INDEX))
      renameSync(path, join(directory, INDEX))
    }
    return { size: goal, identical }
  } finally {
    removeDatabase(path)
    keys.close()
    lock?.release()
  }
}

/** The index that is there; undefined when there is none that can be read. */
function openLive(path: string, keys: KeyStore): AuditIndex | undefined {
  if (!existsSync(path)) return undefined
  let live: AuditIndex | undefined
  try {
    live = AuditIndex.open(path, keys, { readOnly: true })
    live.digest()
    return live.size >= 0 ? live : undefined
  } catch (error) {
    live?.close()
    if (error instanceof IntegrityError) return undefined
    throw error
  }
}

function removeDatabase(path: string): void {
  for (const suffix of ['', '-wal', '-shm']) rmSync(`${path}${suffix}`, { force: true })
}
