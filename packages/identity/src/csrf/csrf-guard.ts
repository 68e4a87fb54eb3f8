import {
  ALLOW,
  ConfigError,
  type Decision,
  type Exchange,
  type Guard,
  type Mode,
  type Refusal,
  routeException,
} from '@postern/core'
import { readCookies } from '../headers/cookie.ts'
import { credentialOf } from '../verify/credential.ts'
import { type CsrfTokens, csrfTokens } from './csrf-tokens.ts'

declare module '@postern/core' {
  interface RouteSettings {
    /**
     * `false`: other sites may send requests here (a webhook, a form of a partner). `always`:
     * checked whatever the method, for a GET that changes something. Default: checked for
     * methods other than GET, HEAD and OPTIONS, and for upgrades (WebSocket).
     */
    readonly csrf?: false | 'always'
  }
}

/** Which other origins may send requests with cookies, and the secret of tokens. */
export interface CsrfOptions {
  /** Origins besides the request's own whose pages may send requests: `https://admin.example`. */
  readonly origins?: readonly string[]
  /**
   * At least 32 bytes. With it, a request that tells neither where it comes from may show a token instead.
   */
  readonly secret?: Uint8Array
  /** Cookies that sign somebody in. Default: any cookie, for one of them may. */
  readonly cookies?: readonly string[]
  readonly mode?: Mode
}

const SAFE: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS'])

/**
 * Refuses requests that another site made a browser send with its cookies. Told by `Sec-Fetch-Site`
 * (all browsers since 2023), else by `Origin`, else by a token. A request without cookies, client
 * certificate or HTTP authentication carries nobody's authority and passes; so does one by
 * `Authorization: Bearer`, which no other site can add.
 * @throws ConfigError for an invalid origin
 */
export function csrfGuard(options: CsrfOptions = {}): Guard {
  const origins = new Set((options.origins ?? []).map(originOf))
  const tokens = options.secret === undefined ? undefined : csrfTokens(options.secret)
  const decide = (exchange: Exchange): Decision => {
    const setting = exchange.route?.settings.csrf
    if (setting === false || (setting !== 'always' && !mayChange(exchange))) return ALLOW
    if (!carriesAuthority(exchange, options.cookies)) return ALLOW
    return check(exchange, origins, tokens, setting === 'always')
  }
  return {
    name: 'csrf',
    failure: 'closed',
    ...(options.mode !== undefined && { mode: options.mode }),
    decide,
    wouldRefuse: decide,
  }
}

/**
 * Whether a request may change something. A connection that is upgraded carries whatever its page sends from
 * then on, and is not held to CORS; a GET may ask to be treated as another method, which WordPress obeys.
 */
function mayChange(exchange: Exchange): boolean {
  return (
    !SAFE.has(exchange.method) ||
    isUpgrade(exchange) ||
    exchange.methodOverrides.some(({ method }) => !SAFE.has(method))
  )
}

function isUpgrade(exchange: Exchange): boolean {
  return exchange.headerCount('upgrade') > 0
}

function check(
  exchange: Exchange,
  origins: ReadonlySet<string>,
  tokens: CsrfTokens | undefined,
  always: boolean,
): Decision {
  const origin = exchange.header('origin')
  const site = exchange.header('sec-fetch-site')
  if (exchange.headerCount('origin') > 1 || exchange.headerCount('sec-fetch-site') > 1)
    return refusal(exchange, 'repeated')
  // An allowed origin is allowed whatever the browser calls the relation.
  if (origin !== undefined && origin !== 'null' && origins.has(origin)) return ALLOW
  if (site !== undefined) return checkSite(exchange, site, always)
  if (origin !== undefined) return isOwn(origin, exchange) ? ALLOW : refusal(exchange, 'origin')
  if (tokens === undefined) return isBrowser(exchange) ? refusal(exchange, 'untold') : ALLOW
  return tokens.holds(exchange) ? ALLOW : refusal(exchange, 'token')
}

/** @param site what `Sec-Fetch-Site` says: how the page that sent a request is related to its target */
function checkSite(exchange: Exchange, site: string, always: boolean): Decision {
  if (site === 'same-origin') return ALLOW
  // Typed in or opened from a bookmark: nobody sent it. A form cannot be, so only what reads.
  if (site === 'none' && (always || SAFE.has(exchange.method))) return ALLOW
  return refusal(exchange, site === 'same-site' ? 'same-site' : 'cross-site')
}

/**
 * Whether a browser may have added somebody's authority by itself: cookies, HTTP authentication, a client
 * certificate, a proxy that signs its users in.
 */
function carriesAuthority(exchange: Exchange, names: readonly string[] | undefined): boolean {
  if (credentialOf(exchange.principal)?.isAmbient === true || hasCertificate(exchange)) return true
  const cookie = exchange.header('cookie')
  if (names === undefined ? cookie !== undefined : names.some(name => readCookies(cookie, name).length > 0))
    return true
  return /^(?:basic|digest|negotiate|ntlm)\b/i.test(exchange.header('authorization')?.trim() ?? '')
}

/** One that TLS verified, in this process: the application may read it, whoever identifies here. */
function hasCertificate({ source }: Exchange): boolean {
  const native = source.native as { readonly socket?: { readonly authorized?: boolean } } | undefined
  return native?.socket?.authorized === true
}

/**
 * Browsers send of a WebSocket its origin and no more. Behind TLS that somebody else terminates the scheme
 * may not be known, so its host decides there; for all else `Sec-Fetch-Site` decides first.
 */
function isOwn(origin: string, exchange: Exchange): boolean {
  if (origin === ownOrigin(exchange)) return true
  if (!isUpgrade(exchange) || !URL.canParse(origin)) return false
  const { host, protocol } = new URL(origin)
  const text = `${protocol}//${exchange.host}`
  return /^https?:$/.test(protocol) && URL.canParse(text) && new URL(text).host === host
}

/** Host with its port, as in `Origin`: default ports are left out. */
function ownOrigin(exchange: Exchange): string {
  const text = `${exchange.scheme}://${exchange.host}`
  return URL.canParse(text) ? new URL(text).origin : ''
}

/** Every browser names Mozilla; a command line tool with a cookie file is not tricked by another site. */
function isBrowser(exchange: Exchange): boolean {
  return exchange.header('user-agent')?.startsWith('Mozilla/') === true
}

type Why = 'repeated' | 'same-site' | 'cross-site' | 'origin' | 'untold' | 'token'

function refusal(exchange: Exchange, why: Why): Refusal {
  return {
    effect: 'deny',
    guard: 'csrf',
    status: 403,
    reasons: [
      {
        rule: `csrf/${why}`,
        message: 'This request came from another site. Please go to this site and try again there.',
        evidence: { location: why === 'origin' ? 'header.origin' : 'header.sec-fetch-site' },
        exception: routeException(exchange, { csrf: false }),
      },
    ],
  }
}

function originOf(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url !== undefined && url.origin === text && !text.includes('*')) return url.origin
  throw new ConfigError({
    place: 'csrf.origins',
    problem: `"${text.slice(0, 100)}" is not an origin`,
    hint: 'write scheme, host and port only, e.g. https://admin.example',
  })
}
