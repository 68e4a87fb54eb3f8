import { IntegrityError } from '@postern/core'

/** Bounds on what is parsed, far above what a checkpoint with its cosignatures needs. */
const MAX_NOTE_BYTES = 100_000
const MAX_SIGNATURES = 100

/** One line `— name base64(keyId || signature)` of a signed note. */
export interface NoteSignature {
  readonly name: string
  readonly keyId: number
  readonly signature: Uint8Array
}

/**
 * A text and the signatures under it (C2SP signed-note). Do not trust anything in it
 * before `verifyNote` succeeded.
 */
export interface Note {
  /** Ends in a newline. */
  readonly text: string
  readonly signatures: readonly NoteSignature[]
}

const LINE = /^— (\S+) ([A-Za-z0-9+/]+={0,2})$/u

/** Whether a name may stand in a signature line: not empty, no space, no plus. */
export function isKeyName(name: string): boolean {
  return name !== '' && name.length <= 255 && !/[\s+]/u.test(name) && !/[\u0000-\u001f\u007f]/.test(name)
}

/**
 * Parses a signed note.
 * @throws IntegrityError when it is not exactly of the form
 */
export function parseNote(note: string): Note {
  if (note.length > MAX_NOTE_BYTES)
    throw new IntegrityError(`note is longer than ${MAX_NOTE_BYTES} characters`)
  if (/[\u0000-\u0009\u000b-\u001f]/.test(note)) throw new IntegrityError('note has a control character')
  const gap = note.lastIndexOf('\n\n')
  if (gap < 0 || !note.endsWith('\n')) throw new IntegrityError('note has no signatures')
  const lines = note.slice(gap + 2, -1).split('\n')
  if (lines.length > MAX_SIGNATURES)
    throw new IntegrityError(`note has more than ${MAX_SIGNATURES} signatures`)
  return { text: note.slice(0, gap + 1), signatures: lines.map(parseSignatureLine) }
}

/**
 * Parses one signature line (without its newline).
 * @throws IntegrityError when it is not exactly of the form
 */
export function parseSignatureLine(line: string): NoteSignature {
  const parts = LINE.exec(line)
  const name = parts?.[1] ?? ''
  const bytes = decodeBase64(parts?.[2] ?? '')
  if (bytes === undefined || bytes.length < 5 || !isKeyName(name))
    throw new IntegrityError('note has a malformed signature line')
  return { name, keyId: bytes.readUInt32BE(0), signature: bytes.subarray(4) }
}

/** Bytes of canonical base64 (RFC 4648 section 4), or undefined: one byte string has one text. */
export function decodeBase64(text: string): Buffer | undefined {
  const bytes = Buffer.from(text, 'base64')
  return bytes.toString('base64') === text ? bytes : undefined
}

/** One signature line, with its newline. */
export function formatSignatureLine({ name, keyId, signature }: NoteSignature): string {
  const bytes = Buffer.alloc(4 + signature.length)
  bytes.writeUInt32BE(keyId)
  bytes.set(signature, 4)
  return `— ${name} ${bytes.toString('base64')}\n`
}

/** Assembles a note from its parts. */
function formatNote({ text, signatures }: Note): string {
  return `${text}\n${signatures.map(formatSignatureLine).join('')}`
}

/** Signs a text (ending in a newline) with every signer. */
export function signNote(text: string, signers: readonly NoteSigner[]): string {
  return formatNote({ text, signatures: signers.map(signer => signer.sign(text)) })
}

/**
 * The note, with only the signatures that the given keys made.
 * @throws IntegrityError when a known key's signature does not hold, or no known key signed
 */
export function verifyNote(note: string, verifiers: readonly NoteVerifier[]): Note {
  const { text, signatures } = parseNote(note)
  const good: NoteSignature[] = []
  for (const signature of signatures) {
    const verifier = verifiers.find(key => key.name === signature.name && key.keyId === signature.keyId)
    if (verifier === undefined || good.some(known => isSameKey(known, signature))) continue
    if (!verifier.verify(text, signature.signature))
      throw new IntegrityError(`signature of "${verifier.name}" is invalid`)
    good.push(signature)
  }
  if (good.length === 0) throw new IntegrityError('note is not signed by a known key')
  return { text, signatures: good }
}

function isSameKey(a: NoteSignature, b: NoteSignature): boolean {
  return a.name === b.name && a.keyId === b.keyId
}

/** Can check one key's signatures. */
export interface NoteVerifier {
  readonly name: string
  readonly keyId: number
  /** Whether `signature` (without the key id) is this key's over the note text. Never throws. */
  verify(text: string, signature: Uint8Array): boolean
}

/** Signs notes (C2SP signed-note) with one key. */
export interface NoteSigner {
  readonly name: string
  readonly keyId: number
  /** Verifier key in text: `name+keyid+base64`. */
  readonly verifierKey: string
  sign(text: string): NoteSignature
}
