import type { KeyObject } from 'node:crypto'
import { publicKeyOf, type SigningKey, verifyBytes } from '../primitive/ed25519.ts'
import { parseSigned, signText } from './signed-text.ts'

/**
 * Who somebody is, for a while: a public key, and that it is this person's. Signed by an enroller, whom the
 * holders know; the application's identity provider, or a session that a person began.
 */
export interface IdentityStatement {
  readonly actor: string
  /** Ed25519 public key of the person or of the session, base64url. */
  readonly key: string
  /** Epoch milliseconds. */
  readonly notAfter: number
}

/** A statement that holds. */
export interface VerifiedIdentity {
  readonly actor: string
  readonly key: KeyObject
  readonly notAfter: number
}

/** Why a statement does not hold. */
export type IdentityFault = 'malformed' | 'identity' | 'identity expired'

const LABEL = 'postern vault identity 1\n'
/** Statements remembered at most, and the longest that is. */
const MAX_REMEMBERED = 10_000
const MAX_REMEMBERED_TEXT = 2_048

/** Signs that a key is a person's, until a time. */
export function signIdentity(enroller: SigningKey, statement: IdentityStatement): string {
  return signText(enroller, LABEL, { ...statement })
}

/**
 * Verifies statements, and remembers those that held: a person shows the same one with every capability of a
 * session, and its signature is half of what a capability costs. Whether it has expired is asked each time.
 */
export class Identities {
  readonly #enrollers: readonly KeyObject[]
  readonly #remembered = new Map<string, VerifiedIdentity>()

  /** @param enrollers public keys of enrollers, base64url */
  constructor(enrollers: readonly string[]) {
    this.#enrollers = enrollers.map(key => publicKeyOf(Buffer.from(key, 'base64url')))
  }

  verify(text: string, now: number): VerifiedIdentity | IdentityFault {
    const known = this.#remembered.get(text)
    const identity = known ?? this.#verify(text)
    if (typeof identity === 'string') return identity
    if (identity.notAfter <= now) {
      this.#remembered.delete(text)
      return 'identity expired'
    }
    if (known === undefined && text.length <= MAX_REMEMBERED_TEXT) this.#remember(text, identity)
    return identity
  }

  #remember(text: string, identity: VerifiedIdentity): void {
    this.#remembered.set(text, identity)
    for (const oldest of this.#remembered.keys()) {
      if (this.#remembered.size <= MAX_REMEMBERED) break
      this.#remembered.delete(oldest)
    }
  }

  #verify(text: string): VerifiedIdentity | IdentityFault {
    const statement = parseSigned(text)
    if (statement === undefined) return 'malformed'
    const { actor, key, notAfter } = statement.body
    if (typeof actor !== 'string' || actor === '' || actor.length > 256) return 'malformed'
    if (typeof key !== 'string' || typeof notAfter !== 'number') return 'malformed'
    const publicKey = Buffer.from(key, 'base64url')
    if (publicKey.length !== 32) return 'malformed'
    const bytes = Buffer.from(LABEL + statement.json)
    return this.#enrollers.some(enroller => verifyBytes(enroller, bytes, statement.signature))
      ? { actor, key: publicKeyOf(publicKey), notAfter }
      : 'identity'
  }
}
