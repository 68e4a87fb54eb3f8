import {
  createCipheriv,
  createDecipheriv,
  createHash,
  createSecretKey,
  hkdfSync,
  type KeyObject,
} from 'node:crypto'
import type { RandomSource } from '@postern/core'

/** Seals the backend's cookies for the store. */
export interface CookieSeal {
  seal(value: string, id: string): string
  /** undefined for what was not sealed here for this session */
  open(sealed: string, id: string): string | undefined
}

/**
 * AES-256-GCM under a key derived from the secret; the session's id is authenticated along,
 * so sealed values cannot change places.
 */
export function cookieSeal(secret: Uint8Array, random: RandomSource): CookieSeal {
  const key: KeyObject = createSecretKey(
    new Uint8Array(hkdfSync('sha256', secret, '', 'postern bound cookie', 32)),
  )
  return {
    seal: (value, id) => {
      const nonce = random.bytes(12)
      const cipher = createCipheriv('aes-256-gcm', key, nonce)
      cipher.setAAD(Buffer.from(id))
      const body = Buffer.concat([cipher.update(value, 'utf8'), cipher.final()])
      return Buffer.concat([nonce, body, cipher.getAuthTag()]).toString('base64url')
    },
    open: (sealed, id) => {
      const bytes = Buffer.from(sealed, 'base64url')
      if (bytes.length < 28) return undefined
      try {
        const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, 12))
        decipher.setAAD(Buffer.from(id))
        decipher.setAuthTag(bytes.subarray(-16))
        return Buffer.concat([decipher.update(bytes.subarray(12, -16)), decipher.final()]).toString('utf8')
      } catch {
        return undefined
      }
    },
  }
}

/** SHA-256 of a secret, base64url: secrets are random, so nothing slower is needed. */
export function digestOf(text: string): string {
  return createHash('sha256').update(text).digest('base64url')
}
