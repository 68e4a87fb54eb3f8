import { argon2, pbkdf2, randomBytes, scrypt, timingSafeEqual } from 'node:crypto'
import { createRequire } from 'node:module'
import { promisify } from 'node:util'
import { requireOptional } from '@postern/store'
import { formatPhc, type Phc, parsePhc } from './phc.ts'

const deriveArgon2 = promisify(argon2)
const derivePbkdf2 = promisify(pbkdf2)

/** Most memory that one verification may take, whatever a stored hash asks for. */
const MAX_MEMORY = 256 * 1_024 * 1_024
const MAX_PBKDF2 = 5_000_000
const MAX_BCRYPT_COST = 14

/** Work factors of argon2id: OWASP's first recommendation. */
export interface Argon2Cost {
  /** KiB. Default 19,456. */
  readonly memory: number
  /** Default 2. */
  readonly passes: number
  /** Default 1. */
  readonly parallelism: number
}

export const DEFAULT_COST: Argon2Cost = { memory: 19_456, passes: 2, parallelism: 1 }

/** A password hash that can be verified, whatever made it. */
export type StoredHash =
  | { readonly kind: 'argon2id'; readonly phc: Phc; readonly cost: Argon2Cost }
  | { readonly kind: 'scrypt'; readonly phc: Phc; readonly n: number; readonly r: number; readonly p: number }
  | {
      readonly kind: 'pbkdf2'
      readonly digest: string
      readonly iterations: number
      readonly salt: Uint8Array
      readonly hash: Uint8Array
    }
  | { readonly kind: 'bcrypt'; readonly text: string }

/**
 * Parses a stored hash strictly: argon2id and scrypt as PHC strings, PBKDF2 as a PHC string
 * (`$pbkdf2-sha256$i=...`) or as Django writes it, bcrypt as crypt writes it. Parameters beyond what a server
 * can be asked to spend are refused like a hash of an unknown kind.
 */
export function parseStoredHash(text: string): StoredHash | undefined {
  const bcrypt = /^\$2[aby]\$(\d\d)\$[./A-Za-z0-9]{53}$/.exec(text)
  if (bcrypt !== null) {
    const cost = Number(bcrypt[1])
    return cost >= 4 && cost <= MAX_BCRYPT_COST ? { kind: 'bcrypt', text } : undefined
  }
  if (text.startsWith('pbkdf2_')) return parseDjango(text)
  const phc = parsePhc(text)
  if (phc === undefined) return undefined
  if (phc.id === 'argon2id') return parseArgon2(phc)
  if (phc.id === 'scrypt') return parseScrypt(phc)
  if (phc.id === 'pbkdf2-sha256' || phc.id === 'pbkdf2-sha512') return parsePbkdf2(phc)
  return undefined
}

function parseArgon2(phc: Phc): StoredHash | undefined {
  const { m, t, p } = numbers(phc, ['m', 't', 'p'])
  if (phc.version !== 19 || m === undefined || t === undefined || p === undefined) return undefined
  const isBounded =
    p >= 1 && p <= 16 && t >= 1 && t <= 16 && m >= 8 * p && m * 1_024 <= MAX_MEMORY && m * t <= 1_048_576
  if (!isBounded || phc.salt.length < 8 || phc.hash.length < 16 || phc.hash.length > 64) return undefined
  return { kind: 'argon2id', phc, cost: { memory: m, passes: t, parallelism: p } }
}

function parseScrypt(phc: Phc): StoredHash | undefined {
  const { ln, r, p } = numbers(phc, ['ln', 'r', 'p'])
  if (phc.version !== undefined || ln === undefined || r === undefined || p === undefined) return undefined
  if (ln < 1 || ln > 20 || r < 1 || r > 32 || p < 1 || p > 16 || phc.hash.length < 16) return undefined
  const n = 2 ** ln
  return 128 * n * r > MAX_MEMORY || phc.salt.length < 8 ? undefined : { kind: 'scrypt', phc, n, r, p }
}

function parsePbkdf2(phc: Phc): StoredHash | undefined {
  const { i } = numbers(phc, ['i'])
  if (i === undefined || i < 1 || i > MAX_PBKDF2 || phc.version !== undefined) return undefined
  if (phc.salt.length < 8 || phc.hash.length < 16 || phc.hash.length > 64) return undefined
  return {
    kind: 'pbkdf2',
    digest: phc.id.slice('pbkdf2-'.length),
    iterations: i,
    salt: phc.salt,
    hash: phc.hash,
  }
}

/** `pbkdf2_sha256$600000$salt$hash`, the salt as text, the hash in padded base64. */
function parseDjango(text: string): StoredHash | undefined {
  const match =
    /^pbkdf2_(sha256|sha512)\$([1-9]\d{0,6})\$([A-Za-z0-9]{8,64})\$([A-Za-z0-9+/]{20,90}={0,2})$/.exec(text)
  if (match === null) return undefined
  const [, digest = '', iterations = '', salt = '', encoded = ''] = match
  const hash = Buffer.from(encoded, 'base64')
  if (hash.toString('base64') !== encoded || Number(iterations) > MAX_PBKDF2 || hash.length < 16)
    return undefined
  return { kind: 'pbkdf2', digest, iterations: Number(iterations), salt: Buffer.from(salt), hash }
}

/** The named parameters, when these and no others are there. */
function numbers(phc: Phc, names: readonly string[]): Readonly<Record<string, number | undefined>> {
  if (phc.parameters.size !== names.length) return {}
  return Object.fromEntries(names.map(name => [name, phc.parameters.get(name)]))
}

/** Whether a password is the one that was hashed. Compares in constant time. */
export async function verifyStoredHash(stored: StoredHash, password: string): Promise<boolean> {
  if (stored.kind === 'bcrypt') return loadBcrypt().compare(password, stored.text)
  const expected = stored.kind === 'pbkdf2' ? stored.hash : stored.phc.hash
  const actual = await derive(stored, password, expected.length)
  return timingSafeEqual(actual, expected)
}

function derive(
  stored: Exclude<StoredHash, { kind: 'bcrypt' }>,
  password: string,
  length: number,
): Promise<Buffer> {
  if (stored.kind === 'argon2id') {
    const { memory, passes, parallelism } = stored.cost
    const nonce = stored.phc.salt
    return deriveArgon2('argon2id', {
      message: password,
      nonce,
      memory,
      passes,
      parallelism,
      tagLength: length,
    })
  }
  if (stored.kind === 'pbkdf2')
    return derivePbkdf2(password, stored.salt, stored.iterations, length, stored.digest)
  const { n, r, p, phc } = stored
  return new Promise((resolve, reject) => {
    scrypt(password, phc.salt, length, { N: n, r, p, maxmem: MAX_MEMORY * 2 }, (error, key) =>
      error === null ? resolve(key) : reject(error),
    )
  })
}

/** Hashes a password with argon2id (RFC 9106) under a fresh salt of 16 bytes. */
export async function argon2idHash(
  password: string,
  cost: Argon2Cost,
  salt: Uint8Array = randomBytes(16),
): Promise<string> {
  const { memory, passes, parallelism } = cost
  const hash = await deriveArgon2('argon2id', {
    message: password,
    nonce: salt,
    memory,
    passes,
    parallelism,
    tagLength: 32,
  })
  const parameters = new Map([
    ['m', memory],
    ['t', passes],
    ['p', parallelism],
  ])
  return formatPhc({ id: 'argon2id', version: 19, parameters, salt, hash })
}

interface Bcrypt {
  compare(password: string, hash: string): Promise<boolean>
}

/** Module state: a module of another package, which most processes never load. */
let bcrypt: Bcrypt | undefined

/** Loaded when the first bcrypt hash is verified. @throws ConfigError when it is not installed or too old */
function loadBcrypt(): Bcrypt {
  bcrypt ??= requireOptional(
    {
      ...{ name: 'bcryptjs', least: '2.4.0', tested: '3.0.3', place: 'identity' },
      needs: 'accounts with bcrypt hashes need',
    },
    import.meta.url,
    () => createRequire(import.meta.url)('bcryptjs') as Bcrypt,
  )
  return bcrypt
}
