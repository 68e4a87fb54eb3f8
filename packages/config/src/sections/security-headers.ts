import type { HeadersSetting } from '@postern/identity/headers'
import * as z from 'zod/mini'
import { key, orOff, section } from '../key/key.ts'
import { oneOf } from '../key/types.ts'

const csp = z.record(
  z
    .string()
    .check(z.regex(/^[a-z-]+$/, 'the name of a directive has small letters and "-", e.g. "script-src"')),
  z.string().check(z.regex(/^[^;,\r\n]*$/, 'must be the sources of one directive')),
)
const headerText = z.union([
  z.literal(false),
  z.string().check(z.regex(/^[\x20-\x7e]{1,2000}$/, 'must be a header value')),
])

/** Changes to the security headers of `strict` or `compatible`. */
export interface HeaderChangesConfig {
  /**
   * The set of headers that the other keys change; what they do not name keeps its value. Default: `strict`.
   */
  readonly base?: 'strict' | 'compatible' | undefined
  /**
   * `Content-Security-Policy` of HTML, by directive, in place of the whole policy of `base`. `'nonce'` in a
   * value becomes the nonce of the answer; `false` sends none.
   */
  readonly contentSecurityPolicy?: Readonly<Record<string, string>> | false | undefined
  /**
   * `enforce`: browsers block what the content policy does not allow. `report`: they only report it. Default:
   * `enforce` in `strict`, `report` in `compatible`.
   */
  readonly cspMode?: 'enforce' | 'report' | undefined
  /**
   * `Strict-Transport-Security`, on HTTPS only; `false` sends none. `strict`: two years, with subdomains.
   * `compatible`: 180 days.
   */
  readonly strictTransportSecurity?: string | false | undefined
  /**
   * `Cross-Origin-Opener-Policy`; `false` sends none. `strict`: `same-origin`. `compatible`:
   * `same-origin-allow-popups`.
   */
  readonly crossOriginOpenerPolicy?: string | false | undefined
  /**
   * `Cross-Origin-Resource-Policy`; `false` sends none. `strict`: `same-origin`. `compatible`: `same-site`.
   */
  readonly crossOriginResourcePolicy?: string | false | undefined
  /**
   * `Referrer-Policy`; `false` sends none. `strict`: `no-referrer`. `compatible`:
   * `strict-origin-when-cross-origin`.
   */
  readonly referrerPolicy?: string | false | undefined
  /**
   * `Permissions-Policy`; `false` sends none. `strict` denies camera, microphone, location and 15 other
   * features. `compatible` sends none.
   */
  readonly permissionsPolicy?: string | false | undefined
  /** `X-Frame-Options`; `false` sends none. `strict`: `DENY`. `compatible`: `SAMEORIGIN`. */
  readonly frameOptions?: string | false | undefined
  /** Cookies of the backend: `tighten`, `report`, or `false` to leave them alone. */
  readonly cookies?: 'tighten' | 'report' | false | undefined
}

/** Security headers as they are written. */
export type HeadersConfig = 'strict' | 'compatible' | HeaderChangesConfig

type Changes = Exclude<HeadersSetting, string>

const changes: z.ZodMiniType<Changes, HeaderChangesConfig> = section<Changes, HeaderChangesConfig>(
  'HeaderChangesConfig',
  () => ({
    base: key(oneOf('strict', 'compatible'), {
      description: 'The set of headers that the other keys change; what they do not name keeps its value.',
      defaultText: '`strict`',
      example: 'compatible',
    }),
    contentSecurityPolicy: key(orOff(csp), {
      description:
        "`Content-Security-Policy` of HTML, by directive, in place of the whole policy of `base`. `'nonce'` in a value becomes the nonce of the answer; `false` sends none.",
      example: { 'default-src': "'self'" },
    }),
    cspMode: key(oneOf('enforce', 'report'), {
      description:
        '`enforce`: browsers block what the content policy does not allow. `report`: they only report it. Default: `enforce` in `strict`, `report` in `compatible`.',
      example: 'report',
    }),
    strictTransportSecurity: key(headerText, {
      description:
        '`Strict-Transport-Security`, on HTTPS only; `false` sends none. `strict`: two years, with subdomains. `compatible`: 180 days.',
      example: 'max-age=86400',
    }),
    crossOriginOpenerPolicy: key(headerText, {
      description:
        '`Cross-Origin-Opener-Policy`; `false` sends none. `strict`: `same-origin`. `compatible`: `same-origin-allow-popups`.',
      example: 'unsafe-none',
    }),
    crossOriginResourcePolicy: key(headerText, {
      description:
        '`Cross-Origin-Resource-Policy`; `false` sends none. `strict`: `same-origin`. `compatible`: `same-site`.',
      example: 'cross-origin',
    }),
    referrerPolicy: key(headerText, {
      description:
        '`Referrer-Policy`; `false` sends none. `strict`: `no-referrer`. `compatible`: `strict-origin-when-cross-origin`.',
      example: 'same-origin',
    }),
    permissionsPolicy: key(headerText, {
      description:
        '`Permissions-Policy`; `false` sends none. `strict` denies camera, microphone, location and 15 other features. `compatible` sends none.',
      example: 'camera=()',
    }),
    frameOptions: key(headerText, {
      description: '`X-Frame-Options`; `false` sends none. `strict`: `DENY`. `compatible`: `SAMEORIGIN`.',
      example: 'SAMEORIGIN',
    }),
    cookies: key(z.union([z.literal(false), oneOf('tighten', 'report')]), {
      description: 'Cookies of the backend: `tighten`, `report`, or `false` to leave them alone.',
      example: 'report',
    }),
  }),
)

/** Security headers of a route. */
export const routeHeaders: z.ZodMiniType<HeadersSetting | false, HeadersConfig | false> = z.union([
  z.literal(false),
  oneOf('strict', 'compatible'),
  changes,
])

/** `headers`. */
export const headers: z.ZodMiniType<HeadersSetting | false, HeadersConfig | false | undefined> = key(
  routeHeaders,
  {
    description:
      'Security headers that answers do not set themselves: `strict`, `compatible` (content policy only reports), or changes to one of them.',
    default: false,
    defaultText: 'off',
    example: 'compatible',
  },
)
