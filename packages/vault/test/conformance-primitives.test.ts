import assert from 'node:assert/strict'
import {
  createCipheriv,
  createDecipheriv,
  createHmac,
  createPrivateKey,
  createPublicKey,
  decapsulate,
  diffieHellman,
  encapsulate,
  hkdfSync,
  timingSafeEqual,
} from 'node:crypto'
import { describe, it } from 'node:test'
import { publicKeyOf, verifyBytes } from '../src/primitive/ed25519.ts'
import { HmacKey } from '../src/primitive/hmac-key.ts'
import { unwrapKey, wrapKey } from '../src/primitive/key-wrap.ts'
import { absent, deviations, hex } from './support/conformance.ts'
import { KNOWN_DEVIATIONS } from './support/known-deviations.ts'

const skip = absent()

/** All deviations are listed with a reason, and the file was really read. */
function check(result: { readonly ran: number; readonly deviating: readonly string[] }, least: number): void {
  assert.ok(result.ran >= least, `${result.ran} vectors ran, ${least} expected`)
  assert.deepEqual(
    result.deviating.filter(id => KNOWN_DEVIATIONS[id] === undefined),
    [],
  )
}

interface Aead {
  readonly key: string
  readonly iv: string
  readonly aad: string
  readonly msg: string
  readonly ct: string
  readonly tag: string
}

/** Ours where the vault uses it, and node's beside it. */
function hmacOf(size: number, key: Buffer, message: Buffer): Buffer {
  const node = createHmac(`sha${size}`, key).update(message).digest()
  if (size === 384 || key.length > size / 4) return node
  const ours = new HmacKey(`sha${size}` as 'sha256', key).digest(message.subarray(0, 3), message.subarray(3))
  assert.deepEqual(ours, node)
  return ours
}

interface Bytes {
  readonly msg: string
}

const X25519_SPKI = hex('302a300506032b656e032100')
const X25519_PKCS8 = hex('302e020100300506032b656e04220420')
/** SubjectPublicKeyInfo and PrivateKeyInfo of ML-KEM-768 up to the key (RFC 9935). */
const MLKEM768_SPKI = hex('308204b2300b0609608648016503040402038204a100')
const MLKEM768_SEED = hex('3054020100300b0609608648016503040402044280' + '40')
const MLKEM768_EXPANDED = hex('30820978020100300b06096086480165030404020482096404820960')

function mlKemSeed(seed: Buffer) {
  assert.equal(seed.length, 64)
  return createPrivateKey({ key: Buffer.concat([MLKEM768_SEED, seed]), format: 'der', type: 'pkcs8' })
}

function mlKemPublic(key: Buffer) {
  assert.equal(key.length, 1_184)
  return createPublicKey({ key: Buffer.concat([MLKEM768_SPKI, key]), format: 'der', type: 'spki' })
}

describe('primitives follow the vectors of Project Wycheproof', { skip }, () => {
  it('AES-GCM seals and opens', async () => {
    const result = await deviations<{ readonly tagSize: number }, Aead>('aes_gcm_test', test => {
      const algorithm = `aes-${test.key.length * 4}-gcm` as 'aes-256-gcm'
      const decipher = createDecipheriv(algorithm, hex(test.key), hex(test.iv), { authTagLength: 16 })
      decipher.setAAD(hex(test.aad)).setAuthTag(hex(test.tag))
      const opened = Buffer.concat([decipher.update(hex(test.ct)), decipher.final()])
      const cipher = createCipheriv(algorithm, hex(test.key), hex(test.iv)).setAAD(hex(test.aad))
      const sealed = Buffer.concat([cipher.update(opened), cipher.final(), cipher.getAuthTag()])
      return opened.equals(hex(test.msg)) && sealed.equals(hex(test.ct + test.tag))
    })
    check(result, 316)
  })

  for (const size of [256, 384, 512]) {
    it(`HMAC-SHA-${size}`, async () => {
      const result = await deviations<
        { tagSize: number },
        Bytes & { readonly key: string; readonly tag: string }
      >(`hmac_sha${size}_test`, (test, { tagSize }) => {
        const tag = hmacOf(size, hex(test.key), hex(test.msg))
        return timingSafeEqual(tag.subarray(0, tagSize / 8), hex(test.tag))
      })
      check(result, 174)
    })

    it(`HKDF-SHA-${size}`, async () => {
      const result = await deviations<
        unknown,
        {
          readonly ikm: string
          readonly salt: string
          readonly info: string
          readonly size: number
          readonly okm: string
        }
      >(`hkdf_sha${size}_test`, test => {
        const okm = hkdfSync(`sha${size}`, hex(test.ikm), hex(test.salt), hex(test.info), test.size)
        return Buffer.from(okm).equals(hex(test.okm))
      })
      check(result, 83)
    })
  }

  it('AES key wrap', async () => {
    const result = await deviations<unknown, Bytes & { readonly key: string; readonly ct: string }>(
      'aes_wrap_test',
      test => {
        const opened = unwrapKey(hex(test.key), hex(test.ct))
        return opened.equals(hex(test.msg)) && wrapKey(hex(test.key), opened).equals(hex(test.ct))
      },
    )
    check(result, 165)
  })

  it('Ed25519 verifies', async () => {
    const result = await deviations<
      { readonly publicKey: { readonly pk: string } },
      Bytes & { readonly sig: string }
    >('ed25519_test', (test, group) =>
      verifyBytes(publicKeyOf(hex(group.publicKey.pk)), hex(test.msg), hex(test.sig)),
    )
    check(result, 151)
  })

  it('X25519', async () => {
    const result = await deviations<
      unknown,
      { readonly public: string; readonly private: string; readonly shared: string }
    >('x25519_test', test => {
      const publicKey = createPublicKey({
        key: Buffer.concat([X25519_SPKI, hex(test.public)]),
        format: 'der',
        type: 'spki',
      })
      const privateKey = createPrivateKey({
        key: Buffer.concat([X25519_PKCS8, hex(test.private)]),
        format: 'der',
        type: 'pkcs8',
      })
      return diffieHellman({ publicKey, privateKey }).equals(hex(test.shared))
    })
    check(result, 518)
  })

  it('ML-KEM-768 decapsulates, derives and refuses', async () => {
    interface Vector {
      readonly seed: string
      readonly ek: string
      readonly c: string
      readonly K: string
    }
    check(
      await deviations<unknown, Vector>('mlkem_768_test', test => {
        const privateKey = mlKemSeed(hex(test.seed))
        if (test.ek !== undefined && !exported(privateKey).equals(hex(test.ek))) return false
        return Buffer.from(decapsulate(privateKey, hex(test.c))).equals(hex(test.K))
      }),
      193,
    )
    check(
      await deviations<unknown, Vector>('mlkem_768_keygen_seed_test', test =>
        exported(mlKemSeed(hex(test.seed))).equals(hex(test.ek)),
      ),
      100,
    )
    check(
      await deviations<unknown, Vector & { readonly dk: string }>(
        'mlkem_768_semi_expanded_decaps_test',
        test => {
          if (hex(test.dk).length !== 2_400) return false
          const privateKey = createPrivateKey({
            key: Buffer.concat([MLKEM768_EXPANDED, hex(test.dk)]),
            format: 'der',
            type: 'pkcs8',
          })
          const shared = Buffer.from(decapsulate(privateKey, hex(test.c)))
          return test.K === undefined || shared.equals(hex(test.K))
        },
      ),
      9,
    )
    // node cannot encapsulate with given randomness: here only which public keys are taken is compared.
    check(
      await deviations<unknown, Vector>('mlkem_768_encaps_test', test => {
        encapsulate(mlKemPublic(hex(test.ek)))
        return true
      }),
      265,
    )
  })
})

function exported(privateKey: ReturnType<typeof mlKemSeed>): Buffer {
  return createPublicKey(privateKey).export({ format: 'der', type: 'spki' }).subarray(MLKEM768_SPKI.length)
}

describe('AES key wrap', () => {
  it('refuses inputs that node alone would take', () => {
    assert.throws(() => wrapKey(Buffer.alloc(32), Buffer.alloc(0)), RangeError)
    assert.throws(() => wrapKey(Buffer.alloc(32), Buffer.alloc(8)), RangeError)
    assert.throws(() => unwrapKey(Buffer.alloc(32), Buffer.alloc(0)), { code: 'POSTERN_INTEGRITY' })
    assert.throws(() => unwrapKey(Buffer.alloc(32), Buffer.alloc(8)), { code: 'POSTERN_INTEGRITY' })
  })
})
