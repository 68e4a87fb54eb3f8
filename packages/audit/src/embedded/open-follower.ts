import { join } from 'node:path'
import { KeyStore, type SubjectKeys } from '../entry/key-store.ts'
import { disk, type FileLayer } from '../files/file-layer.ts'
import { INDEX, LogFiles, VERIFIER_KEYS } from '../files/log-files.ts'
import { parseVerifierKey } from '../format/note-key.ts'
import { AuditIndex } from '../index/audit-index.ts'
import { loadSigningKeys, noteKeyInUse } from '../log/signing-keys.ts'
import { Follower } from './follower.ts'
import { SUBJECT_KEYS } from './lost-keys.ts'

/** Where a follower finds the log that it resumes. */
export interface FollowerPlace {
  readonly directory: string
  readonly keyDirectory: string
  readonly origin: string
  /** Milliseconds. */
  readonly forgetAnonymousAfter?: number
}

interface OpenFollowerOptions {
  readonly files: FileLayer
  readonly directory: string
  readonly keyDirectory: string
  readonly origin: string
  readonly keys: SubjectKeys
  readonly index: AuditIndex
  readonly forgetAnonymousAfter?: number
}

/**
 * A follower with the log's own keys. The directory keeps a list of every verifier key that
 * ever signed, newest last, so that a rotation does not make older proofs unreadable;
 * verifiers get the keys from elsewhere.
 */
function openFollower(options: OpenFollowerOptions): Follower {
  const { signers, verifierKeys } = loadSigningKeys(options.keyDirectory, options.origin)
  const log = new LogFiles(options.files, options.directory)
  const known = log.verifierKeys()
  const fresh = verifierKeys.filter(key => !known.includes(key))
  if (fresh.length > 0) log.replace(VERIFIER_KEYS, `${[...known, ...fresh.reverse()].join('\n')}\n`)
  // Only keys that this process holds are trusted as signers of the log it resumes.
  const verifiers = verifierKeys.map(key => parseVerifierKey(key))
  const follower = new Follower({ ...options, signers, verifiers })
  const [newest] = verifierKeys
  if (newest !== undefined) noteKeyInUse(options.keyDirectory, newest)
  return follower
}

/** A follower over the files of a log on the disk, with the databases that it opened. */
export interface OpenedFollower {
  readonly follower: Follower
  close(): void
}

/**
 * Resumes a log on the disk.
 * @throws IntegrityError, StoreError when it cannot be resumed
 */
export function openFollowerAt(place: FollowerPlace): OpenedFollower {
  const keys = KeyStore.open(join(place.keyDirectory, SUBJECT_KEYS))
  const opened: { close(): void }[] = [keys]
  try {
    const index = AuditIndex.open(join(place.directory, INDEX), keys)
    opened.push(index)
    const follower = openFollower({ ...place, files: disk, keys, index })
    return {
      follower,
      close: () => {
        follower.close()
        keys.close()
      },
    }
  } catch (error) {
    for (const part of opened.reverse()) part.close()
    throw error
  }
}
