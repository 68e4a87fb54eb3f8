import { copyFileSync, existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { systemRandom } from '@postern/core'
import type { HolderKeys } from '../holder/holder-keys.ts'
import { HolderStore } from '../holder/holder-store.ts'
import { unlockKey } from '../holder/unlock.ts'
import { type CandidateSecrets, filesUnder } from './candidate-secrets.ts'
import type { Turns } from './turns.ts'

/** Passphrases tried on one stolen holder: each costs a tenth of a second. */
const MAX_PASSPHRASES = 50

/**
 * The parts of every holder whose file is in the loot, and whose unlocking key is too.
 * @param folders where stolen files lie; they are not changed
 */
export async function stolenHolders(
  folders: readonly string[],
  secrets: CandidateSecrets,
  turns: Turns,
): Promise<readonly HolderKeys[]> {
  const found: HolderKeys[] = []
  for (const file of filesUnder(folders)) {
    if (!file.endsWith('.db')) continue
    const work = mkdtempSync(join(tmpdir(), 'exposure-'))
    try {
      const copy = join(work, basename(file))
      for (const suffix of ['', '-wal', '-shm'])
        if (existsSync(file + suffix)) copyFileSync(file + suffix, copy + suffix)
      const keys = await unlocked(copy, folders, secrets, turns)
      if (keys !== undefined) found.push(keys)
    } finally {
      rmSync(work, { recursive: true })
    }
  }
  return found
}

async function unlocked(
  path: string,
  folders: readonly string[],
  secrets: CandidateSecrets,
  turns: Turns,
): Promise<HolderKeys | undefined> {
  let store: HolderStore
  try {
    store = HolderStore.open(path)
  } catch {
    return undefined
  }
  try {
    const { id } = store
    if (id === undefined) return undefined
    const kind = Buffer.from(store.setting('unlock.kind') ?? new Uint8Array(0)).toString()
    const ways =
      kind === 'file'
        ? filesUnder(folders).map(file => ({ kind: 'file', path: file }) as const)
        : secrets.texts
            .slice(0, MAX_PASSPHRASES)
            .map(text => ({ kind: 'passphrase', passphrase: text }) as const)
    for (const way of ways) {
      await turns.next()
      try {
        return store.keys(id, await unlockKey(store, way, systemRandom))
      } catch {
        // Not this one.
      }
    }
    return undefined
  } finally {
    store.close()
  }
}
