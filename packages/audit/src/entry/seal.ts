import { createCipheriv, createDecipheriv, createSecretKey, type KeyObject } from 'node:crypto'
import { IntegrityError } from '@postern/core'
import { sha256 } from '../format/sha256.ts'
import type { PersonalPart, Sealed } from './entry.ts'

const NONCE_BYTES = 12
const TAG_BYTES = 16

/** The key of one subject. Destroying it erases everything it sealed. */
export interface SubjectKey {
  /** 16 random bytes, hex. */
  readonly id: string
  /** 32 bytes. */
  readonly key: Uint8Array
}

/** What a box belongs to: a box moved to another log, place or subject does not open. */
export interface SealContext {
  readonly origin: string
  readonly index: number
}

function additionalData({ origin, index }: SealContext, keyId: string): Buffer {
  return Buffer.from(`postern audit v1\n${origin}\n${index}\n${keyId}`)
}

/**
 * The nonce of a place in the log: random bytes of its group, which are durable with it, and its index. So
 * sealing again after a crash gives the same bytes, and a directory restored from an old copy, which assigns
 * indexes twice, never uses a nonce twice.
 */
export function sealNonce(salt: Uint8Array, index: number): Uint8Array {
  const bytes = Buffer.alloc(salt.length + 8)
  bytes.set(salt)
  bytes.writeBigUInt64BE(BigInt(index), salt.length)
  return sha256(bytes).subarray(0, NONCE_BYTES)
}

/**
 * Node imports raw bytes again for every cipher, which takes four times as long as
 * the sealing (measured on Node 24).
 */
const imported = new WeakMap<SubjectKey, KeyObject>()

function importedKey(subject: SubjectKey): KeyObject {
  let key = imported.get(subject)
  if (key === undefined) {
    key = createSecretKey(subject.key)
    imported.set(subject, key)
  }
  return key
}

/** Seals a personal part with AES-256-GCM. */
export function sealPersonal(
  personal: PersonalPart,
  subject: SubjectKey,
  nonce: Uint8Array,
  context: SealContext,
): Sealed {
  const bytes = sealBytes(Buffer.from(JSON.stringify(personal), 'utf8'), subject, nonce, context)
  return { key: subject.id, box: bytes.toString('base64') }
}

/** Seals bytes of one subject with AES-256-GCM. @returns nonce, ciphertext and tag */
export function sealBytes(
  content: Uint8Array,
  subject: SubjectKey,
  nonce: Uint8Array,
  context: SealContext,
): Buffer {
  const cipher = createCipheriv('aes-256-gcm', importedKey(subject), nonce)
  cipher.setAAD(additionalData(context, subject.id))
  return Buffer.concat([nonce, cipher.update(content), cipher.final(), cipher.getAuthTag()])
}

/**
 * Opens a box.
 * @throws IntegrityError when it was changed or belongs elsewhere
 */
export function openPersonal(sealed: Sealed, key: SubjectKey, context: SealContext): PersonalPart {
  try {
    return JSON.parse(openText(sealed, key, context)) as PersonalPart
  } catch {
    throw new IntegrityError(`entry ${context.index}: the sealed part does not open with its subject's key`)
  }
}

/**
 * Opens a text that was sealed.
 * @throws IntegrityError when it was changed or belongs elsewhere
 */
export function openText({ box }: Sealed, key: SubjectKey, context: SealContext): string {
  return openBytes(Buffer.from(box, 'base64'), key, context).toString('utf8')
}

/**
 * Opens what `sealBytes` sealed.
 * @throws IntegrityError when it was changed or belongs elsewhere
 */
export function openBytes(bytes: Uint8Array, key: SubjectKey, context: SealContext): Buffer {
  try {
    const decipher = createDecipheriv('aes-256-gcm', importedKey(key), bytes.subarray(0, NONCE_BYTES), {
      authTagLength: TAG_BYTES,
    })
    decipher.setAAD(additionalData(context, key.id))
    decipher.setAuthTag(bytes.subarray(-TAG_BYTES))
    const content = decipher.update(bytes.subarray(NONCE_BYTES, -TAG_BYTES))
    // The cipher is a stream: it keeps nothing back, and the end only checks the tag.
    decipher.final()
    return content
  } catch {
    throw new IntegrityError(`entry ${context.index}: the sealed part does not open with its subject's key`)
  }
}
