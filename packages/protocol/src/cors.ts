import { ConfigError, type Exchange } from '@postern/core'

/** Which pages of other origins may read answers of a route, and send what. */
export interface CorsSettings {
  /** `https://app.example.com`, `https://*.example.com` for every host below, or `*` for all. */
  readonly origins: readonly string[]
  /** Whether pages may send cookies and read what comes back. */
  readonly credentials: boolean
  /** Methods in a preflight's answer; undefined for those that the route answers. */
  readonly methods?: readonly string[] | undefined
  /** Request headers in a preflight's answer; undefined for those that it asks for. */
  readonly headers?: readonly string[] | undefined
  /** Answer headers that pages may read, besides those that tell of limits and refusals. */
  readonly expose: readonly string[]
  /** Milliseconds for which browsers may remember the answer to a preflight. */
  readonly maxAge: number
  /** Whether Postern answers preflights, or the backend does. */
  readonly preflight: 'answer' | 'pass'
}

declare module '@postern/core' {
  interface RouteSettings {
    /** Which pages of other origins may read answers here; `false` for none. */
    readonly cors?: CorsSettings | false
  }
}

/** What a page needs to tell its user why it was refused, and when to try again. */
const EXPOSED: readonly string[] = [
  'Retry-After',
  'RateLimit',
  'RateLimit-Policy',
  'X-RateLimit-Limit',
  'X-RateLimit-Remaining',
  'X-RateLimit-Reset',
  'X-Request-Id',
]

const ORIGIN = /^https?:\/\/(?:\*\.)?(?:[a-z\d_-]+(?:\.[a-z\d_-]+)*|\[[\da-f:.]+\])(?::\d{1,5})?$/
const BELOW = /^[a-z\d_-]+(?:\.[a-z\d_-]+)*$/

/**
 * Checks the settings of a route where they are read.
 * @throws ConfigError for what is not an origin, and for credentials together with every
 *   origin: any page could then act as the user
 */
export function checkCors({ origins, credentials }: CorsSettings): void {
  const wrong = origins.find(origin => origin !== '*' && origin !== 'null' && !ORIGIN.test(origin))
  if (wrong !== undefined)
    throw new ConfigError({
      place: '.origins',
      problem: `"${wrong.slice(0, 80)}" is not an origin`,
      hint: 'scheme, host in lower case and port, without a path, e.g. https://app.example.com or https://*.example.com',
    })
  // Every page can have the origin "null": in a frame that it gives the attribute sandbox.
  const any = origins.find(origin => origin === '*' || origin === 'null')
  if (credentials && any !== undefined)
    throw new ConfigError({
      place: '.credentials',
      problem: `cannot be true for the origin "${any}": any page could act as its visitor`,
      hint: 'list the origins, e.g. origins: ["https://app.example.com"]',
    })
}

/** The origin of the page that sent a request, if it may read the answer. */
export function allowedOrigin(exchange: Exchange, cors: CorsSettings): string | undefined {
  const origin = exchange.header('origin')?.toLowerCase()
  if (origin === undefined || exchange.headerCount('origin') !== 1) return undefined
  return cors.origins.some(pattern => isOrigin(pattern, origin)) ? origin : undefined
}

function isOrigin(pattern: string, origin: string): boolean {
  if (pattern === '*') return true
  const star = pattern.indexOf('*.')
  if (star < 0) return pattern === origin
  const scheme = pattern.slice(0, star)
  const rest = pattern.slice(star + 1)
  return (
    origin.length > scheme.length + rest.length &&
    origin.startsWith(scheme) &&
    origin.endsWith(rest) &&
    BELOW.test(origin.slice(scheme.length, origin.length - rest.length))
  )
}

/**
 * Headers that let the page read this answer: name, value, ... Undefined where it may not, or needs no leave.
 */
export function corsHeaders(exchange: Exchange, cors: CorsSettings): readonly string[] | undefined {
  const origin = allowedOrigin(exchange, cors)
  if (origin === undefined) return undefined
  const isAll = cors.origins.includes('*')
  return [
    'Access-Control-Allow-Origin',
    isAll ? '*' : (exchange.header('origin') as string),
    'Access-Control-Expose-Headers',
    [...EXPOSED, ...cors.expose].join(', '),
    ...(cors.credentials ? ['Access-Control-Allow-Credentials', 'true'] : []),
    ...(isAll ? [] : ['Vary', 'Origin']),
  ]
}
