import assert from 'node:assert/strict'
import { createCipheriv, randomBytes } from 'node:crypto'
import { describe, it } from 'node:test'
import { ristretto255, ristretto255_oprf } from '@noble/curves/ed25519.js'
import { argon2id } from '@noble/hashes/argon2.js'
import { concat, hkdf, utf8 } from '../src/held/bytes.ts'
import { Member } from '../src/held/member.ts'
import { recoverFromShares, recoveryShares } from '../src/held/recovery-shares.ts'
import {
  type Harden,
  unlockWithCode,
  unlockWithPasskey,
  unlockWithPassword,
  type WrappedRoot,
  wrapWithCode,
  wrapWithPasskey,
  wrapWithPassword,
} from '../src/held/wrapped-root.ts'
import { testHolders } from './support/holders.ts'

const HELD = { code: 'POSTERN_INTEGRITY', name: 'HeldError' }
const DAMAGED = { ...HELD, message: 'wrapped secret: damaged' }
const WORK = { memory: 64, passes: 1 }
const { Point } = ristretto255

/** The server answers in place of the holders, with scalars of its own: it knows what a password becomes. */
const SCALARS = [3n, 5n, 7n] as const
const lying: Harden = async blinded => {
  const [a, b, c] = SCALARS.map(scalar => Point.fromBytes(blinded).multiply(scalar).toBytes())
  return { epoch: 0, parts: [a, b, c] as [Uint8Array, Uint8Array, Uint8Array] }
}

/** The key that a password would give under the server's scalars. */
async function keyOfGuess(password: string, salt: Uint8Array): Promise<Buffer> {
  const input = utf8(password)
  const { blind, blinded } = ristretto255_oprf.oprf.blind(input)
  const sum = Point.fromBytes(blinded).multiply(SCALARS.reduce((total, scalar) => total + scalar, 0n))
  const hardened = ristretto255_oprf.oprf.finalize(input, blind, sum.toBytes())
  const stretched = argon2id(input, salt, { m: WORK.memory, t: WORK.passes, p: 1, dkLen: 32 })
  return Buffer.from(await hkdf(concat(stretched, hardened, salt), 'postern vault wrap password 1', 32))
}

// The field of GHASH (NIST SP 800-38D section 6.3): the first bit of a block is that of x^0.
const ONE = 1n << 127n
const blockOf = (value: bigint): Buffer => Buffer.from(value.toString(16).padStart(32, '0'), 'hex')
const numberOf = (block: Uint8Array): bigint => BigInt(`0x${Buffer.from(block).toString('hex')}`)
function times(x: bigint, y: bigint): bigint {
  let product = 0n
  for (let bit = 127n; bit >= 0n; bit--) {
    if ((x >> bit) & 1n) product ^= y
    y = y & 1n ? (y >> 1n) ^ (0xe1n << 120n) : y >> 1n
  }
  return product
}
function power(x: bigint, exponent: number): bigint {
  return exponent === 0 ? ONE : times(x, power(x, exponent - 1))
}
function inverse(x: bigint): bigint {
  let result = ONE
  for (let bit = 1, square = times(x, x); bit < 128; bit++, square = times(square, square))
    result = times(result, square)
  return result
}

/** One ciphertext and tag that opens under every key (Len, Grubbs, Ristenpart 2021): a block for each. */
function openingUnder(keys: readonly Buffer[], nonce: Buffer, data: Buffer): Buffer {
  const count = keys.length
  const lengths = (BigInt(data.length * 8) << 64n) | BigInt(count * 128)
  const padded = Buffer.alloc(16)
  data.copy(padded)
  const rows = keys.map(key => {
    const encrypt = (block: Buffer): bigint =>
      numberOf(createCipheriv('aes-256-ecb', key, null).setAutoPadding(false).update(block))
    const hash = encrypt(Buffer.alloc(16))
    const mask = encrypt(Buffer.concat([nonce, Buffer.from([0, 0, 0, 1])]))
    const known = times(numberOf(padded), power(hash, count + 2)) ^ times(lengths, hash) ^ mask
    return [...keys.map((_, block) => power(hash, count + 1 - block)), known]
  })
  for (let at = 0; at < count; at++) {
    const pivot = rows[at] as bigint[]
    const factor = inverse(pivot[at] as bigint)
    rows[at] = pivot.map(value => times(value, factor))
    for (const [other, row] of rows.entries()) {
      const scale = row[at] as bigint
      if (other !== at && scale !== 0n)
        rows[other] = row.map((value, index) => value ^ times(scale, (rows[at] as bigint[])[index] as bigint))
    }
  }
  // The tag is 0.
  return Buffer.concat([...rows.map(row => blockOf(row[count] as bigint)), Buffer.alloc(16)])
}

describe('a live server that answers in place of the holders', () => {
  const guesses = ['hunter2', 'letmein', 'qwerty', 'dragon', 'monkey', 'sunshine', 'princess', 'iloveyou']

  it('learns nothing of a password that was set before: no answer tells eight guesses from all others', async () => {
    const salt = randomBytes(16)
    const nonce = randomBytes(12)
    const keys = await Promise.all(guesses.map(guess => keyOfGuess(guess, salt)))
    const forged: WrappedRoot = {
      kind: 'password',
      suite: 'x25519',
      salt: salt.toString('base64url'),
      nonce: nonce.toString('base64url'),
      ciphertext: openingUnder(keys, nonce, Buffer.from('password x25519')).toString('base64url'),
      work: WORK,
      epoch: 0,
    }
    const messages = new Set<string>()
    for (const password of [...guesses, 'none of these', 'nor this'])
      await unlockWithPassword(forged, password, lying).then(
        () => messages.add('unlocked'),
        (error: Error) => messages.add(error.message),
      )
    assert.equal(messages.size, 1, [...messages].join('; '))
  })

  it('hardens nothing by answering with the identity, or with fewer elements', async () => {
    const member = await Member.create()
    const identity = Point.ZERO.toBytes()
    const answers: readonly (readonly Uint8Array[])[] = [
      [identity, identity, identity],
      [Point.BASE.toBytes(), identity, Point.BASE.toBytes()],
      [Point.BASE.toBytes(), Point.BASE.negate().toBytes(), identity],
      [Point.BASE.toBytes(), Point.BASE.toBytes(), Point.BASE.multiply(2n).negate().toBytes()],
      [Point.BASE.toBytes()],
    ]
    for (const parts of answers) {
      const harden: Harden = async () => ({
        epoch: 0,
        parts: parts as readonly [Uint8Array, Uint8Array, Uint8Array],
      })
      await assert.rejects(wrapWithPassword(member, 'hunter2', harden, WORK), HELD)
    }
  })

  it('sends a secret in which anything has another length or form: it is damaged, whatever unlocks it', async () => {
    const member = await Member.create()
    const { keys } = testHolders({ guesses: 1_000 })
    const harden: Harden = async blinded => {
      const { a, b, c } = await keys.harden('anne', 0, blinded)
      return { epoch: 0, parts: [a, b, c] }
    }
    const { code, wrapped } = await wrapWithCode(member)
    const prf = randomBytes(32)
    const unlocks: readonly (readonly [WrappedRoot, (changed: WrappedRoot) => Promise<Member>])[] = [
      [wrapped, changed => unlockWithCode(changed, code)],
      [await wrapWithPasskey(member, prf), changed => unlockWithPasskey(changed, prf)],
      [
        await wrapWithPassword(member, 'hunter2', harden, WORK),
        changed => unlockWithPassword(changed, 'hunter2', harden),
      ],
    ]
    for (const [right, unlock] of unlocks) {
      assert.deepEqual((await unlock(right)).public, member.public)
      const changes: readonly Partial<WrappedRoot>[] = [
        { ciphertext: `${right.ciphertext}AAAA` },
        { ciphertext: right.ciphertext.slice(4) },
        { ciphertext: '' },
        { ciphertext: '%' },
        { nonce: `${right.nonce}AAAA` },
        { nonce: '' },
        { salt: `${right.salt}AA` },
        { salt: '' },
        { salt: '\u00e9' },
      ]
      for (const change of changes) await assert.rejects(unlock({ ...right, ...change }), DAMAGED)
    }
    const [, , [right, unlock]] = unlocks as [unknown, unknown, (typeof unlocks)[number]]
    for (const work of [
      { memory: Number.NaN, passes: 1 },
      { memory: 64, passes: Number.NaN },
      { memory: 0, passes: 1 },
      { memory: 64, passes: 0 },
      { memory: 64.5, passes: 1 },
      { memory: -1, passes: -1 },
    ])
      await assert.rejects(unlock({ ...right, work }), DAMAGED)
  })
})

describe('who forges a share of a recovery', () => {
  it('and knows the others adds what he likes to the secret, and none of it passes the check', async () => {
    const member = await Member.create()
    const [one = '', two = '', three = ''] = await recoveryShares(member, 3, 2)
    for (let at = 0; at < 40; at++) {
      const [kind, suite, text = ''] = two.split('.')
      const bytes = Buffer.from(text, 'base64url')
      bytes[at] = (bytes[at] ?? 0) ^ 1
      const forged = `${kind}.${suite}.${bytes.toString('base64url')}`
      for (const shares of [
        [one, forged],
        [forged, three],
        [one, forged, three],
      ])
        await assert.rejects(recoverFromShares(shares), HELD)
    }
  })

  it('mixes shares of two members, of the same person twice, and of another kind: none is anybody', async () => {
    const [anne, bob] = [await Member.create(), await Member.create()]
    const [a1 = '', a2 = ''] = await recoveryShares(anne, 3, 2)
    const [again = ''] = await recoveryShares(anne, 3, 2)
    const [b1 = '', b2 = ''] = await recoveryShares(bob, 3, 2)
    for (const shares of [
      [a1, b2],
      [a1, b1, b2],
      [again, a2],
      [a1, a1],
      [a1, a2.replace('x25519', 'x-wing')],
    ])
      await assert.rejects(recoverFromShares(shares), HELD)
    assert.deepEqual((await recoverFromShares([a1, a2])).public, anne.public)
  })
})
