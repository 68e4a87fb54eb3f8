import * as HPKE from 'hpke'
import { type Bytes, concat, fromBase64, hkdf, randomBytes, toBase64, utf8, type WebKey } from './bytes.ts'
import { HeldError } from './held-error.ts'

/**
 * How keys are wrapped for a member: X25519, or X-Wing (X25519 and ML-KEM-768) where the runtime has both.
 */
export type HeldSuite = 'x25519' | 'x-wing'

/** What everybody may know of a member; texts are base64url. */
export interface PublicMember {
  readonly suite: HeldSuite
  /** HPKE public key. */
  readonly encryption: string
  /** Ed25519 public key. */
  readonly signing: string
}

const PKCS8_ED25519 = Uint8Array.of(0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, 0x20)

/** The HPKE suite of a name (RFC 9180; X-Wing as in the draft for post-quantum HPKE). */
export function hpkeSuite(suite: HeldSuite): HPKE.CipherSuite {
  const kem =
    suite === 'x-wing' ? HPKE.KEM_MLKEM768_X25519 : (HPKE.KEM_DHKEM_X25519_HKDF_SHA256 as HPKE.KEMFactory)
  return new HPKE.CipherSuite(kem, HPKE.KDF_HKDF_SHA256, HPKE.AEAD_AES_256_GCM)
}

/** A member whose secret is unlocked in this page: opens what is granted to it, and signs what it grants. */
export class Member {
  readonly public: PublicMember
  readonly #keys: HPKE.KeyPair
  readonly #signing: WebKey
  readonly #root: Bytes

  private constructor(made: { public: PublicMember; keys: HPKE.KeyPair; signing: WebKey; root: Bytes }) {
    this.public = made.public
    this.#keys = made.keys
    this.#signing = made.signing
    this.#root = made.root
  }

  /** A new member. Its 32 byte root secret comes from the browser's generator. */
  static create(suite: HeldSuite = 'x25519'): Promise<Member> {
    return Member.fromRoot(randomBytes(32), suite)
  }

  /** A member from its root secret: after unlocking or recovering it. The private keys cannot be exported. */
  static async fromRoot(root: Uint8Array, suite: HeldSuite): Promise<Member> {
    if (root.length !== 32) throw new HeldError('member: a root secret is 32 bytes long')
    const own = concat(root)
    const hpke = hpkeSuite(suite)
    const keys = await hpke.DeriveKeyPair(await hkdf(own, 'postern vault member encryption 1', 64), false)
    const seed = await hkdf(own, 'postern vault member signing 1', 32)
    const pkcs8 = concat(PKCS8_ED25519, seed)
    const exportable = await crypto.subtle.importKey('pkcs8', pkcs8, 'Ed25519', true, ['sign'])
    const { x } = await crypto.subtle.exportKey('jwk', exportable)
    const signing = await crypto.subtle.importKey('pkcs8', pkcs8, 'Ed25519', false, ['sign'])
    const encryption = toBase64(await hpke.SerializePublicKey(keys.publicKey))
    return new Member({ public: { suite, encryption, signing: x ?? '' }, keys, signing, root: own })
  }

  /** The root secret, for wrapping it. It is everything this member can read. */
  exportRoot(): Uint8Array {
    return this.#root.slice()
  }

  async sign(message: Bytes): Promise<Bytes> {
    return new Uint8Array(await crypto.subtle.sign('Ed25519', this.#signing, message))
  }

  /** Opens an HPKE message to this member. @throws HeldError */
  async open(encapsulated: Uint8Array, ciphertext: Uint8Array, info: Uint8Array): Promise<Uint8Array> {
    try {
      return await hpkeSuite(this.public.suite).Open(this.#keys, encapsulated, ciphertext, { info })
    } catch {
      throw new HeldError('member: this was not sealed to this member, or was changed')
    }
  }
}

/** Whether a signature is by this member. */
export async function verifyMember(member: PublicMember, message: Bytes, signature: Bytes): Promise<boolean> {
  const key = await crypto.subtle.importKey('raw', fromBase64(member.signing), 'Ed25519', false, ['verify'])
  return crypto.subtle.verify('Ed25519', key, signature, message)
}

/**
 * What two people compare, by phone, before one grants the other anything: the server could put its
 * own keys in a member's place. 60 digits: 199 bits of SHA-256.
 */
export async function memberFingerprint({ suite, encryption, signing }: PublicMember): Promise<string> {
  const text = utf8(`postern vault member 1\n${suite}\n${encryption}\n${signing}`)
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', text))
  let number = digest.reduce((sum, byte) => sum * 256n + BigInt(byte), 0n)
  const groups: string[] = []
  for (let i = 0; i < 12; i++) {
    groups.push(`${number % 100_000n}`.padStart(5, '0'))
    number /= 100_000n
  }
  return groups.join(' ')
}
