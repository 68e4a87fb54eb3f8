import { ConfigError } from '@postern/core'

/** Directives of a Content-Security-Policy; `'nonce'` in a value becomes the nonce of the answer. */
export type CspDirectives = Readonly<Record<string, string>>

/** Security headers of answers. Each may be another value, or false to leave it out. */
export interface HeaderPolicy {
  /** For HTML. Keys are directives. */
  readonly contentSecurityPolicy: CspDirectives | false
  /** `enforce`, or `report` to report only. */
  readonly cspMode: 'enforce' | 'report'
  /** On HTTPS only. */
  readonly strictTransportSecurity: string | false
  readonly crossOriginOpenerPolicy: string | false
  readonly crossOriginResourcePolicy: string | false
  readonly referrerPolicy: string | false
  readonly permissionsPolicy: string | false
  readonly frameOptions: string | false
  /** Cookies of the backend: tightened, only reported on, or left alone. */
  readonly cookies: 'tighten' | 'report' | false
}

/** `strict`, `compatible`, or changes to one of them (`base`, default `strict`). */
export type HeadersSetting =
  | 'strict'
  | 'compatible'
  | (Partial<HeaderPolicy> & { readonly base?: 'strict' | 'compatible' })

/** Where browsers report violations. */
export const REPORT_PATH = '/.postern/csp-report'

const NO_POWERS =
  'accelerometer=(), autoplay=(), camera=(), display-capture=(), encrypted-media=(), fullscreen=(self), geolocation=(), gyroscope=(), hid=(), magnetometer=(), microphone=(), midi=(), payment=(), publickey-credentials-get=(self), screen-wake-lock=(), serial=(), usb=(), xr-spatial-tracking=()'

const STRICT: HeaderPolicy = {
  contentSecurityPolicy: {
    'default-src': "'self'",
    'base-uri': "'none'",
    'font-src': "'self'",
    'form-action': "'self'",
    'frame-ancestors': "'none'",
    'img-src': "'self' data:",
    'object-src': "'none'",
    'script-src': "'self' 'nonce'",
    'script-src-attr': "'none'",
    'style-src': "'self' 'nonce'",
    'upgrade-insecure-requests': '',
  },
  cspMode: 'enforce',
  strictTransportSecurity: 'max-age=63072000; includeSubDomains',
  crossOriginOpenerPolicy: 'same-origin',
  crossOriginResourcePolicy: 'same-origin',
  referrerPolicy: 'no-referrer',
  permissionsPolicy: NO_POWERS,
  frameOptions: 'DENY',
  cookies: 'tighten',
}

/**
 * What hardly any application notices: the policy for content only reports, and
 * sign-in windows of other sites still work.
 */
const COMPATIBLE: HeaderPolicy = {
  contentSecurityPolicy: {
    ...(STRICT.contentSecurityPolicy as CspDirectives),
    'base-uri': "'self'",
    'font-src': "'self' https: data:",
    'frame-ancestors': "'self'",
    'img-src': "'self' https: data:",
    'style-src': "'self' https: 'unsafe-inline'",
  },
  cspMode: 'report',
  strictTransportSecurity: 'max-age=15552000',
  crossOriginOpenerPolicy: 'same-origin-allow-popups',
  crossOriginResourcePolicy: 'same-site',
  referrerPolicy: 'strict-origin-when-cross-origin',
  permissionsPolicy: false,
  frameOptions: 'SAMEORIGIN',
  cookies: 'tighten',
}

/**
 * The policy that a setting stands for. @throws ConfigError for a directive or value
 * that would be another header or directive
 */
export function headerPolicy(setting: HeadersSetting): HeaderPolicy {
  if (setting === 'strict') return STRICT
  if (setting === 'compatible') return COMPATIBLE
  const { base = 'strict', ...changes } = setting
  const policy = { ...(base === 'strict' ? STRICT : COMPATIBLE), ...changes }
  for (const [name, value] of Object.entries(policy.contentSecurityPolicy || {}))
    if (!/^[a-z-]+$/.test(name) || /[;,\r\n]/.test(value))
      throw new ConfigError({
        place: `headers.contentSecurityPolicy.${name.slice(0, 40)}`,
        problem: 'not one directive and its sources',
        hint: "one key for each directive, e.g. { 'img-src': \"'self' https://cdn.example\" }",
      })
  return policy
}

/** The text of a policy for one answer. */
export function cspText(directives: CspDirectives, nonce: string): string {
  const parts = Object.entries(directives).map(([name, value]) =>
    value === '' ? name : `${name} ${value.replaceAll("'nonce'", `'nonce-${nonce}'`)}`,
  )
  return `${parts.join('; ')}; report-uri ${REPORT_PATH}; report-to postern`
}
