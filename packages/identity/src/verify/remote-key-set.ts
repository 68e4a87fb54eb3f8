import { type Clock, ConfigError, StoreError, systemClock } from '@postern/core'
import { type Fetch, fetchJson } from './fetch-json.ts'
import type { JwsAlgorithm } from './jws-algorithm.ts'
import { type KeySet, keysOf, matching, PUBLIC_ALGORITHMS } from './key-set.ts'
import type { VerificationKey } from './verification-key.ts'

export interface RemoteKeySetOptions {
  /** The issuer's `jwks_uri`. HTTPS, or loopback. */
  readonly url: string
  readonly algorithms?: readonly JwsAlgorithm[]
  /** Algorithm of RSA keys that name none. Default: RS256. */
  readonly rsa?: JwsAlgorithm
  readonly fetch?: Fetch
  readonly clock?: Clock
}

/** Keys are fetched again in the background after this long. */
const FRESH = 10 * 60_000
/**
 * Keys this old are fetched again before they are used: where tokens are rare, the first after a quiet night
 * must not be verified by a key that was withdrawn in the evening.
 */
const LATE = 15 * 60_000
/**
 * Keys that cannot be fetched again are used this long: an issuer that is down does not sign everybody out.
 */
const STALE = 24 * 3_600_000
/** A key that is not known makes us look, but not more often: unknown key ids cost an attacker nothing. */
const COOLDOWN = 30_000
/** While there are no keys at all, an issuer that failed is asked again after this long, and not before. */
const RETRY = 1_000

/**
 * The keys of an issuer, fetched when first needed. A token with an unknown key id makes them be fetched
 * again (rotation), at most every 30 seconds. All who wait share one fetch. A key that was withdrawn verifies
 * nothing after 15 minutes; while the issuer cannot be reached, after a day.
 * @throws ConfigError for an address that is neither HTTPS nor loopback
 */
export function remoteKeySet(options: RemoteKeySetOptions): KeySet {
  assertFetchable(options.url, 'identify.jwt.jwks')
  const clock = options.clock ?? systemClock
  const fetcher = options.fetch ?? fetch
  const allowed = options.algorithms ?? PUBLIC_ALGORITHMS
  let keys: readonly VerificationKey[] = []
  let generation = 0
  let fetchedAt = Number.NEGATIVE_INFINITY
  let triedAt = Number.NEGATIVE_INFINITY
  let failed: { readonly at: number; readonly error: unknown } | undefined
  let pending: Promise<void> | undefined

  const load = async (): Promise<void> => {
    triedAt = clock.monotonic()
    const next = keysOf(await fetchJson(fetcher, options.url), allowed, options.rsa)
    // An issuer without a single usable key is a fault of its own, not a rotation.
    if (next.length === 0)
      throw new StoreError('publishes no usable key', { store: new URL(options.url).origin, retryable: true })
    if (!isSame(keys, next)) generation++
    keys = next
    fetchedAt = clock.monotonic()
    failed = undefined
  }
  const refresh = (): Promise<void> => {
    pending ??= load()
      .catch((error: unknown) => {
        failed = { at: clock.monotonic(), error }
        if (clock.monotonic() - fetchedAt > STALE) throw error
      })
      .finally(() => {
        pending = undefined
      })
    return pending
  }
  /** What to do before keys of an age are used: nothing, ask behind the back of who waits, or wait. */
  const needed = (age: number, isFound: boolean): 'nothing' | 'refresh' | 'wait' => {
    const mayTry = pending !== undefined || clock.monotonic() - triedAt > COOLDOWN
    if (!mayTry || (isFound && age <= FRESH)) return 'nothing'
    // Nobody waits again and again for an issuer that is known to be away.
    const isAway = failed !== undefined && clock.monotonic() - failed.at <= LATE
    return isFound && (age <= LATE || isAway) ? 'refresh' : 'wait'
  }

  return {
    get generation() {
      return generation
    },
    find: (kid, alg) => {
      const now = clock.monotonic()
      const age = now - fetchedAt
      if (age <= STALE) {
        const found = matching(keys, kid, alg)
        const next = needed(age, found !== undefined)
        if (next === 'refresh') refresh().catch(() => {})
        if (next !== 'wait') return found
      } else if (pending === undefined && failed !== undefined && now - failed.at <= RETRY)
        return Promise.reject(failed.error)
      return refresh().then(() => matching(keys, kid, alg))
    },
  }
}

function isSame(before: readonly VerificationKey[], after: readonly VerificationKey[]): boolean {
  return (
    before.length === after.length &&
    before.every((key, index) => {
      const other = after[index]
      return (
        other !== undefined &&
        key.kid === other.kid &&
        key.algorithm === other.algorithm &&
        key.key.equals(other.key)
      )
    })
  )
}

/** @throws ConfigError unless the address is HTTPS, or HTTP on this machine */
export function assertFetchable(text: string, place: string): void {
  const url = URL.canParse(text) ? new URL(text) : undefined
  const isLocal = url?.protocol === 'http:' && /^(?:localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(url.hostname)
  if (url !== undefined && (url.protocol === 'https:' || isLocal) && url.username === '') return
  throw new ConfigError({
    place,
    problem: 'the address is not HTTPS',
    hint: 'keys fetched over plain HTTP are keys of whoever is on the way; use the https:// address of the issuer',
  })
}
