import { IntegrityError } from '@postern/core'
import type { NoteSigner, NoteVerifier } from './note.ts'
import { decodeBase64, signNote, verifyNote } from './note.ts'
import { HASH_BYTES, type Hash } from './sha256.ts'

/** A tree head (C2SP tlog-checkpoint). */
export interface Checkpoint {
  /** Unique name of the log. */
  readonly origin: string
  /** Number of entries. */
  readonly size: bigint
  readonly root: Hash
  /** Further lines; the logs of Postern write none. */
  readonly extensions: readonly string[]
}

const SIZE = /^(?:0|[1-9]\d{0,18})$/

/** The text of a checkpoint, without signatures. */
export function formatCheckpoint({ origin, size, root, extensions }: Checkpoint): string {
  return `${[origin, size.toString(), Buffer.from(root).toString('base64'), ...extensions].join('\n')}\n`
}

/**
 * Reads the text of a checkpoint.
 * @throws IntegrityError when it is not exactly of the form
 */
export function parseCheckpoint(text: string): Checkpoint {
  const [origin = '', size = '', rootText = '', ...rest] = text.split('\n')
  const root = decodeBase64(rootText)
  const isWhole = rest.at(-1) === '' && rest.slice(0, -1).every(line => line !== '')
  if (origin === '' || !SIZE.test(size) || root?.length !== HASH_BYTES || !isWhole)
    throw new IntegrityError('checkpoint is malformed')
  const count = BigInt(size)
  if (count > 2n ** 63n - 1n) throw new IntegrityError('checkpoint is malformed: size is beyond 2^63 - 1')
  return { origin, size: count, root, extensions: rest.slice(0, -1) }
}

/** Signs a tree head. */
export function signCheckpoint(
  head: Pick<Checkpoint, 'origin' | 'size' | 'root'>,
  signers: readonly NoteSigner[],
): string {
  return signNote(formatCheckpoint({ ...head, extensions: [] }), signers)
}

/**
 * The tree head of a signed checkpoint.
 * @throws IntegrityError when no given key signed it, a signature does not hold, the text
 *   is malformed or names another origin
 */
export function openCheckpoint(
  note: string,
  verifiers: readonly NoteVerifier[],
  origin?: string,
): Checkpoint {
  const checkpoint = parseCheckpoint(verifyNote(note, verifiers).text)
  if (origin !== undefined && checkpoint.origin !== origin)
    throw new IntegrityError(`checkpoint is of the log "${checkpoint.origin.slice(0, 100)}", not "${origin}"`)
  return checkpoint
}
