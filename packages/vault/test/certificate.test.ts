import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { systemRandom } from '@postern/core'
import { identitySeed, selfSignedIdentity } from '../src/primitive/certificate.ts'
import { signingKeyOf } from '../src/primitive/ed25519.ts'

const fingerprintOf = (seed: Uint8Array): string =>
  selfSignedIdentity('test', signingKeyOf(seed), systemRandom, Date.now()).fingerprint

describe('the fingerprint of an identity', () => {
  it('never begins with a hyphen, which a command would take for an option', () => {
    let hyphen = systemRandom.bytes(32)
    while (!fingerprintOf(hyphen).startsWith('-')) hyphen = systemRandom.bytes(32)
    let other = systemRandom.bytes(32)
    while (fingerprintOf(other).startsWith('-')) other = systemRandom.bytes(32)
    const seeds = [hyphen, hyphen, other]
    const random = { bytes: () => seeds.shift() ?? hyphen }
    assert.deepEqual(identitySeed(random), other)
    assert.deepEqual(identitySeed(random), hyphen, 'a random source that always gives the same seed ends')
  })
})
