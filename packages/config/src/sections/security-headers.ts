import type { HeadersSetting } from '@postern/identity/headers'
import * as z from 'zod'
import { key, orOff, section } from '../key.ts'
import { oneOf } from '../types.ts'

const csp = z.record(
  z.string().regex(/^[a-z-]+$/),
  z.string().regex(/^[^;,\r\n]*$/, 'must be the sources of one directive'),
)
const headerText = z.union([
  z.literal(false),
  z.string().regex(/^[\x20-\x7e]{1,2000}$/, 'must be a header value'),
])

/** Changes to the security headers of `strict` or `compatible`. */
export interface HeaderChangesConfig {
  /** What is changed. Default: `strict`. */
  readonly base?: 'strict' | 'compatible' | undefined
  /** Content-Security-Policy of pages, by directive. `'nonce'` in a value becomes the nonce of the answer. */
  readonly contentSecurityPolicy?: Readonly<Record<string, string>> | false | undefined
  /** `enforce`, or `report` to only log. */
  readonly cspMode?: 'enforce' | 'report' | undefined
  /** Strict-Transport-Security, on HTTPS. */
  readonly strictTransportSecurity?: string | false | undefined
  /** Cross-Origin-Opener-Policy. */
  readonly crossOriginOpenerPolicy?: string | false | undefined
  /** Cross-Origin-Resource-Policy. */
  readonly crossOriginResourcePolicy?: string | false | undefined
  /** Referrer-Policy. */
  readonly referrerPolicy?: string | false | undefined
  /** Permissions-Policy. */
  readonly permissionsPolicy?: string | false | undefined
  /** X-Frame-Options. */
  readonly frameOptions?: string | false | undefined
  /** Cookies of the backend: `tighten`, `report`, or `false` to leave them alone. */
  readonly cookies?: 'tighten' | 'report' | false | undefined
}

/** Security headers as they are written. */
export type HeadersConfig = 'strict' | 'compatible' | HeaderChangesConfig

type Changes = Exclude<HeadersSetting, string>

const changes: z.ZodType<Changes, HeaderChangesConfig> = section<Changes, HeaderChangesConfig>(
  'HeaderChangesConfig',
  {
    base: key(oneOf('strict', 'compatible'), {
      description: 'What is changed.',
      defaultText: '`strict`',
      example: 'compatible',
    }),
    contentSecurityPolicy: key(orOff(csp), {
      description:
        "Content-Security-Policy of pages, by directive. `'nonce'` in a value becomes the nonce of the answer.",
      example: { 'default-src': "'self'" },
    }),
    cspMode: key(oneOf('enforce', 'report'), {
      description: '`enforce`, or `report` to only log.',
      example: 'report',
    }),
    strictTransportSecurity: key(headerText, {
      description: 'Strict-Transport-Security, on HTTPS.',
      example: 'max-age=86400',
    }),
    crossOriginOpenerPolicy: key(headerText, {
      description: 'Cross-Origin-Opener-Policy.',
      example: 'unsafe-none',
    }),
    crossOriginResourcePolicy: key(headerText, {
      description: 'Cross-Origin-Resource-Policy.',
      example: 'cross-origin',
    }),
    referrerPolicy: key(headerText, { description: 'Referrer-Policy.', example: 'same-origin' }),
    permissionsPolicy: key(headerText, { description: 'Permissions-Policy.', example: 'camera=()' }),
    frameOptions: key(headerText, { description: 'X-Frame-Options.', example: 'SAMEORIGIN' }),
    cookies: key(z.union([z.literal(false), oneOf('tighten', 'report')]), {
      description: 'Cookies of the backend: `tighten`, `report`, or `false` to leave them alone.',
      example: 'report',
    }),
  },
)

/** Security headers of a route. */
export const routeHeaders: z.ZodType<HeadersSetting | false, HeadersConfig | false> = z.union([
  z.literal(false),
  oneOf('strict', 'compatible'),
  changes,
])

/** `headers`. */
export const headers: z.ZodType<HeadersSetting | false, HeadersConfig | false | undefined> = key(
  routeHeaders,
  {
    description:
      'Security headers that answers do not set themselves: `strict`, `compatible` (content policy only reports), or changes to one of them.',
    default: false,
    defaultText: 'off',
    example: 'compatible',
  },
)
