import {
  type Clock,
  ConfigError,
  CredentialError,
  type Duration,
  givenText,
  parseDuration,
  systemClock,
} from '@postern/core'
import { type ClaimRules, type Claims, claimsHold } from './claims.ts'
import { type CompactJws, isSignedBy, jsonObject, parseCompactJws } from './compact-jws.ts'
import type { KeySet } from './key-set.ts'
import { TokenCache } from './token-cache.ts'
import type { VerificationKey } from './verification-key.ts'

/**
 * Milliseconds after which a token that is remembered is verified again: whoever asks for its key lets keys
 * be fetched again, so that one token in steady use does not outlive a key that was withdrawn.
 */
const REMEMBERED = 5 * 60_000

/** Issuer, audience, keys and algorithms of the tokens that are accepted. */
export interface JwtVerifierOptions {
  /** `iss` of the tokens. Required: tokens of another issuer with the same keys are not ours. */
  readonly issuer: string
  /**
   * This application, as the issuer names it. Required: a token for another
   * application must not open this one.
   */
  readonly audience: string | readonly string[]
  readonly keys: KeySet
  /** Default: `aud`. */
  readonly audienceClaim?: string
  /** Default: `jwt` and `at+jwt`; add `absent` for issuers that set none. */
  readonly types?: readonly string[]
  /** How far clocks may differ. Default: `30s`. */
  readonly clockSkew?: Duration
  readonly maxAge?: Duration
  readonly exactly?: Readonly<Record<string, string>>
  /** Verified tokens that are remembered, by the whole token. Default: 5,000; 0 for none. */
  readonly cache?: number
  readonly clock?: Clock
}

/** Verifies signed tokens of one issuer. */
export interface JwtVerifier {
  /**
   * The claims of a token. At once when the key is known.
   * @throws CredentialError (or rejects) when the token is invalid; it never says why
   * @throws StoreError (rejects) when the keys are unavailable
   */
  verify(token: string): Claims | Promise<Claims>
}

/**
 * Verifies signed tokens (JWS, RFC 7515; JWT, RFC 7519) of one issuer for one audience.
 * @throws ConfigError without an issuer or an audience, or with an empty one
 */
export function jwtVerifier(options: JwtVerifierOptions): JwtVerifier {
  const rules = rulesOf(options)
  const clock = options.clock ?? systemClock
  const cache = new TokenCache(options.cache ?? 5_000)
  const { keys } = options

  const accept = (token: string, jws: CompactJws, key: VerificationKey | undefined): Claims => {
    if (key === undefined || !isSignedBy(jws, key)) throw refused()
    const claims = jsonObject(jws.payload)
    const now = clock.now()
    if (claims === undefined || !claimsHold(claims, jws.header.type, rules, now)) throw refused()
    cache.set(token, claims, keys.generation, Math.min(endOf(claims, rules), now + REMEMBERED))
    return claims
  }

  return {
    verify: token => {
      const known = cache.get(token, keys.generation, clock.now())
      if (known !== undefined) return known
      const jws = parseCompactJws(token)
      if (jws === undefined) throw refused()
      const found = keys.find(jws.header.kid, jws.header.alg)
      return found instanceof Promise
        ? found.then(late => accept(token, jws, late))
        : accept(token, jws, found)
    },
  }
}

function endOf(claims: Claims, rules: ClaimRules): number {
  const end = (claims['exp'] as number) * 1_000 + rules.skew
  return rules.maxAge === undefined
    ? end
    : Math.min(end, (claims['iat'] as number) * 1_000 + rules.maxAge + rules.skew)
}

/** One sentence for everything that can be wrong with a token. */
function refused(): CredentialError {
  return new CredentialError('the token is invalid')
}

function rulesOf(options: JwtVerifierOptions): ClaimRules {
  const audience = typeof options.audience === 'object' ? options.audience : [options.audience]
  for (const [name, value] of [
    ['issuer', options.issuer],
    ...(audience.length === 0 ? [''] : audience).map(one => ['audience', one] as const),
  ] as const)
    givenText(
      value,
      `identify.jwt.${name}`,
      'the issuer is the iss of your tokens, the audience the name of this application in them',
    )
  if (typeof options.keys?.find !== 'function')
    throw new ConfigError({
      place: 'identify.jwt.keys',
      problem: 'is not a set of keys',
      hint: "keys: remoteKeySet({ url: 'https://id.example.com/jwks' })",
    })
  return {
    issuer: options.issuer,
    audience,
    audienceClaim: options.audienceClaim ?? 'aud',
    types: (options.types ?? ['jwt', 'at+jwt']).map(type => type.toLowerCase()),
    skew: parseDuration(options.clockSkew ?? '30s', 'identify.jwt.clockSkew'),
    maxAge: options.maxAge === undefined ? undefined : parseDuration(options.maxAge, 'identify.jwt.maxAge'),
    exactly: options.exactly ?? {},
  }
}
