import assert from 'node:assert/strict'
import { createPrivateKey, createPublicKey, decapsulate } from 'node:crypto'
import { describe, it } from 'node:test'
import { ristretto255_oprf } from '@noble/curves/ed25519.js'
import { p256_oprf, p384_oprf, p521_oprf } from '@noble/curves/nist.js'
import * as HPKE from 'hpke'
import { absent, hex, material, materialText } from './support/conformance.ts'
import { KNOWN_DEVIATIONS } from './support/known-deviations.ts'

const skip = absent()
if (skip !== false) it('material of others is here', context => context.skip(skip))

interface HpkeVector {
  readonly mode: number | string
  readonly kem_id: number | string
  readonly kdf_id: number | string
  readonly aead_id: number | string
  readonly info: string
  readonly skRm: string
  readonly pkRm: string
  readonly enc: string
  readonly psk?: string
  readonly psk_id?: string
  readonly encryptions: readonly {
    readonly sequence_number?: string
    readonly aad: string
    readonly ct: string
    readonly pt: string
  }[]
  readonly exports: readonly {
    readonly exporter_context: string
    readonly L: number | string
    readonly exported_value: string
  }[]
}

const KEMS: Readonly<Record<number, HPKE.KEMFactory>> = {
  16: HPKE.KEM_DHKEM_P256_HKDF_SHA256,
  17: HPKE.KEM_DHKEM_P384_HKDF_SHA384,
  18: HPKE.KEM_DHKEM_P521_HKDF_SHA512,
  32: HPKE.KEM_DHKEM_X25519_HKDF_SHA256,
  33: HPKE.KEM_DHKEM_X448_HKDF_SHA512,
  64: HPKE.KEM_ML_KEM_512,
  65: HPKE.KEM_ML_KEM_768,
  66: HPKE.KEM_ML_KEM_1024,
  80: HPKE.KEM_MLKEM768_P256,
  81: HPKE.KEM_MLKEM1024_P384,
  25722: HPKE.KEM_MLKEM768_X25519,
} as Readonly<Record<number, HPKE.KEMFactory>>
const KDFS: Readonly<Record<number, HPKE.KDFFactory>> = {
  1: HPKE.KDF_HKDF_SHA256,
  2: HPKE.KDF_HKDF_SHA384,
  3: HPKE.KDF_HKDF_SHA512,
  16: HPKE.KDF_SHAKE128,
  17: HPKE.KDF_SHAKE256,
  18: HPKE.KDF_TurboSHAKE128,
  19: HPKE.KDF_TurboSHAKE256,
}
const AEADS: Readonly<Record<number, HPKE.AEADFactory>> = {
  1: HPKE.AEAD_AES_128_GCM,
  2: HPKE.AEAD_AES_256_GCM,
  3: HPKE.AEAD_ChaCha20Poly1305,
  65535: HPKE.AEAD_EXPORT_ONLY,
}

/** Opens what the vector's sender sealed and exports what it exported. */
async function receives(vector: HpkeVector): Promise<void> {
  const [kem, kdf, aead] = [
    KEMS[Number(vector.kem_id)],
    KDFS[Number(vector.kdf_id)],
    AEADS[Number(vector.aead_id)],
  ]
  assert.ok(kem !== undefined && kdf !== undefined && aead !== undefined, 'suite unknown')
  const suite = new HPKE.CipherSuite(kem, kdf, aead)
  const privateKey = await suite.DeserializePrivateKey(hex(vector.skRm))
  const publicKey = await suite.DeserializePublicKey(hex(vector.pkRm))
  const recipient = await suite.SetupRecipient({ privateKey, publicKey }, hex(vector.enc), {
    info: hex(vector.info),
    ...(vector.psk !== undefined && { psk: hex(vector.psk), pskId: hex(vector.psk_id ?? '') }),
  })
  let sequence = 0
  for (const [index, { ct, aad, pt, sequence_number: number }] of vector.encryptions.entries()) {
    const wanted = Number(number ?? index)
    // The context counts by itself: a failed opening does not count, a message that
    // is skipped has to be opened.
    if (wanted !== sequence) break
    assert.deepEqual(Buffer.from(await recipient.Open(hex(ct), hex(aad))), hex(pt))
    sequence++
  }
  for (const { exporter_context: context, L, exported_value: value } of vector.exports)
    assert.deepEqual(Buffer.from(await recipient.Export(hex(context), Number(L))), hex(value))
}

describe('HPKE', { skip }, () => {
  for (const file of ['rfc9180-appendix-a', 'hpke-pq']) {
    it(`opens and exports the vectors of ${file}`, async () => {
      const failed: string[] = []
      for (const [index, vector] of material<readonly HpkeVector[]>(`rfc9180-hpke/${file}.json`).entries()) {
        const id = `${file}#${index}`
        try {
          await receives(vector)
          assert.equal(
            KNOWN_DEVIATIONS[id],
            undefined,
            `${id} is listed as a deviation and follows the vector`,
          )
        } catch (error) {
          if (KNOWN_DEVIATIONS[id] === undefined) failed.push(`${id}: ${error}`)
        }
      }
      assert.deepEqual(failed, [])
    })
  }

  it('X-Wing decapsulates as published', async () => {
    const vectors =
      material<readonly { seed: string; pk: string; ct: string; ss: string }[]>('xwing/test-vectors.json')
    assert.equal(vectors.length, 3)
    for (const { seed, pk, ct, ss } of vectors) {
      const kem = HPKE.KEM_MLKEM768_X25519()
      const privateKey = await kem.DeserializePrivateKey(hex(seed), false)
      const publicKey = await kem.DeserializePublicKey(hex(pk))
      assert.deepEqual(Buffer.from(await kem.Decap(hex(ct), privateKey, publicKey)), hex(ss))
    }
  })
})

describe('ML-KEM-768', { skip }, () => {
  it('follows the known answers', () => {
    let ran = 0
    for (const block of materialText('mlkem-kat/kat_MLKEM_768.rsp').split(/^count = /m)) {
      const fields = new Map(block.split(/\r?\n/).map(line => line.split(' = ') as [string, string]))
      const [d, z, pk, ct, ss] = ['d', 'z', 'pk', 'ct', 'ss'].map(name => hex(fields.get(name) ?? ''))
      if (d?.length !== 32 || z === undefined || ct === undefined) continue
      const prefix = hex('3054020100300b060960864801650304040204428040')
      const key = createPrivateKey({ key: Buffer.concat([prefix, d, z]), format: 'der', type: 'pkcs8' })
      assert.deepEqual(createPublicKey(key).export({ format: 'der', type: 'spki' }).subarray(22), pk)
      assert.deepEqual(Buffer.from(decapsulate(key, ct)), ss)
      ran++
    }
    assert.ok(ran >= 10, `${ran} answers were read`)
  })
})

interface OprfSuite {
  readonly identifier: string
  readonly mode: number
  readonly seed: string
  readonly keyInfo: string
  readonly skSm: string
  readonly vectors: readonly {
    readonly Batch: number
    readonly Blind: string
    readonly BlindedElement: string
    readonly EvaluationElement: string
    readonly Input: string
    readonly Output: string
  }[]
}

describe('OPRF (RFC 9497)', { skip }, () => {
  it('evaluates and finalizes as published, in the base mode that the vault uses', () => {
    const suites = [ristretto255_oprf, p256_oprf, p384_oprf, p521_oprf]
    let ran = 0
    for (const suite of material<readonly OprfSuite[]>('rfc9497-voprf/allVectors.json')) {
      const oprf = suites.find(({ name }) => name === suite.identifier)
      if (oprf === undefined || suite.mode !== 0) continue
      const { secretKey } = oprf.oprf.deriveKeyPair(hex(suite.seed), hex(suite.keyInfo))
      assert.deepEqual(Buffer.from(secretKey), hex(suite.skSm))
      for (const vector of suite.vectors) {
        const evaluated: Uint8Array = oprf.oprf.blindEvaluate(secretKey, hex(vector.BlindedElement))
        assert.deepEqual(Buffer.from(evaluated), hex(vector.EvaluationElement))
        const output: Uint8Array = oprf.oprf.finalize(hex(vector.Input), hex(vector.Blind), evaluated)
        assert.deepEqual(Buffer.from(output), hex(vector.Output))
        ran++
      }
    }
    assert.equal(ran, 8)
  })
})
