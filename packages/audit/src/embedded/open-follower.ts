import { parseVerifierKey } from '../format/note-key.ts'
import type { AuditIndex } from '../index/audit-index.ts'
import type { SubjectKeys } from '../key-store.ts'
import { loadSigningKeys } from '../signing-keys.ts'
import type { FileLayer } from './file-layer.ts'
import { Follower } from './follower.ts'
import { LogFiles, VERIFIER_KEYS } from './log-files.ts'

export interface OpenFollowerOptions {
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
export function openFollower(options: OpenFollowerOptions): Follower {
  const { signers, verifierKeys } = loadSigningKeys(options.keyDirectory, options.origin)
  const log = new LogFiles(options.files, options.directory)
  const known = log.verifierKeys()
  const fresh = verifierKeys.filter(key => !known.includes(key))
  if (fresh.length > 0) log.replace(VERIFIER_KEYS, `${[...known, ...fresh.reverse()].join('\n')}\n`)
  // Only keys that this process holds are trusted as signers of the log it resumes.
  const verifiers = verifierKeys.map(key => parseVerifierKey(key))
  return new Follower({ ...options, signers, verifiers })
}
