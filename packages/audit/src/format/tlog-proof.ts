import { IntegrityError } from '@postern/core'
import { type Checkpoint, openCheckpoint } from './checkpoint.ts'
import { verifyInclusion } from './merkle-proof.ts'
import { leafHash } from './merkle-tree.ts'
import type { NoteVerifier } from './note.ts'
import { decodeBase64 } from './note.ts'
import { HASH_BYTES, type Hash } from './sha256.ts'

const HEADER = 'c2sp.org/tlog-proof@v1'

/** Proves offline that an entry is in a log (C2SP tlog-proof). */
export interface TlogProof {
  readonly index: bigint
  /** From the leaf's sibling up. */
  readonly hashes: readonly Hash[]
  /** Signed checkpoint, verbatim. */
  readonly checkpoint: string
  /** Whatever the writer added; not covered by any signature. */
  readonly extra?: Uint8Array
}

/** A proof as text, for a file ending in `.tlog-proof`. */
export function formatTlogProof({ index, hashes, checkpoint, extra }: TlogProof): string {
  const lines = [HEADER]
  if (extra !== undefined) lines.push(`extra ${Buffer.from(extra).toString('base64')}`)
  lines.push(`index ${index}`, ...hashes.map(hash => Buffer.from(hash).toString('base64')))
  return `${lines.join('\n')}\n\n${checkpoint}`
}

/**
 * Parses a proof.
 * @throws IntegrityError when it is not exactly of the form
 */
export function parseTlogProof(text: string): TlogProof {
  const gap = text.indexOf('\n\n')
  const lines = text.slice(0, Math.max(0, gap)).split('\n')
  if (lines.shift() !== HEADER || gap > 10_000)
    throw new IntegrityError(`proof does not start with "${HEADER}"`)
  let extra: Buffer | undefined
  if (lines[0]?.startsWith('extra ') === true) {
    extra = decodeBase64((lines.shift() ?? '').slice(6))
    if (extra === undefined) throw new IntegrityError('proof has malformed extra data')
  }
  const index = /^index (0|[1-9]\d{0,18})$/.exec(lines.shift() ?? '')
  const hashes = lines.map(line => decodeBase64(line))
  const whole = hashes.filter(hash => hash?.length === HASH_BYTES).filter(hash => hash !== undefined)
  if (index === null || whole.length !== lines.length || lines.length > 63)
    throw new IntegrityError('proof is malformed')
  return {
    index: BigInt(index[1] ?? '0'),
    hashes: whole,
    checkpoint: text.slice(gap + 2),
    ...(extra !== undefined && { extra }),
  }
}

/**
 * Checks that an entry is in the log at the proof's index, and returns the checkpoint that proves it.
 * @param entry the entry's bytes, as in its bundle
 * @throws IntegrityError when it does not, or the checkpoint is not the log's
 */
export function verifyTlogProof(
  text: string,
  entry: Uint8Array,
  verifiers: readonly NoteVerifier[],
  origin?: string,
): Checkpoint {
  const proof = parseTlogProof(text)
  const checkpoint = openCheckpoint(proof.checkpoint, verifiers, origin)
  if (!verifyInclusion(proof.index, checkpoint.size, leafHash(entry), proof.hashes, checkpoint.root))
    throw new IntegrityError(`proof does not show entry ${proof.index} in the tree of ${checkpoint.size}`)
  return checkpoint
}
