import {
  type Clock,
  ConfigError,
  type Duration,
  parseDuration,
  type RandomSource,
  systemClock,
  systemRandom,
} from '@postern/core'
import type { Acting } from './acting-as.ts'
import { fieldSigner, hexOf, readSigningKey, type SigningKey } from './signed-token.ts'

/** The key of `claimSigner`, and how long a claim may wait for its first use. */
export interface ClaimOptions {
  /** One of `budgetDatabase.claimKeys`, also as it is written there: `1:` and base64. */
  readonly key: SigningKey | string
  /**
   * How long after it was made a claim may be used first, at most an hour. The
   * transaction itself may last longer. Default `2m`.
   */
  readonly lifetime?: Duration
  readonly clock?: Clock
  readonly random?: RandomSource
}

/** Makes a fresh claim: good for one transaction, whichever uses it first. */
export type ClaimSigner = (acting: Acting) => string

const HEX_DIGEST = /^[0-9a-f]{64}$/
const MAX_LIFETIME = 3_600_000

/**
 * Signs who acts, so that the database can verify it: actor, tenant and act with an expiry and a nonce. What
 * signs is the application; what verifies is a function of the database that the application's role cannot
 * change. The nonce is used up by the first transaction that changes rows.
 * @throws ConfigError when key or lifetime are out of bounds
 */
export function claimSigner(options: ClaimOptions): ClaimSigner {
  const { clock = systemClock, random = systemRandom } = options
  const key = readSigningKey(options.key, 'claim key')
  const lifetime = parseDuration(options.lifetime ?? '2m', 'lifetime')
  if (lifetime < 1_000 || lifetime > MAX_LIFETIME)
    throw new ConfigError({ place: 'lifetime', problem: 'must be between 1s and 1h' })
  const id = String(key.id)
  const sign = fieldSigner(key.secret)
  const nonce = nonces(random)
  return ({ actor, tenant = '', act = '' }) => {
    if (actor === '' || actor.length > 256 || tenant.length > 256)
      throw new ConfigError({
        place: 'acting',
        problem: 'actor must have 1 to 256 characters, tenant at most 256',
      })
    if (act !== '' && !HEX_DIGEST.test(act))
      throw new ConfigError({
        place: 'acting.act',
        problem: 'is not a digest of 64 lower-case hex characters',
        hint: 'pass `actDigest(act)`',
      })
    const expires = String(Math.floor(clock.now()) + lifetime)
    return sign(['c1', id, expires, nonce(), hexOf(actor), hexOf(tenant), act])
  }
}

/**
 * Nonces of 16 random bytes, in hex. The source is asked for 64 of them at once: a call costs more than its
 * bytes.
 */
function nonces(random: RandomSource): () => string {
  let bytes = Buffer.alloc(0)
  return () => {
    if (bytes.length === 0) bytes = Buffer.from(random.bytes(16 * 64))
    const nonce = bytes.toString('hex', 0, 16)
    bytes = bytes.subarray(16)
    return nonce
  }
}
