import { createCipheriv, createDecipheriv, createSecretKey, hash, randomBytes } from 'node:crypto'
import { decryptStringSync, encryptStringSync, generateKey, parseKeySync } from '@47ng/cloak'
import {
  buildClient,
  CommitmentPolicy,
  RawAesKeyringNode,
  RawAesWrappingSuiteIdentifier,
} from '@aws-crypto/client-node'
import { LocalKeys, open, seal } from '@postern/vault'
import { printTimings, type Timing } from './harness.ts'
import { type Operation, timeOperations } from './operation-times.ts'

const SIZES: readonly (readonly [string, number])[] = [
  ['100B', 100],
  ['1KiB', 1_024],
  ['64KiB', 65_536],
]

/**
 * Seals and opens at three sizes, us and the peers in turn, a page of values each. Ratios are theirs
 * over ours: 1 is as fast, more is faster.
 * @param pages of 50 values of each
 */
export async function recordBenchmark(pages: number): Promise<{
  readonly ratios: Readonly<Record<string, number>>
  readonly figures: Readonly<Record<string, number>>
}> {
  const ratios: Record<string, number> = {}
  const figures: Record<string, number> = {}
  for (const [name, size] of SIZES) {
    const text = randomBytes(size).toString('base64').slice(0, size)
    const value = Buffer.from(text)
    for (const [act, candidates] of [
      ['seal', sealers(value, text)],
      ['open', openers(value, text)],
    ] as const) {
      const timings = timeOperations(candidates, pages)
      printTimings(`${act} ${name}`, timings)
      const best = (candidate: string): number => fastest(timings, candidate)
      for (const peer of ['raw, one key', 'raw, fresh key', 'raw, fresh key object', '@47ng/cloak'])
        ratios[`${act}.${name}.vs ${peer}`] = best(peer) / best('vault')
      ratios[`${act}.${name}.floor: raw, derived key vs raw, one key`] =
        best('raw, one key') / best('raw, derived key')
      ratios[`${act}.${name}.vs raw, derived key`] = best('raw, derived key') / best('vault')
      figures[`${act}.${name}.vault.perSecond`] = Math.round(1e9 / best('vault'))
      figures[`${act}.${name}.raw fresh key.perSecond`] = Math.round(1e9 / best('raw, fresh key'))
    }
    figures[`overhead.${name}.vault`] = seal(KEYS, place(0), value).length - size
    figures[`overhead.${name}.cloak`] = encryptStringSync(text, CLOAK).length - size
  }
  const aws = await awsEncryptionSdk()
  Object.assign(figures, aws)
  return { ratios, figures }
}

/** Lower quartile: what the machine does when it is left alone, less a stroke of luck. */
function fastest(timings: readonly Timing[], name: string): number {
  return timings.find(timing => timing.name === name)?.lowerQuartile ?? Number.NaN
}

const KEYS = LocalKeys.generate()
const CLOAK = parseKeySync(generateKey())
const RAW = createSecretKey(randomBytes(32))
/** The same additional data for all who can take some: 60 bytes. */
const DATA = randomBytes(60)
/** `encoding` is that of a key given as text; others ignore it. */
const OPTIONS = { encoding: 'latin1', authTagLength: 16 } as const

function place(row: number) {
  return { tenant: 'acme', table: 'customers', column: 'email', row: [`${100_000 + row}`], version: 1 }
}

function rawSeal(key: Parameters<typeof createCipheriv>[1], value: Uint8Array): Buffer {
  const nonce = randomBytes(12)
  const cipher = createCipheriv('aes-256-gcm', key, nonce, OPTIONS)
  cipher.setAAD(DATA)
  const ciphertext = cipher.update(value)
  cipher.final()
  return Buffer.concat([nonce, ciphertext, cipher.getAuthTag()])
}

function rawOpen(key: Parameters<typeof createDecipheriv>[1], sealed: Buffer): Buffer {
  const decipher = createDecipheriv('aes-256-gcm', key, sealed.subarray(0, 12), OPTIONS)
  decipher.setAAD(DATA)
  decipher.setAuthTag(sealed.subarray(-16))
  const opened = decipher.update(sealed.subarray(12, -16))
  decipher.final()
  return opened
}

/** Pads of the two HMACs with a message, and with an inner digest, as long as those of vault. */
const INNER_256 = randomBytes(64 + 50 + 16)
const OUTER_256 = randomBytes(64 + 32)
const INNER_512 = randomBytes(128 + 22)
const OUTER_512 = randomBytes(128 + 64)

/**
 * The least that a key per record costs where it follows from where the record lives: two HMACs, one for the
 * record and one that cuts key, commitment and nonce, in the fastest way Node has.
 * @returns the key as text, one character a byte
 */
function derivedKey(): string {
  hash('sha256', INNER_256, 'binary')
  hash('sha256', OUTER_256, 'binary')
  hash('sha512', INNER_512, 'binary')
  return hash('sha512', OUTER_512, 'binary').slice(0, 32)
}

function repeat(name: string, one: Operation['one']): Operation {
  return { name, one }
}

function sealers(value: Buffer, text: string): readonly Operation[] {
  return [
    repeat('vault', i => seal(KEYS, place(i), value)),
    repeat('raw, fresh key', () => rawSeal(randomBytes(32), value)),
    repeat('raw, fresh key object', () => rawSeal(createSecretKey(randomBytes(32)), value)),
    repeat('raw, derived key', () => rawSeal(derivedKey(), value)),
    repeat('raw, one key', () => rawSeal(RAW, value)),
    repeat('@47ng/cloak', () => encryptStringSync(text, CLOAK)),
  ]
}

function openers(value: Buffer, text: string): readonly Operation[] {
  const sealed = Array.from({ length: 100 }, (_, i) => seal(KEYS, place(i), value))
  const fresh = Array.from({ length: 100 }, () => {
    const key = randomBytes(32)
    return { key, sealed: rawSeal(key, value) }
  })
  // As many records as the others open: a single one stays in the cache of the processor.
  const one = Array.from({ length: 100 }, () => rawSeal(RAW, value))
  const derived = Array.from({ length: 100 }, () => rawSeal(derivedKey(), value))
  const cloaked = encryptStringSync(text, CLOAK)
  return [
    repeat('vault', i => open(KEYS, place(i % 100), sealed[i % 100] as Buffer)),
    repeat('raw, fresh key', i => {
      const record = fresh[i % 100] as { key: Buffer; sealed: Buffer }
      return rawOpen(record.key, record.sealed)
    }),
    repeat('raw, fresh key object', i => {
      const record = fresh[i % 100] as { key: Buffer; sealed: Buffer }
      return rawOpen(createSecretKey(record.key), record.sealed)
    }),
    repeat('raw, derived key', i => rawOpen(derivedKey(), derived[i % 100] as Buffer)),
    repeat('raw, one key', i => rawOpen(RAW, one[i % 100] as Buffer)),
    repeat('@47ng/cloak', () => decryptStringSync(cloaked, CLOAK)),
  ]
}

/**
 * The AWS encryption SDK with a raw keyring: asynchronous, hence measured beside the
 * others and not in turn with them.
 */
async function awsEncryptionSdk(): Promise<Readonly<Record<string, number>>> {
  const { encrypt } = buildClient(CommitmentPolicy.REQUIRE_ENCRYPT_REQUIRE_DECRYPT)
  const keyring = new RawAesKeyringNode({
    keyName: 'bench',
    keyNamespace: 'bench',
    unencryptedMasterKey: new Uint8Array(randomBytes(32)),
    wrappingSuite: RawAesWrappingSuiteIdentifier.AES256_GCM_IV12_TAG16_NO_PADDING,
  })
  const value = randomBytes(1_024)
  for (let i = 0; i < 20; i++) await encrypt(keyring, value)
  const started = performance.now()
  let size = 0
  for (let i = 0; i < 100; i++) size = (await encrypt(keyring, value)).result.length
  return {
    'seal.1KiB.aws encryption sdk.perSecond': Math.round(100_000 / (performance.now() - started)),
    'overhead.1KiB.aws encryption sdk': size - 1_024,
  }
}
