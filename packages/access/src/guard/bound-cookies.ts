import type { Exchange } from '@postern/core'

/** Words in names of cookies by which applications remember whose data is looked at, or in whose place. */
const WORDS = new RegExp(
  `(?:^|-)(?:${[
    'tenant|tenancy|org|organi[sz]ation|account|acct|workspace|project|team|company|customer|shop|store|realm',
    'namespace|database|db|env|environment|site|merchant|vendor|partner|branch|group|region',
    'impersonate|impersonated|impersonating|impersonation|sudo|as|behalf|acting|dry',
  ].join('|')})s?(?:-|$)`,
)

/** Cookies that prove or remember somebody: their values change from one try to the next. */
const OF_SESSIONS =
  /(?:^|-)(?:sess|session|sessions|sid|token|auth|jwt|csrf|xsrf|secret|signature|sig|nonce|state|seen|consent|visit|visits|visited|last|recent|time|expires|expiry)(?:-|$)/

/**
 * The cookies of a request that a consent or a proof is bound to, as they were sent; undefined when there are
 * none. Many applications keep in one which tenant their user works in.
 */
export function boundCookies(exchange: Exchange): readonly string[] | undefined {
  const bound = (exchange.header('cookie') ?? '')
    .split(';')
    .map(pair => pair.trim())
    // Some servers end a cookie at a comma, too.
    .filter(pair => pair.split(',').some(isBound))
  return bound.length === 0 ? undefined : bound
}

function isBound(pair: string): boolean {
  const name = wordsOf(pair.split('=', 1)[0] ?? '')
  return WORDS.test(name) && !OF_SESSIONS.test(name)
}

/** `currentTenant`, `current_tenant` and `current%5Ftenant` as `current-tenant`. */
function wordsOf(name: string): string {
  return decoded(name.trim().slice(0, 256))
    .replace(/([a-z\d])([A-Z])/g, '$1-$2')
    .toLowerCase()
    .replace(/[^a-z\d]+/g, '-')
}

function decoded(name: string): string {
  try {
    return decodeURIComponent(name)
  } catch {
    return name
  }
}
