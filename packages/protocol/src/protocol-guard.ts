import {
  ALLOW,
  type ByteSize,
  ConfigError,
  type Decision,
  type Exchange,
  exemptingPattern,
  formMethodOverrides,
  type Guard,
  type MethodOverride,
  type Mode,
  mayHoldRequests,
  mayOverrideInForm,
  parseByteSize,
  type RouteTable,
  routeException,
} from '@postern/core'
import { holdsRiskyRequest, isRiskyBatch } from './batch-risk.ts'
import { checkBody, checkType } from './check-body.ts'
import { checkHost } from './check-host.ts'
import { type PathRisk, pathRisk } from './path-risk.ts'
import { dropPlantedCookies } from './planted-cookies.ts'
import type { ProtocolLimits } from './protocol-limits.ts'
import { type ProtocolFault, protocolRefusal } from './protocol-refusal.ts'
import { type RequestHead, readRequestHead } from './request-head.ts'
import './route-settings.ts'

/** The methods, media types, sizes and paths that are accepted. */
export interface ProtocolOptions {
  /**
   * Methods any route may answer. Default: GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS and those of WebDAV.
   * A route's `methods` overrides it.
   */
  readonly methods?: readonly string[]
  /** Media types that every route accepts. Default: all. A route's `contentTypes` overrides it. */
  readonly contentTypes?: readonly string[]
  /** Largest declared body. Default: 100 MiB. A route's `maxBody` overrides it. */
  readonly maxBody?: ByteSize
  /** Most headers of a request. Default: 100. */
  readonly maxHeaders?: number
  /** Most bytes of all headers together. Default: 32 KiB. */
  readonly maxHeaderBytes?: ByteSize
  /** Longest value of one header. Default: 16 KiB. */
  readonly maxHeaderValue?: ByteSize
  /** Longest request target. Default: 16 KiB. */
  readonly maxTarget?: ByteSize
  /** Kinds of ambiguous path to allow everywhere. Default: none. */
  readonly allowPaths?: readonly PathRisk[]
  /**
   * Methods that a request may ask to be treated as (`X-HTTP-Method-Override`, `X-Method-Override`,
   * `X-HTTP-Method`, `_method` in query or form); `false` for none. By default those that would be answered
   * if they were sent. A route's `methodOverride` overrides it.
   */
  readonly methodOverride?: readonly string[] | false
  /**
   * Whether posted forms are read for `_method`: needed where rules hold for single
   * methods. Default: `false`.
   */
  readonly readForms?: boolean
  /**
   * Whether the bodies of batches are read for requests that are under rules of other routes. Default:
   * `false`.
   */
  readonly readBatches?: boolean
  /** Headers such as `X-Original-URL` to let through, in lower case; none by default. */
  readonly allowOverrides?: readonly string[]
  /** The engine's routes: an encoded slash is allowed wherever it changes no rule. */
  readonly routes?: RouteTable
  readonly mode?: Mode
}

/**
 * Those of HTTP, and of WebDAV, CalDAV and Subversion (RFC 4918, 3253, 4791, 5323): a backend that has
 * none of the latter answers 405 itself.
 */
const STANDARD_METHODS: readonly string[] = [
  ...['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'],
  ...['PROPFIND', 'PROPPATCH', 'MKCOL', 'COPY', 'MOVE', 'LOCK', 'UNLOCK', 'REPORT', 'MKCALENDAR', 'SEARCH'],
  ...['MERGE', 'MKACTIVITY', 'CHECKOUT'],
]
/** Methods that echo secrets, open tunnels or attach debuggers; never an application's own. */
const NEVER: ReadonlySet<string> = new Set(['TRACE', 'TRACK', 'CONNECT', 'DEBUG'])

const ASKS_FOR_ANOTHER = {
  rule: 'override',
  status: 400,
  message: 'This request asks to be treated as a different one, which is not accepted here.',
}

/** What nobody but the backend can read may ask for any method. */
const UNREADABLE_FORM: ProtocolFault = {
  rule: 'content-type',
  status: 415,
  message:
    'This form cannot be read here: its Content-Encoding is unknown or broken, or it has too many parts.',
  location: 'body',
  headers: ['Accept-Encoding', 'gzip, deflate, br, zstd'],
}

/**
 * The guard of HTTP itself: refuses requests that two parsers could read differently, and what no route
 * declares: methods, media types, sizes. It looks at the head only (and, with `readForms` and
 * `readBatches`, at posted forms and batches), and keeps nothing.
 *
 * Rules: `protocol/method`, `protocol/content-type`, `protocol/size`, `protocol/host`, `protocol/framing`,
 * `protocol/path`, `protocol/target`, `protocol/headers`, `protocol/override`.
 * @throws ConfigError for invalid sizes and methods that are not in capitals
 */
export function protocolGuard(options: ProtocolOptions = {}): Guard {
  const limits: ProtocolLimits = {
    methods: options.methods ?? STANDARD_METHODS,
    contentTypes: options.contentTypes,
    maxBody: parseByteSize(options.maxBody ?? '100mb', 'protocol.maxBody'),
  }
  checkMethodNames(limits.methods)
  const maxHeaders = options.maxHeaders ?? 100
  const maxHeaderBytes = parseByteSize(options.maxHeaderBytes ?? '32kb', 'protocol.maxHeaderBytes')
  const maxHeaderValue = parseByteSize(options.maxHeaderValue ?? '16kb', 'protocol.maxHeaderValue')
  const maxTarget = parseByteSize(options.maxTarget ?? '16kb', 'protocol.maxTarget')
  const allowed = new Set<PathRisk>(options.allowPaths)
  const overrides = new Set(options.allowOverrides)

  const checkTarget = (exchange: Exchange): ProtocolFault | undefined => {
    if (exchange.source.target.length > maxTarget)
      return {
        rule: 'target',
        status: 414,
        message: 'The address of this request is too long.',
        location: 'target',
        facts: { length: exchange.source.target.length, limit: maxTarget },
        exception: { changes: [{ at: ['protocol', 'maxTarget'], set: exchange.source.target.length }] },
      }
    return undefined
  }

  const checkHeaders = (head: RequestHead): ProtocolFault | undefined => {
    if (head.count <= maxHeaders && head.bytes <= maxHeaderBytes && head.longest <= maxHeaderValue)
      return undefined
    const all = [
      { name: 'maxHeaders', found: head.count, limit: maxHeaders },
      { name: 'maxHeaderBytes', found: head.bytes, limit: maxHeaderBytes },
      { name: 'maxHeaderValue', found: head.longest, limit: maxHeaderValue },
    ].filter(({ found, limit }) => found > limit)
    const [big] = all
    if (big !== undefined)
      return {
        rule: 'headers',
        status: 431,
        message: 'The headers of this request are too many or too large.',
        location:
          big.name === 'maxHeaderValue' ? `header.${head.longestName.slice(0, 64).toLowerCase()}` : 'headers',
        facts: { found: big.found, limit: big.limit },
        exception: { changes: all.map(({ name, found }) => ({ at: ['protocol', name], set: found })) },
      }
    return undefined
  }

  const checkOverride = (exchange: Exchange, head: RequestHead): ProtocolFault | undefined => {
    if (head.override !== undefined && !overrides.has(head.override.name)) {
      const { name, value } = head.override
      return {
        ...ASKS_FOR_ANOTHER,
        location: `header.${name}`,
        span: value,
        exception: { changes: [{ at: ['protocol', 'allowOverrides'], add: [name] }] },
      }
    }
    return exchange.methodOverrides.length === 0 ? undefined : checkWishes(exchange)
  }

  /** A request that asks for another method has to be one that would pass if it had been sent so. */
  const checkWishes = (exchange: Exchange): ProtocolFault | undefined => {
    const wishes = exchange.methodOverrides
    const [first] = wishes as readonly [MethodOverride]
    const other = wishes.find(wish => wish.method !== first.method)
    if (other !== undefined)
      return {
        ...ASKS_FOR_ANOTHER,
        location: other.location,
        span: other.method,
        facts: { problem: `${first.location} asks for ${first.method}` },
      }
    if (overrides.has(first.location.slice('header.'.length))) return undefined
    // Of the route as the request was sent: `POST /notes` says which methods a POST there may ask for.
    const { canonical, raw } = exchange.path
    const route =
      options.routes === undefined ? exchange.route : options.routes.match(exchange.method, canonical, raw)
    const accepted = route?.settings.methodOverride ?? options.methodOverride
    if (accepted === undefined) return checkMethodOf(first.method, first.location, exchange, limits)
    if (accepted !== false && accepted.includes(first.method) && !NEVER.has(first.method)) return undefined
    return {
      ...ASKS_FOR_ANOTHER,
      location: first.location,
      span: first.method,
      ...(!NEVER.has(first.method) && {
        exception: routeException(
          exchange,
          { methodOverride: [...(accepted === false ? [] : accepted), first.method] },
          exemptingPattern(exchange),
        ),
      }),
    }
  }

  const checkPath = (exchange: Exchange): ProtocolFault | undefined => {
    const { path, hasPlainPath } = exchange.knownTarget
    if (hasPlainPath && (path.query === '' || !path.canonical.includes(','))) return undefined
    const [wish] = exchange.methodOverrides
    const methods = wish === undefined ? [exchange.method] : [exchange.method, wish.method]
    const risk =
      firstOf(methods, method => (hasPlainPath ? undefined : pathRisk(path, method, options.routes))) ??
      firstOf(methods, method => (isRiskyBatch(path, method, options.routes) ? 'batch' : undefined))
    if (risk === undefined || allowed.has(risk)) return undefined
    if (exchange.route?.settings.allowPaths?.includes(risk) === true) return undefined
    return {
      rule: 'path',
      status: 400,
      message:
        risk === 'batch'
          ? 'The path of this request names several operations that are under different rules: send each alone.'
          : 'The path of this request can be read in more than one way.',
      location: 'path',
      span: path.raw,
      facts: { risk },
      exception: routeException(exchange, {
        allowPaths: [...(exchange.route?.settings.allowPaths ?? []), risk],
      }),
    }
  }

  /** The rules of a route hold also for a request that comes in the body of another one. */
  const batchFault = (exchange: Exchange): ProtocolFault => ({
    rule: 'path',
    status: 400,
    message: 'This request holds others that are under different rules, or cannot be read: send each alone.',
    location: 'body',
    facts: { risk: 'batch' },
    exception: routeException(exchange, {
      allowPaths: [...(exchange.route?.settings.allowPaths ?? []), 'batch'],
    }),
  })

  const decide = (exchange: Exchange): Decision | Promise<Decision> => {
    const head = readRequestHead(exchange.headers)
    const said = decideOn(exchange, head)
    if (said !== ALLOW) return said
    if (head.hasPlantedCookie && options.mode !== 'observe') dropPlantedCookies(exchange)
    const { routes, readBatches } = options
    if (readBatches === true && routes !== undefined && routes.size > 0 && mayHoldRequests(exchange))
      if (!allowsBatch(exchange))
        return holdsRiskyRequest(exchange, routes).then(isRisky =>
          isRisky ? protocolRefusal([batchFault(exchange)]) : decideOnForm(exchange, head),
        )
    return decideOnForm(exchange, head)
  }

  const allowsBatch = (exchange: Exchange): boolean =>
    allowed.has('batch') || exchange.route?.settings.allowPaths?.includes('batch') === true

  const decideOnForm = (exchange: Exchange, head: RequestHead): Decision | Promise<Decision> => {
    if (options.readForms !== true || !mayOverrideInForm(exchange)) return ALLOW
    return formMethodOverrides(exchange).then(wishes => {
      if (wishes === undefined) return protocolRefusal([UNREADABLE_FORM])
      if (wishes.length === 0) return ALLOW
      exchange.addMethodOverrides(wishes)
      return decideOn(exchange, head)
    })
  }

  const decideOn = (exchange: Exchange, head: RequestHead): Decision => {
    const fault =
      checkMethod(exchange, head, limits) ??
      checkTarget(exchange) ??
      checkHeaders(head) ??
      checkOverride(exchange, head) ??
      checkHost(exchange, head) ??
      checkPath(exchange) ??
      checkBody(exchange, head, limits)
    return fault === undefined ? ALLOW : protocolRefusal([fault, ...others(fault, exchange, head)])
  }

  /** Everything else that is wrong with a request, so that one exception covers all of it. */
  const others = (first: ProtocolFault, exchange: Exchange, head: RequestHead): ProtocolFault[] =>
    [
      checkMethod(exchange, head, limits),
      checkTarget(exchange),
      checkHeaders(head),
      checkOverride(exchange, head),
      checkHost(exchange, head),
      checkPath(exchange),
      checkBody(exchange, head, limits),
      checkType(exchange, head, limits),
    ].flatMap(fault => (fault === undefined || fault.rule === first.rule ? [] : [fault]))
  return {
    name: 'protocol',
    failure: 'closed',
    ...(options.mode && { mode: options.mode }),
    decide,
    wouldRefuse: decide,
  }
}

function firstOf<Found>(
  methods: readonly string[],
  find: (method: string) => Found | undefined,
): Found | undefined {
  for (const method of methods) {
    const found = find(method)
    if (found !== undefined) return found
  }
  return undefined
}

function checkMethod(
  exchange: Exchange,
  head: RequestHead,
  limits: ProtocolLimits,
): ProtocolFault | undefined {
  const { method } = exchange
  // WebSocket uses extended CONNECT over HTTP/2 (RFC 8441).
  if (method === 'CONNECT' && head.authority !== undefined && exchange.header(':protocol') === 'websocket')
    return undefined
  if (method === 'OPTIONS' && exchange.header('access-control-request-method') !== undefined) return undefined
  return checkMethodOf(method, 'method', exchange, limits)
}

function checkMethodOf(
  method: string,
  location: string,
  exchange: Exchange,
  limits: ProtocolLimits,
): ProtocolFault | undefined {
  const methods = exchange.route?.settings.methods ?? limits.methods
  const known = methods.includes(method) || (method === 'HEAD' && methods.includes('GET'))
  if (known && !NEVER.has(method)) return undefined
  return {
    rule: 'method',
    status: 405,
    message: `The method ${/^[A-Z]{1,20}$/.test(method) ? method : 'of this request'} is not available here.`,
    location,
    span: method,
    headers: ['Allow', methods.join(', ')],
    ...(!NEVER.has(method) &&
      isConfigurable(method) && {
        exception: routeException(exchange, { methods: [...methods, method] }),
      }),
  }
}

/** Whether a configuration may name a method. HTTP/2 brings others, too (`LIST` of HashiCorp Vault). */
function isConfigurable(method: string): boolean {
  return process.getBuiltinModule('node:http').METHODS.includes(method)
}

function checkMethodNames(methods: readonly string[]): void {
  const wrong = methods.filter(method => !/^[A-Z]+(?:-[A-Z]+)*$/.test(method))
  if (wrong.length === 0) return
  throw new ConfigError({
    place: 'protocol.methods',
    problem: `"${wrong[0]}" is not a method in capitals`,
    hint: 'e.g. ["GET", "POST"]',
  })
}
