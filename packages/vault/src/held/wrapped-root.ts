import { ristretto255, ristretto255_oprf } from '@noble/curves/ed25519.js'
import { argon2idAsync } from '@noble/hashes/argon2.js'
import { type Bytes, concat, fromBase64, hkdf, randomBytes, toBase64, utf8, type WebKey } from './bytes.ts'
import { HeldError } from './held-error.ts'
import { type HeldSuite, Member } from './member.ts'

/** Work of argon2id. Memory in KiB. */
export interface Argon2Work {
  readonly memory: number
  readonly passes: number
}

/**
 * 19 MiB, two passes: what a phone does in about a second (OWASP's second
 * choice; RFC 9106 for the function).
 */
const DEFAULT_WORK: Argon2Work = { memory: 19_456, passes: 2 }

const SALT_BYTES = 16
const NONCE_BYTES = 12
/** A root secret of 32 bytes and its tag. */
const CIPHERTEXT_BYTES = 48

/** A member's root secret under a password, a passkey or a code: stored on the server, of no use to it. */
export interface WrappedRoot {
  readonly kind: 'password' | 'passkey' | 'code'
  readonly suite: HeldSuite
  readonly salt: string
  readonly work?: Argon2Work
  /** Epoch of the holders' keys that hardened the password. */
  readonly epoch?: number
  readonly nonce: string
  readonly ciphertext: string
}

/**
 * Asks the holders, through the application, to harden a blinded password: three group elements, one per
 * part. They learn nothing of the password and allow few guesses per user.
 */
export type Harden = (blinded: Uint8Array) => Promise<{
  readonly epoch: number
  readonly parts: readonly [Uint8Array, Uint8Array, Uint8Array]
}>

/**
 * Wraps a member's secret under a password that the holders harden: a stolen
 * database allows no guessing offline.
 */
export async function wrapWithPassword(
  member: Member,
  password: string,
  harden: Harden,
  work: Argon2Work = DEFAULT_WORK,
): Promise<WrappedRoot> {
  const salt = randomBytes(SALT_BYTES)
  const { key, epoch } = await passwordKey(password, salt, harden, work)
  return { ...(await wrap(member, 'password', key, salt)), work, epoch }
}

/**
 * Wraps it under the output of a passkey's PRF extension (WebAuthn `prf`, 32 bytes),
 * which is as good as a key.
 */
export async function wrapWithPasskey(member: Member, prfOutput: Uint8Array): Promise<WrappedRoot> {
  if (prfOutput.length < 32) throw new HeldError('passkey: its PRF output has 32 bytes')
  const salt = randomBytes(SALT_BYTES)
  return wrap(member, 'passkey', await secretKey(prfOutput, salt, 'passkey'), salt)
}

/** Wraps it under a fresh recovery code, to be printed: 160 bits, in groups, with a check. */
export async function wrapWithCode(
  member: Member,
): Promise<{ readonly code: string; readonly wrapped: WrappedRoot }> {
  const secret = randomBytes(20)
  const salt = randomBytes(SALT_BYTES)
  const wrapped = await wrap(member, 'code', await secretKey(secret, salt, 'code'), salt)
  return { code: await formatCode(secret), wrapped }
}

/** Unlocks with a password. @throws HeldError when it is wrong */
export async function unlockWithPassword(
  wrapped: WrappedRoot,
  password: string,
  harden: Harden,
): Promise<Member> {
  const { salt, work } = taken(wrapped, 'password')
  // What a server may ask a browser to spend is bounded, and a change for the weaker changes the key.
  if (work === undefined || !isCount(work.memory, 8, 1_048_576) || !isCount(work.passes, 1, 20))
    throw damaged()
  const { key } = await passwordKey(password, salt, harden, work)
  return unwrap(wrapped, key)
}

/** Unlocks with a passkey's PRF output. @throws HeldError when it is another passkey */
export async function unlockWithPasskey(wrapped: WrappedRoot, prfOutput: Uint8Array): Promise<Member> {
  const { salt } = taken(wrapped, 'passkey')
  return unwrap(wrapped, await secretKey(prfOutput, salt, 'passkey'))
}

/**
 * Unlocks with a printed code. Spaces, dashes and case do not matter. @throws
 * HeldError naming a mistyped code
 */
export async function unlockWithCode(wrapped: WrappedRoot, code: string): Promise<Member> {
  const { salt } = taken(wrapped, 'code')
  return unwrap(wrapped, await secretKey(await parseCode(code), salt, 'code'))
}

async function passwordKey(
  password: string,
  salt: Bytes,
  harden: Harden,
  work: Argon2Work,
): Promise<{ readonly key: WebKey; readonly epoch: number }> {
  const input = utf8(password.normalize('NFKC'))
  const { blind, blinded } = ristretto255_oprf.oprf.blind(input)
  const [{ parts, epoch }, stretched] = await Promise.all([
    harden(blinded),
    argon2idAsync(input, salt, { m: work.memory, t: work.passes, p: 1, dkLen: 32 }),
  ])
  const hardened = ristretto255_oprf.oprf.finalize(input, blind, sumOf(parts))
  return { key: await secretKey(concat(stretched, hardened), salt, 'password'), epoch }
}

/**
 * The holders' three elements added up.
 * @throws HeldError when one is not an element of the group, or is the identity, which hardens nothing
 */
function sumOf(parts: readonly Uint8Array[]): Uint8Array {
  try {
    const points = parts.map(part => ristretto255.Point.fromBytes(part))
    const sum = points.reduce((total, point) => total.add(point), ristretto255.Point.ZERO)
    if (points.length === 3 && ![...points, sum].some(point => point.is0())) return sum.toBytes()
  } catch {
    // Said below.
  }
  throw new HeldError('password: what the holders answered is not three group elements')
}

async function secretKey(secret: Uint8Array, salt: Bytes, kind: WrappedRoot['kind']): Promise<WebKey> {
  const bytes = await hkdf(concat(secret, salt), `postern vault wrap ${kind} 1`, 32)
  return crypto.subtle.importKey('raw', bytes, 'AES-GCM', false, ['encrypt', 'decrypt'])
}

async function wrap(
  member: Member,
  kind: WrappedRoot['kind'],
  key: WebKey,
  salt: Bytes,
): Promise<WrappedRoot> {
  const nonce = randomBytes(NONCE_BYTES)
  const { suite } = member.public
  const parameters = { name: 'AES-GCM', iv: nonce, additionalData: utf8(`${kind} ${suite}`) }
  const ciphertext = await crypto.subtle.encrypt(parameters, key, concat(member.exportRoot()))
  return {
    kind,
    suite,
    salt: toBase64(salt),
    nonce: toBase64(nonce),
    ciphertext: toBase64(new Uint8Array(ciphertext)),
  }
}

async function unwrap(wrapped: WrappedRoot, key: WebKey): Promise<Member> {
  const { kind, suite } = wrapped
  const { nonce, ciphertext } = taken(wrapped, kind)
  const parameters = { name: 'AES-GCM', iv: nonce, additionalData: utf8(`${kind} ${suite}`) }
  let root: ArrayBuffer
  try {
    root = await crypto.subtle.decrypt(parameters, key, ciphertext)
  } catch {
    throw new HeldError(`wrapped secret: this ${kind} does not open it`)
  }
  return Member.fromRoot(new Uint8Array(root), suite)
}

/**
 * What a server stored, taken apart. AES-GCM does not commit to its key: a longer ciphertext can be made to
 * open under as many keys as it has blocks, and a server that answers in place of the holders would learn
 * from one attempt to unlock whether the password is among as many guesses.
 * @throws HeldError when it is of another kind, or anything in it has not its length
 */
function taken(
  wrapped: WrappedRoot,
  kind: WrappedRoot['kind'],
): {
  readonly salt: Bytes
  readonly nonce: Bytes
  readonly ciphertext: Bytes
  readonly work: Argon2Work | undefined
} {
  if (wrapped.kind !== kind)
    throw new HeldError(`wrapped secret: it opens with a ${wrapped.kind}, not with a ${kind}`)
  if (wrapped.suite !== 'x25519' && wrapped.suite !== 'x-wing') throw damaged()
  return {
    salt: bytesOf(wrapped.salt, SALT_BYTES),
    nonce: bytesOf(wrapped.nonce, NONCE_BYTES),
    ciphertext: bytesOf(wrapped.ciphertext, CIPHERTEXT_BYTES),
    work: wrapped.work,
  }
}

function bytesOf(text: string, length: number): Bytes {
  let bytes: Bytes | undefined
  try {
    bytes = fromBase64(text)
  } catch {
    // Said below.
  }
  if (bytes?.length !== length) throw damaged()
  return bytes
}

function isCount(value: number, least: number, most: number): boolean {
  return Number.isInteger(value) && value >= least && value <= most
}

function damaged(): HeldError {
  return new HeldError('wrapped secret: damaged')
}

/** Letters and digits that are not taken for one another (Crockford). */
const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ'
const CODE_LENGTH = 36

/** 160 bits and 20 bits of check as nine groups of four. */
async function formatCode(secret: Bytes): Promise<string> {
  const check = new Uint8Array(await crypto.subtle.digest('SHA-256', secret)).subarray(0, 3)
  let number = concat(secret, check).reduce((sum, byte) => sum * 256n + BigInt(byte), 0n) >> 4n
  let text = ''
  for (let i = 0; i < CODE_LENGTH; i++) {
    text = (ALPHABET[Number(number % 32n)] ?? '') + text
    number /= 32n
  }
  return text.replace(/.{4}(?=.)/g, '$&-')
}

async function parseCode(code: string): Promise<Bytes> {
  const text = code.toUpperCase().replace(/[\s-]/g, '').replaceAll('O', '0').replace(/[IL]/g, '1')
  const isWhole = text.length === CODE_LENGTH && [...text].every(character => ALPHABET.includes(character))
  let number = isWhole
    ? [...text].reduce((sum, character) => sum * 32n + BigInt(ALPHABET.indexOf(character)), 0n)
    : 0n
  number >>= 20n
  const secret = new Uint8Array(20)
  for (let i = 19; i >= 0; i--) {
    secret[i] = Number(number & 255n)
    number >>= 8n
  }
  if (!isWhole || (await formatCode(secret)).replaceAll('-', '') !== text)
    throw new HeldError('recovery code: it was mistyped; compare it with the printed one, group by group')
  return secret
}
