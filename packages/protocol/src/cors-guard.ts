import {
  ALLOW,
  type Answer,
  type AnswerHead,
  type Exchange,
  type Guard,
  isPreflight,
  type RouteTable,
} from '@postern/core'
import { allowedOrigin, type CorsSettings, corsHeaders } from './cors.ts'

/** The settings of routes without settings of their own, and the methods that routes have. */
export interface CorsOptions {
  /** For routes that say nothing themselves; `false` for none. */
  readonly cors: CorsSettings | false
  /** The engine's routes: a preflight falls under those of the method that it asks for. */
  readonly routes: RouteTable
  /** Methods in a preflight's answer where neither `cors` nor the route names any. */
  readonly methods: readonly string[]
}

/**
 * The guard that answers preflights, and adds what a page of another origin needs to read an answer (Fetch
 * standard, "CORS protocol"). Place it first: a preflight that is refused hides from the page why its request
 * would be. What a handler or backend says itself about origins stays.
 */
export function corsGuard(options: CorsOptions): Guard {
  return {
    name: 'cors',
    failure: 'open',
    decide: exchange => {
      if (!isPreflight(exchange)) return ALLOW
      const cors = settingsOf(exchange, options)
      if (cors === undefined || cors.preflight === 'pass') return ALLOW
      return { effect: 'allow', answer: preflightAnswer(exchange, cors, options) }
    },
    onAnswer: (exchange, head) => {
      if (head.get('access-control-allow-origin') !== undefined || isPreflight(exchange)) return
      const cors = settingsOf(exchange, options)
      if (cors === undefined) return
      const headers = corsHeaders(exchange, cors)
      if (headers === undefined) {
        keepApart(exchange, head, cors)
        return
      }
      for (let i = 0; i + 1 < headers.length; i += 2) {
        const name = headers[i] as string
        if (name === 'Vary') head.append(name, headers[i + 1] as string)
        else head.set(name, headers[i + 1] as string)
      }
    },
  }
}

/**
 * Says that an answer without leave depends on who asked: a cache between would give it to pages that have
 * leave (Fetch standard, "CORS protocol and HTTP caches").
 */
function keepApart({ method }: Exchange, head: AnswerHead, { origins }: CorsSettings): void {
  if (origins.includes('*') || (method !== 'GET' && method !== 'HEAD')) return
  if (!NAMES_ORIGIN.test(head.get('vary') ?? '')) head.append('Vary', 'Origin')
}

/** The headers of an answer that Postern makes itself. */
export function corsHeadersOf(exchange: Exchange, options: CorsOptions): readonly string[] | undefined {
  if (exchange.header('origin') === undefined || isPreflight(exchange)) return undefined
  const cors = settingsOf(exchange, options)
  return cors === undefined ? undefined : corsHeaders(exchange, cors)
}

function settingsOf(exchange: Exchange, options: CorsOptions): CorsSettings | undefined {
  const route = isPreflight(exchange) ? routeAskedFor(exchange, options) : exchange.route
  const cors = route?.settings.cors ?? options.cors
  return cors === false ? undefined : cors
}

function routeAskedFor(exchange: Exchange, { routes }: CorsOptions): Exchange['route'] {
  const { canonical, raw } = exchange.path
  return routes.match(exchange.header('access-control-request-method') ?? '', canonical, raw)
}

/** 204, with leave or, for a page that may not, without: the browser then tells its developer. */
function preflightAnswer(exchange: Exchange, cors: CorsSettings, options: CorsOptions): Answer {
  const asked = exchange.header('access-control-request-headers')
  const vary = 'Origin, Access-Control-Request-Method, Access-Control-Request-Headers'
  if (allowedOrigin(exchange, cors) === undefined) return { status: 204, headers: ['Vary', vary], body: '' }
  const methods = cors.methods ?? routeAskedFor(exchange, options)?.settings.methods ?? options.methods
  const headers =
    cors.headers?.join(', ') ?? (asked !== undefined && HEADER_LIST.test(asked) ? asked : undefined)
  const list = [
    'Access-Control-Allow-Origin',
    cors.origins.includes('*') ? '*' : (exchange.header('origin') as string),
    ...(cors.credentials ? ['Access-Control-Allow-Credentials', 'true'] : []),
    'Access-Control-Allow-Methods',
    methods.join(', '),
    ...(headers === undefined ? [] : ['Access-Control-Allow-Headers', headers]),
    'Access-Control-Max-Age',
    String(Math.floor(cors.maxAge / 1_000)),
    'Vary',
    vary,
  ]
  return { status: 204, headers: list, body: '' }
}

/** Field names as a browser lists them. */
const HEADER_LIST = /^[\w\-, ]{1,1024}$/

/** A `Vary` under which caches tell origins apart, or keep nothing. */
const NAMES_ORIGIN = /(?:^|,)\s*(?:origin|\*)\s*(?:,|$)/i
