/** What must hold of the claims of a token (RFC 7519 section 4.1), beyond its signature. */
export interface ClaimRules {
  /** `iss`, exactly. */
  readonly issuer: string
  /** One of these must be named by the audience claim. */
  readonly audience: readonly string[]
  /** Claim that names the audience. Cognito's access tokens name theirs in `client_id`. */
  readonly audienceClaim: string
  /** Media types allowed in the header's `typ`, in lower case; `absent` allows tokens without one. */
  readonly types: readonly string[]
  /** Milliseconds that clocks may differ. */
  readonly skew: number
  /** Milliseconds since `iat` after which a token is too old whatever its `exp` says. */
  readonly maxAge: number | undefined
  /** Claims that must have exactly these values: `token_use`, `azp`. */
  readonly exactly: Readonly<Record<string, string>>
}

/** The claims of a verified token, by name. */
export type Claims = Readonly<Record<string, unknown>>

/**
 * Whether claims hold at a time. `iss`, `exp` and the audience must be there; `nbf`
 * and `iat` must not lie ahead.
 * @param type of the header, as it is compared
 * @param now epoch milliseconds
 */
export function claimsHold(
  claims: Claims,
  type: string | undefined,
  rules: ClaimRules,
  now: number,
): boolean {
  if (!rules.types.includes(type ?? 'absent')) return false
  if (claims['iss'] !== rules.issuer) return false
  if (!isFor(claims[rules.audienceClaim], rules.audience)) return false
  const { exp, nbf, iat } = claims
  if (!isTime(exp) || exp * 1_000 + rules.skew <= now) return false
  if (nbf !== undefined && (!isTime(nbf) || nbf * 1_000 - rules.skew > now)) return false
  if (iat !== undefined && (!isTime(iat) || iat * 1_000 - rules.skew > now)) return false
  if (rules.maxAge !== undefined && (!isTime(iat) || now - iat * 1_000 > rules.maxAge + rules.skew))
    return false
  for (const name in rules.exactly) if (claims[name] !== rules.exactly[name]) return false
  return true
}

function isFor(claim: unknown, audience: readonly string[]): boolean {
  if (typeof claim === 'string') return audience.includes(claim)
  return Array.isArray(claim) && claim.some(one => typeof one === 'string' && audience.includes(one))
}

function isTime(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0
}
