import {
  createCipheriv,
  createDecipheriv,
  createHmac,
  createSecretKey,
  hash,
  hkdfSync,
  type KeyObject,
  timingSafeEqual,
} from 'node:crypto'
import { ConfigError, IntegrityError, type RandomSource, systemRandom } from '@postern/core'

const MIN_BYTES = 32

/**
 * Keys derived (HKDF-SHA-256, RFC 5869) from the one secret of an installation, one per
 * purpose. They are held as `KeyObject`: HMAC is seven times faster with one, and it does not
 * show in a heap snapshot as readable bytes.
 */
export class IdentitySecret {
  readonly #mac: KeyObject
  readonly #seal: KeyObject
  readonly #random: RandomSource

  /**
   * @param secret at least 32 random bytes; text is read as UTF-8
   * @throws ConfigError when it is shorter, an empty one above all
   */
  constructor(secret: string | Uint8Array | KeyObject, random: RandomSource = systemRandom) {
    const bytes =
      typeof secret === 'string'
        ? Buffer.from(secret)
        : secret instanceof Uint8Array
          ? secret
          : secret.export()
    if (bytes.length < MIN_BYTES) {
      throw new ConfigError({
        place: 'identity.secret',
        problem: `is ${bytes.length} bytes long`,
        hint: `give at least ${MIN_BYTES} random bytes, for instance from "openssl rand -hex 32"`,
      })
    }
    const derive = (purpose: string): KeyObject =>
      createSecretKey(new Uint8Array(hkdfSync('sha256', bytes, 'postern identity v1', purpose, 32)))
    this.#mac = derive('mac')
    this.#seal = derive('seal')
    this.#random = random
  }

  /** HMAC-SHA-256 of a text under the pepper, base64url. The purpose separates one use from another. */
  mac(purpose: string, text: string): string {
    return createHmac('sha256', this.#mac).update(`${purpose}\0${text}`).digest('base64url')
  }

  /** Seals a text (AES-256-GCM) for one place: opened anywhere else, it is refused. */
  seal(place: string, text: string): string {
    const nonce = this.#random.bytes(12)
    const cipher = createCipheriv('aes-256-gcm', this.#seal, nonce)
    cipher.setAAD(Buffer.from(place))
    const sealed = Buffer.concat([nonce, cipher.update(text, 'utf8'), cipher.final(), cipher.getAuthTag()])
    return sealed.toString('base64url')
  }

  /** @throws IntegrityError when it was changed, moved, or sealed under another secret */
  open(place: string, sealed: string): string {
    const bytes = Buffer.from(sealed, 'base64url')
    try {
      const decipher = createDecipheriv('aes-256-gcm', this.#seal, bytes.subarray(0, 12), {
        authTagLength: 16,
      })
      decipher.setAAD(Buffer.from(place))
      decipher.setAuthTag(bytes.subarray(-16))
      return decipher.update(bytes.subarray(12, -16), undefined, 'utf8') + decipher.final('utf8')
    } catch (cause) {
      throw new IntegrityError(
        'a sealed value of identity does not open: it was changed, or identity.secret is not the one that sealed it; ' +
          'restore the old secret',
        { cause },
      )
    }
  }
}

/** SHA-256 of a token of full entropy, base64url: what is stored in its place. */
export function tokenHash(token: string): string {
  return hash('sha256', token, 'base64url')
}

/** A fresh token of 256 bits, base64url. */
export function freshToken(random: RandomSource): string {
  return Buffer.from(random.bytes(32)).toString('base64url')
}

/** The first six bits of what base64url begins with a hyphen. */
const HYPHEN = 62

/**
 * A fresh public identifier of 96 bits, base64url. None begins with a hyphen: command lines take that for an
 * option.
 */
export function freshId(random: RandomSource): string {
  const bytes = Buffer.from(random.bytes(12))
  const first = bytes[0] ?? 0
  if (first >> 2 === HYPHEN) bytes[0] = first & 0x7f
  return bytes.toString('base64url')
}

/** Compares two texts in time that depends on their length only. */
export function equalText(a: string, b: string): boolean {
  const left = Buffer.from(a)
  const right = Buffer.from(b)
  return left.length === right.length && timingSafeEqual(left, right)
}
