import { closeSync, fsyncSync, openSync, realpathSync, renameSync, rmSync, writeSync } from 'node:fs'
import { dirname } from 'node:path'
import { ConfigError, errorCode } from '@postern/core'
import { giveToOwnerOf, syncDirectory } from '@postern/store'
import { LocalKeys } from '../local/local-keys.ts'
import { checkKnownKeys } from './known-keys.ts'
import { openVaultDatabase } from './open-vault.ts'
import type { VaultFile } from './vault-file.ts'

/**
 * Adds a key to the key file, which seals from now on. The file is replaced at once or not at all; where the
 * vault has a database, no other server has made a key of this number. A rotation that was interrupted is
 * finished by the next one, with its key.
 * @returns the epoch of the new key
 * @throws ConfigError, StoreError: then the file is the old one
 */
export async function rotateLocalKeys(file: VaultFile): Promise<number> {
  if (file.keys === undefined)
    throw new ConfigError({
      place: `${file.path}: keys`,
      problem: 'is missing',
      hint: 'the keys of holders rotate with: postern holder ask CONFIG begin-epoch N',
    })
  // What is replaced is the file, and not a link to it.
  const path = realpathSync(file.keys)
  const next = `${path}.new`
  const keys = begin(path, next)
  if (file.database !== undefined) {
    const { client, close } = await openVaultDatabase(file)
    try {
      await checkKnownKeys(client, keys, file.keys)
    } catch (error) {
      // Nobody was given this key.
      if (error instanceof ConfigError) rmSync(next, { force: true })
      throw error
    } finally {
      await close()
    }
  }
  renameSync(next, path)
  // Processes seal with the new key as soon as they are given it: it must not be gone after a power failure.
  syncDirectory(dirname(path))
  return keys.current
}

/**
 * Makes the file that the new keys go into, or fails: of two rotations at the same time one would lose the
 * key that the other has given to processes already, and a file that somebody else put there others may read.
 */
function begin(path: string, next: string): LocalKeys {
  let handle: number
  try {
    handle = openSync(next, 'wx', 0o600)
  } catch (error) {
    const left = errorCode(error) === 'EEXIST' ? leftBehind(path, next) : undefined
    if (left !== undefined) return left
    throw new ConfigError({
      place: next,
      problem: 'already exists, or its folder cannot be written to',
      hint: 'remove it if no other rotation is running',
    })
  }
  try {
    const keys = LocalKeys.read(path).rotated()
    giveToOwnerOf(path, handle)
    const bytes = Buffer.from(keys.format())
    for (let at = 0; at < bytes.length; ) at += writeSync(handle, bytes, at)
    fsyncSync(handle)
    return keys
  } catch (error) {
    rmSync(next, { force: true })
    throw error
  } finally {
    closeSync(handle)
  }
}

/** The keys of a rotation that was interrupted: those of now and one more. */
function leftBehind(path: string, next: string): LocalKeys | undefined {
  try {
    const now = LocalKeys.read(path)
    const left = LocalKeys.read(next)
    return left.current === now.current + 1 && left.without(left.current).equals(now) ? left : undefined
  } catch (error) {
    if (error instanceof ConfigError) return undefined
    throw error
  }
}
