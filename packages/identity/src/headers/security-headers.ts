import {
  ALLOW,
  type AnswerHead,
  type Decision,
  type Event,
  type Exchange,
  type Guard,
  type RandomSource,
  systemRandom,
} from '@postern/core'
import { CspReports } from './csp-reports.ts'
import {
  cspText,
  type HeaderPolicy,
  type HeadersSetting,
  headerPolicy,
  REPORT_PATH,
} from './header-policy.ts'
import { type CookieChange, tightenCookie } from './tighten-cookie.ts'

declare module '@postern/core' {
  interface RouteSettings {
    /** Security headers of this route's answers, in place of the global ones; false for none. */
    readonly headers?: HeadersSetting | false
  }
}

/** The policy, and where reports of browsers go. */
export interface SecurityHeadersOptions {
  /** Default: `strict`. */
  readonly policy?: HeadersSetting
  /** Receives `csp.violation` and `cookie.tightened` events. */
  readonly onEvent?: (event: Event) => void
  readonly random?: RandomSource
}

/** Request header in which the handler or backend finds the nonce for its inline scripts and styles. */
const NONCE_HEADER = 'x-csp-nonce'

/** Changes of cookies that are reported once each. */
const MAX_REPORTED = 500

/**
 * Sets the security headers that an answer does not set itself, takes away `X-Powered-By`, and tightens
 * cookies. It serves the endpoint where browsers report violations of the content policy.
 * @throws ConfigError for a policy that cannot be written
 */
export function securityHeaders(options: SecurityHeadersOptions = {}): Guard {
  const random = options.random ?? systemRandom
  const emit = options.onEvent ?? (() => {})
  const reports = new CspReports(emit)
  const global = headerPolicy(options.policy ?? 'strict')
  const compiled = new WeakMap<object, HeaderPolicy>()
  const nonces = new WeakMap<Exchange, string>()
  const reported = new Set<string>()

  const policyOf = (exchange: Exchange): HeaderPolicy | undefined => {
    const setting = exchange.route?.settings.headers
    if (setting === undefined) return global
    if (setting === false) return undefined
    if (typeof setting === 'string') return headerPolicy(setting)
    const known = compiled.get(setting) ?? headerPolicy(setting)
    compiled.set(setting, known)
    return known
  }

  const report = (exchange: Exchange, change: CookieChange): void => {
    const key = `${change.name} ${change.added.join(' ')}`
    if (reported.has(key) || reported.size >= MAX_REPORTED) return
    reported.add(key)
    emit({
      type: 'cookie.tightened',
      time: exchange.time,
      actor: {},
      data: { cookie: change.name, added: [...change.added], path: exchange.path.canonical.slice(0, 1_024) },
    })
  }

  const cookies = (exchange: Exchange, head: AnswerHead, policy: HeaderPolicy): void => {
    if (policy.cookies === false) return
    const lines = head.getAll('set-cookie')
    if (lines.length === 0) return
    const next = lines.map(line => tightenCookie(line, exchange.scheme))
    for (const { change } of next) if (change !== undefined) report(exchange, change)
    if (policy.cookies === 'tighten' && next.some(({ change }) => change !== undefined))
      head.set(
        'Set-Cookie',
        next.map(({ line }) => line),
      )
  }

  return {
    name: 'headers',
    failure: 'open',
    decide: (exchange): Decision | Promise<Decision> => {
      if (exchange.path.canonical === REPORT_PATH) return reports.take(exchange)
      const policy = policyOf(exchange)
      // What a client sent under this name must not be taken for ours.
      if (policy === undefined || policy.contentSecurityPolicy === false || !mayBePage(exchange)) {
        if (exchange.headerCount(NONCE_HEADER) > 0) exchange.setRequestHeader(NONCE_HEADER, undefined)
        return ALLOW
      }
      const nonce = Buffer.from(random.bytes(16)).toString('base64')
      nonces.set(exchange, nonce)
      exchange.setRequestHeader(NONCE_HEADER, nonce)
      return ALLOW
    },
    onAnswer: (exchange, head) => {
      const policy = policyOf(exchange)
      if (policy === undefined) return
      head.remove('x-powered-by')
      cookies(exchange, head, policy)
      for (const [name, value] of fixedHeaders(policy, exchange.scheme)) addMissing(head, name, value)
      const nonce = nonces.get(exchange)
      if (policy.contentSecurityPolicy === false || nonce === undefined || !isHtml(head)) return
      const name =
        policy.cspMode === 'enforce' ? 'Content-Security-Policy' : 'Content-Security-Policy-Report-Only'
      if (head.get('content-security-policy') === undefined && head.get(name) === undefined) {
        head.set(name, cspText(policy.contentSecurityPolicy, nonce))
        addMissing(head, 'Reporting-Endpoints', `postern="${REPORT_PATH}"`)
      }
    },
  }
}

function fixedHeaders(
  policy: HeaderPolicy,
  scheme: 'http' | 'https',
): readonly (readonly [string, string | false])[] {
  return [
    ['Strict-Transport-Security', scheme === 'https' && policy.strictTransportSecurity],
    ['Cross-Origin-Opener-Policy', policy.crossOriginOpenerPolicy],
    ['Cross-Origin-Resource-Policy', policy.crossOriginResourcePolicy],
    ['Origin-Agent-Cluster', '?1'],
    ['Referrer-Policy', policy.referrerPolicy],
    ['Permissions-Policy', policy.permissionsPolicy],
    ['X-Content-Type-Options', 'nosniff'],
    ['X-DNS-Prefetch-Control', 'off'],
    ['X-Download-Options', 'noopen'],
    ['X-Frame-Options', policy.frameOptions],
    ['X-Permitted-Cross-Domain-Policies', 'none'],
    ['X-XSS-Protection', '0'],
  ]
}

function addMissing(head: AnswerHead, name: string, value: string | false): void {
  if (value !== false && head.get(name) === undefined) head.set(name, value)
}

function isHtml(head: AnswerHead): boolean {
  return /^(?:text\/html|application\/xhtml\+xml)\b/i.test(head.get('content-type') ?? '')
}

/** A nonce is made only where a page may be asked for: clients of an API never say so. */
function mayBePage(exchange: Exchange): boolean {
  return exchange.header('accept')?.includes('text/html') === true
}
