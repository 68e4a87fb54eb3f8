import {
  createPrivateKey,
  createPublicKey,
  type KeyObject,
  sign as signBytes,
  verify as verifyBytes,
} from 'node:crypto'
import { ConfigError, type RandomSource, systemRandom } from '@postern/core'
import type { NoteSigner, NoteVerifier } from './note.ts'
import { decodeBase64, isKeyName } from './note.ts'
import { sha256 } from './sha256.ts'

/** Signature types of C2SP signed-note: a log's own signature, a witness's timestamped cosignature. */
const ED25519 = 0x01
/** The signature type of a witness in a note (C2SP tlog-cosignature). */
export const COSIGNATURE_V1 = 0x04

/** A fresh key pair as C2SP writes them: the signer's text is a secret. */
export interface NoteKeyPair {
  /** `PRIVATE+KEY+name+keyid+base64(type || seed)`, as `golang.org/x/mod/sumdb/note` reads it. */
  readonly signerKey: string
  /** `name+keyid+base64(type || public key)`. */
  readonly verifierKey: string
}

/** First four bytes of `SHA-256(name || newline || type || public key)`. */
export function noteKeyId(name: string, type: number, publicKey: Uint8Array): number {
  return Buffer.from(
    sha256(Buffer.concat([Buffer.from(`${name}\n`), Uint8Array.of(type), publicKey])),
  ).readUInt32BE(0)
}

function keyText(name: string, type: number, publicKey: Uint8Array, material: Uint8Array): string {
  const id = noteKeyId(name, type, publicKey).toString(16).padStart(8, '0')
  return `${name}+${id}+${Buffer.concat([Uint8Array.of(type), material]).toString('base64')}`
}

const PKCS8_PREFIX = Buffer.from('302e020100300506032b657004220420', 'hex')
const SPKI_PREFIX = Buffer.from('302a300506032b6570032100', 'hex')

function privateKeyOf(seed: Uint8Array): KeyObject {
  return createPrivateKey({ key: Buffer.concat([PKCS8_PREFIX, seed]), format: 'der', type: 'pkcs8' })
}

function publicBytesOf(key: KeyObject): Buffer {
  return createPublicKey(key).export({ format: 'der', type: 'spki' }).subarray(SPKI_PREFIX.length)
}

/**
 * A new Ed25519 key pair.
 * @param type `0x01` for a log, `0x04` for a witness
 * @throws ConfigError when the name cannot stand in a note
 */
export function generateNoteKey(
  name: string,
  type: typeof ED25519 | typeof COSIGNATURE_V1 = ED25519,
  random: RandomSource = systemRandom,
): NoteKeyPair {
  if (!isKeyName(name)) {
    throw new ConfigError({
      place: 'key name',
      problem: 'must be neither empty nor contain spaces or "+"',
      hint: 'e.g. shop.example.com/audit',
    })
  }
  const seed = random.bytes(32)
  const publicKey = publicBytesOf(privateKeyOf(seed))
  return {
    signerKey: `PRIVATE+KEY+${keyText(name, type, publicKey, seed)}`,
    verifierKey: keyText(name, type, publicKey, publicKey),
  }
}

interface ParsedKey {
  readonly name: string
  readonly id: number
  readonly type: number
  readonly material: Uint8Array
}

function parseKey(text: string, place: string): ParsedKey {
  const parts = /^([^\s+]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/]+={0,2})$/u.exec(text)
  const bytes = decodeBase64(parts?.[3] ?? '')
  const name = parts?.[1] ?? ''
  if (bytes === undefined || bytes.length !== 33 || !isKeyName(name)) {
    throw new ConfigError({
      place,
      problem: 'is not an Ed25519 key in the form name+keyid+base64',
      hint: 'see c2sp.org/signed-note',
    })
  }
  return {
    name,
    id: Number.parseInt(parts?.[2] ?? '', 16),
    type: bytes[0] ?? 0,
    material: bytes.subarray(1),
  }
}

function requireId(key: ParsedKey, publicKey: Uint8Array, place: string): void {
  if (noteKeyId(key.name, key.type, publicKey) !== key.id)
    throw new ConfigError({
      place,
      problem: 'key id does not belong to this name and key',
      hint: 'copy the whole line again',
    })
}

/**
 * An Ed25519 key that a verifier key text names; `check` turns note text and signature into what is signed.
 */
export interface Ed25519Key {
  readonly name: string
  readonly keyId: number
  readonly type: number
  verify(message: Uint8Array, signature: Uint8Array): boolean
}

/**
 * Reads a verifier key text.
 * @throws ConfigError when it is malformed or its id does not fit
 */
export function parseEd25519Key(text: string, place = 'verifier key'): Ed25519Key {
  const parsed = parseKey(text, place)
  requireId(parsed, parsed.material, place)
  const key = createPublicKey({
    key: Buffer.concat([SPKI_PREFIX, parsed.material]),
    format: 'der',
    type: 'spki',
  })
  return {
    name: parsed.name,
    keyId: parsed.id,
    type: parsed.type,
    verify: (message, signature) => signature.length === 64 && verifyBytes(null, message, key, signature),
  }
}

/**
 * Reads a log's verifier key (type `0x01`).
 * @throws ConfigError when it is malformed or of another type
 */
export function parseVerifierKey(text: string, place = 'verifier key'): NoteVerifier {
  const key = parseEd25519Key(text, place)
  if (key.type !== ED25519)
    throw new ConfigError({
      place,
      problem: 'is not a log key (type 1)',
      hint: 'a witness key goes under witnesses',
    })
  return {
    name: key.name,
    keyId: key.keyId,
    verify: (note, signature) => key.verify(Buffer.from(note), signature),
  }
}

/** Name, id, type and raw signing operation of a signer key text. */
export interface Ed25519Signer {
  readonly name: string
  readonly keyId: number
  readonly type: number
  readonly verifierKey: string
  sign(message: Uint8Array): Uint8Array
}

/**
 * Reads a signer key text. The text is a secret and never appears in the error.
 * @throws ConfigError when it is malformed or its id does not fit
 */
export function parseEd25519Signer(text: string, place = 'signer key'): Ed25519Signer {
  if (!text.startsWith('PRIVATE+KEY+'))
    throw new ConfigError({
      place,
      problem: 'does not start with PRIVATE+KEY+',
      hint: 'make one with postern audit key NAME',
    })
  const parsed = parseKey(text.slice('PRIVATE+KEY+'.length), place)
  const key = privateKeyOf(parsed.material)
  const publicKey = publicBytesOf(key)
  requireId(parsed, publicKey, place)
  return {
    name: parsed.name,
    keyId: parsed.id,
    type: parsed.type,
    verifierKey: keyText(parsed.name, parsed.type, publicKey, publicKey),
    sign: message => signBytes(null, message, key),
  }
}

/**
 * A signer of notes from a log's signer key (type `0x01`).
 * @throws ConfigError when it is malformed or of another type
 */
export function parseSignerKey(text: string, place = 'signer key'): NoteSigner {
  const key = parseEd25519Signer(text, place)
  if (key.type !== ED25519)
    throw new ConfigError({
      place,
      problem: 'is not a log key (type 1)',
      hint: 'make one with `postern audit key NAME`',
    })
  return {
    name: key.name,
    keyId: key.keyId,
    verifierKey: key.verifierKey,
    sign: note => ({ name: key.name, keyId: key.keyId, signature: key.sign(Buffer.from(note)) }),
  }
}
