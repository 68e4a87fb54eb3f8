import { chmodSync, copyFileSync, existsSync, renameSync, rmSync } from 'node:fs'
import { ConfigError } from '@postern/core'
import type { HolderId } from '../split/part.ts'
import { lockHolder } from './holder-lock.ts'
import { HolderStore } from './holder-store.ts'

/** What SQLite keeps beside a file. Left behind, they would be applied to the restored one. */
const BESIDE = ['', '-wal', '-shm'] as const

/**
 * Replaces a holder's file with a backup. The holder must not run. What was there is kept beside it,
 * as `FILE.replaced`. When the holder starts, it opens nothing for the longest window of its budgets: it
 * does not know what was opened since the backup was made.
 * @throws ConfigError when the backup is missing, or of another holder
 * @throws StoreError, IntegrityError when it cannot be read; StoreError when the holder runs
 */
export function restoreHolder(backup: string, data: string, id: HolderId): void {
  if (!existsSync(backup))
    throw new ConfigError({
      place: backup,
      problem: 'does not exist',
      hint: 'give the file that `postern holder ask CONFIG backup FILE` wrote',
    })
  const lock = lockHolder(data)
  try {
    putInPlace(backup, data, id)
  } finally {
    lock.release()
  }
}

function putInPlace(backup: string, data: string, id: HolderId): void {
  const fresh = `${data}.restoring`
  for (const suffix of BESIDE) rmSync(fresh + suffix, { force: true })
  copyFileSync(backup, fresh)
  // A copy has the mode of what was copied, and a backup has been elsewhere.
  chmodSync(fresh, 0o600)
  const store = HolderStore.open(fresh)
  const owner = store.id
  store.markAsCopy()
  store.close()
  if (owner !== id) {
    for (const suffix of BESIDE) rmSync(fresh + suffix, { force: true })
    throw new ConfigError({
      place: backup,
      problem:
        owner === undefined ? 'is not a holder' : `is a backup of holder ${owner}, not of holder ${id}`,
      hint: `give a file that \`postern holder ask CONFIG backup FILE\` wrote for holder ${id}`,
    })
  }
  for (const suffix of BESIDE)
    if (existsSync(data + suffix)) renameSync(data + suffix, `${data}.replaced${suffix}`)
  renameSync(fresh, data)
}
