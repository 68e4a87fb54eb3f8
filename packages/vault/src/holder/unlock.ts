import { argon2Sync, hash, timingSafeEqual } from 'node:crypto'
import { ConfigError, CredentialError, IntegrityError, type RandomSource } from '@postern/core'
import { readSecretFile } from '@postern/store'
import type { KeyService } from '../kms/key-service.ts'
import { HmacKey } from '../primitive/hmac-key.ts'
import type { HolderStore } from './holder-store.ts'

/** What unlocks a holder's parts when it starts. */
export type Unlock =
  | { readonly kind: 'passphrase'; readonly passphrase: string }
  /** A file with 32 bytes in base64url, mode 0600: on another disk, or a tmpfs that a person fills. */
  | { readonly kind: 'file'; readonly path: string }
  | { readonly kind: 'service'; readonly service: KeyService }

/** Memory in KiB, passes and lanes of argon2id (RFC 9106 section 4, second recommendation). */
const ARGON2 = { memory: 65_536, passes: 3, parallelism: 4 }
const WHAT = { passphrase: 'passphrase', file: 'key file', service: 'key service' } as const
const CHECK = Buffer.from('postern vault unlock 1')
const TAG = Buffer.from('postern vault unlocked by 1')

/**
 * The 32 byte key under which the parts are wrapped. The first call sets it up, later ones verify it.
 * @throws CredentialError when it is the wrong passphrase or file
 * @throws ConfigError when the file cannot be used
 */
export async function unlockKey(
  store: HolderStore,
  unlock: Unlock,
  random: RandomSource,
): Promise<Uint8Array> {
  const known = store.setting('unlock')
  const kind = store.setting('unlock.kind')
  if (known === undefined && kind === undefined && !store.hasParts) return setUp(store, unlock, random)
  // Setting it up again would write over what unlocks the parts.
  if (known === undefined || kind === undefined)
    throw new IntegrityError('holder: its file no longer says what unlocks it; restore a backup')
  if (Buffer.from(kind).toString() !== unlock.kind)
    throw new ConfigError({
      place: 'holder unlock',
      problem: `is "${unlock.kind}", but the holder was set up with "${Buffer.from(kind)}"`,
      hint: 'use that one, or change it with changeUnlock',
    })
  const key = await keyOf(unlock, Buffer.from(known))
  if (!timingSafeEqual(checkOf(key), Buffer.from(store.setting('unlock.check') ?? new Uint8Array(32))))
    throw new CredentialError(
      `holder: it does not unlock with this ${WHAT[unlock.kind]}; give the one that it was set up with`,
    )
  return key
}

/**
 * The same text for two holders that one key file or one key of a service unlocks. It is a digest of 256
 * random bits, or of the name of the service's key. Undefined for a passphrase, which a digest would let
 * others guess.
 * @throws ConfigError when the file cannot be used
 */
export function unlockTag(unlock: Unlock): string | undefined {
  if (unlock.kind === 'passphrase') return undefined
  const source = unlock.kind === 'file' ? readKeyFile(unlock.path) : unlock.service.name
  return hash('sha256', Buffer.concat([TAG, Buffer.from(source)]), 'base64url').slice(0, 22)
}

/** Wraps the parts under another unlocking key: after a passphrase became known, or to move to a KMS. */
export async function changeUnlock(
  store: HolderStore,
  from: Unlock,
  to: Unlock,
  random: RandomSource,
): Promise<void> {
  const old = await unlockKey(store, from, random)
  const { material, key } = await fresh(to, random)
  store.rewrapParts(old, key, settingsOf(to, material, key))
}

async function setUp(store: HolderStore, unlock: Unlock, random: RandomSource): Promise<Uint8Array> {
  const { material, key } = await fresh(unlock, random)
  store.setSettings(settingsOf(unlock, material, key))
  return key
}

/** What is stored (a salt, or a wrapped key) and the key derived from it. */
async function fresh(
  unlock: Unlock,
  random: RandomSource,
): Promise<{ readonly material: Uint8Array; readonly key: Uint8Array }> {
  if (unlock.kind !== 'service') {
    const material = random.bytes(16)
    return { material, key: await keyOf(unlock, Buffer.from(material)) }
  }
  const key = random.bytes(32)
  const { service } = unlock
  const material = await service.wrap(key)
  // What does not come back now would not on the next start either, and the parts would be lost with it.
  const again = await service.unwrap(material)
  if (again.length !== key.length || !timingSafeEqual(again, key))
    throw new IntegrityError(`${service.name}: it does not unwrap what it wrapped; check which key it uses`)
  return { material, key }
}

function settingsOf(
  unlock: Unlock,
  material: Uint8Array,
  key: Uint8Array,
): Readonly<Record<string, Uint8Array>> {
  return { unlock: material, 'unlock.check': checkOf(key), 'unlock.kind': Buffer.from(unlock.kind) }
}

async function keyOf(unlock: Unlock, material: Buffer): Promise<Uint8Array> {
  switch (unlock.kind) {
    case 'passphrase':
      if (unlock.passphrase.length < 8)
        throw new ConfigError({ place: 'holder passphrase', problem: 'is shorter than 8 characters' })
      return argon2Sync('argon2id', { ...ARGON2, message: unlock.passphrase, nonce: material, tagLength: 32 })
    case 'file':
      return new HmacKey('sha256', readKeyFile(unlock.path)).digest(material)
    case 'service': {
      const key = await unlock.service.unwrap(material)
      if (key.length !== 32)
        throw new IntegrityError(`${unlock.service.name}: unwrapped to ${key.length} bytes, not 32`)
      return key
    }
  }
}

function readKeyFile(path: string): Buffer {
  const text = readSecretFile(path, {
    missing: 'restore it from its backup, or mount the disk that it is on',
    notFile: 'give a file with the passphrase or key, readable by the holder alone',
  }).trim()
  const key = Buffer.from(text, 'base64url')
  if (key.length !== 32)
    throw new ConfigError({
      place: path,
      problem: 'must hold 32 bytes in base64url',
      hint: 'head -c32 /dev/urandom | base64',
    })
  return key
}

/** Tells the right key without unwrapping anything. */
function checkOf(key: Uint8Array): Buffer {
  return new HmacKey('sha256', key).digest(CHECK)
}
