import {
  type ByteSize,
  CidrSet,
  ConfigError,
  type Duration,
  type Mode,
  NAMED_RANGES,
  parseByteSize,
  parseDuration,
  RouteTable,
  socketPath,
} from '@postern/core'
import { checkInspectSettings, ruleIds } from '@postern/inspect'
import type { PathRisk } from '@postern/protocol'
import type { Rule } from '@postern/throttle'
import * as z from 'zod/mini'
import { type LimitRule, parseLimitRule } from '../limit/limit-rule.ts'
import { suggest } from '../words/suggest.ts'
import { checked, inCode, parsed } from './key.ts'

/** Not imported: an import of `node:http` reads all of its names, one of which loads WebSockets and fetch. */
const { METHODS } = process.getBuiltinModule('node:http')

function fail(problem: string, hint: string, place = ''): never {
  throw new ConfigError({ place, problem, hint })
}

/** Text that is not empty. */
export const text: z.ZodMiniType<string, string> = z.string().check(z.minLength(1))

const OUTSIDE = /^(?:(?:req|request)\.)?(?:body|query)\.(.+)$|^\$\.(.+)$/

/**
 * The name of a field of the body. Places of `inspect.except` begin with `body.`, as code does: here that
 * would be a field of an object `body`, which hardly any request has.
 */
export const bodyField: z.ZodMiniType<string, string> = checked(
  text,
  'a field of the body such as "email"',
  name => {
    const [, behind, root] = OUTSIDE.exec(name) ?? []
    const meant = behind ?? root
    if (meant !== undefined)
      fail(
        `"${name.slice(0, 60)}" is a field of an object inside the body`,
        `write "${meant.slice(0, 60)}"; where there is such an object, begin with a capital letter: case does not count`,
      )
  },
)
export const flag: z.ZodMiniType<boolean, boolean> = z.boolean()
/** A whole number from 1. */
export const count: z.ZodMiniType<number, number> = z.int().check(z.minimum(1))
export const mode: z.ZodMiniType<Mode, Mode> = z.enum(['enforce', 'observe'])

export const method: z.ZodMiniType<string, string> = checked(
  z.string().check(z.regex(/^[A-Z]+(?:-[A-Z]+)*$/, 'a method is written in capitals, e.g. "GET"')),
  'a method such as "GET"',
  checkMethod,
)

/** A method that no client can send would be a rule without effect. */
function checkMethod(name: string): void {
  if (METHODS.includes(name)) return
  const meant = suggest(name, METHODS)
  fail(
    `there is no HTTP method "${name.slice(0, 40)}"`,
    meant === undefined ? 'e.g. GET, POST, PUT, PATCH, DELETE' : `did you mean "${meant}"?`,
  )
}

export const mediaType: z.ZodMiniType<string, string> = z
  .string()
  .check(z.regex(/^[\w.+-]+\/(?:[\w.+-]+|\*)$/, 'a media type looks like "application/json" or "image/*"'))

/** A field name of HTTP (RFC 9110 section 5.1). */
export const headerName: z.ZodMiniType<string, string> = z
  .string()
  .check(z.regex(/^[!#$%&'*+.^`|~\w-]{1,100}$/, 'a header name has letters, digits, "-" and "_"'))

export const pathRisk: z.ZodMiniType<PathRisk, PathRisk> = z.enum([
  'dot-segment',
  'encoded-slash',
  'double-encoding',
  'backslash',
  'control-character',
  'bad-percent',
  'network-path',
  'not-a-path',
  'batch',
])

/** One of these words. */
export function oneOf<const Word extends string>(...words: readonly Word[]): z.ZodMiniType<Word, Word> {
  return z.enum(words)
}

export function listOf<Out, In>(
  type: z.ZodMiniType<Out, In>,
  most = 10_000,
): z.ZodMiniType<readonly Out[], readonly In[]> {
  return z.array(type).check(z.maxLength(most))
}

/** `10s`, `1h30m`, or milliseconds; compiled to milliseconds. */
export const duration: z.ZodMiniType<number, Duration> = parsed(
  z.union([z.string(), z.number()]),
  'a duration such as "10s"',
  millisecondsOf,
)

/** A duration of a second or more: how often something is done that should not be done all the time. */
export const secondOrMore: z.ZodMiniType<number, Duration> = parsed(
  z.union([z.string(), z.number()]),
  'a duration such as "10s"',
  secondsOf,
)

/** A duration of a second to a minute. */
export const secondToMinute: z.ZodMiniType<number, Duration> = parsed(
  z.union([z.string(), z.number()]),
  'a duration such as "10s"',
  value => {
    const milliseconds = secondsOf(value)
    if (milliseconds > 60_000) fail('must be at most 1m', 'e.g. 10s')
    return milliseconds
  },
)

function secondsOf(value: Duration): number {
  const milliseconds = millisecondsOf(value)
  if (milliseconds < 1_000) fail('must be at least 1s', 'e.g. 10s')
  return milliseconds
}

function millisecondsOf(value: Duration): number {
  const milliseconds = parseDuration(value)
  if (milliseconds <= 0) fail('must be longer than zero', 'e.g. 10s')
  // A bare number counts milliseconds, and nobody who writes 90 for a retention means those.
  if (typeof value === 'number' && value < 1_000)
    fail(`${value} would mean ${value} ms`, `write the unit: "${value}s", "${value}m" or "${value}ms"`)
  return milliseconds
}

/** `64kb`, `1mb`, or bytes; compiled to bytes. */
export const byteSize: z.ZodMiniType<number, ByteSize> = parsed(
  z.union([z.string(), z.number()]),
  'a size such as "64kb"',
  value => parseByteSize(value),
)

const FAMILIES: readonly string[] = [...new Set(ruleIds.map(id => `${id.split('/', 1)[0]}/*`)), 'loaded/*']

/**
 * `sqli/union`, `sqli/*`: a rule that does not exist is reported when the file is read, not by the first
 * request.
 */
export const inspectRule: z.ZodMiniType<string, string> = checked(
  text,
  'a rule id such as "sqli/union"',
  rule => {
    checkInspectSettings({ except: [{ rule }] }, '')
    if (rule.startsWith('loaded/') || ruleIds.includes(rule) || FAMILIES.includes(rule)) return
    const family = ruleIds.filter(id => id.startsWith(`${rule.split('/', 1)[0]}/`))
    const meant = suggest(rule, [...ruleIds, ...FAMILIES])
    fail(
      `there is no rule "${rule}"`,
      meant === undefined
        ? `the ${family.length > 0 ? 'rules of this family are' : 'families are'} ${(family.length > 0 ? family : FAMILIES).join(', ')}`
        : `did you mean "${meant}"?`,
    )
  },
)

/** An address, a CIDR range, or `loopback`, `linklocal`, `private`. */
export const addressRange: z.ZodMiniType<string, string> = checked(
  z.string(),
  'an address or range such as "10.0.0.0/8"',
  value => {
    const meant = rangeMeant(value)
    if (meant !== undefined && meant !== value)
      fail(`"${value.slice(0, 60)}" is not an address or range`, `did you mean "${meant}"?`)
    CidrSet.parse([value])
  },
)

/** The range that a text was probably meant to be: `localhost`, a mistyped name, `192.168.*.*`. */
export function rangeMeant(value: string): string | undefined {
  if (value.toLowerCase() === 'localhost') return 'loopback'
  if (/^[a-z][a-z-]*$/i.test(value)) return suggest(value, [...NAMED_RANGES.keys()])
  const [, parts = '', stars = ''] = /^((?:\d{1,3}\.){1,3})(\*(?:\.\*){0,2})$/.exec(value) ?? []
  const bytes = parts.split('.').length - 1
  if (bytes === 0 || bytes + stars.split('.').length !== 4) return undefined
  return `${parts}${stars.replaceAll('*', '0')}/${bytes * 8}`
}

/** A list of address ranges, compiled to a set. */
export const addressSet: z.ZodMiniType<CidrSet, readonly string[]> = parsed(
  listOf(addressRange),
  'a list of addresses and ranges',
  ranges => CidrSet.parse(ranges),
)

/** `POST /login`, `/api/**`. */
export const routePattern: z.ZodMiniType<string, string> = checked(
  z.string(),
  'a route such as "POST /login"',
  value => {
    const [, methods = '', path = ''] = /^([A-Za-z]+(?:[,|][A-Za-z]+)*) (\/.*)$/.exec(value) ?? []
    if (/[,|]/.test(methods))
      fail('a route names one method', `write one route for each method, or "${path}" with methods: [...]`)
    if (methods !== methods.toUpperCase())
      fail(`"${methods}" is not a method in capitals`, `did you mean "${methods.toUpperCase()} ${path}"?`)
    new RouteTable({ [value]: {} })
    if (!value.startsWith('/')) checkMethod(value.slice(0, value.indexOf(' ')))
  },
)

/** An absolute address. */
export const url: z.ZodMiniType<string, string> = z.url('must be an address with its scheme')

/** `http://` or `https://`. */
export const webUrl: z.ZodMiniType<string, string> = z.url({
  protocol: /^https?$/,
  error: 'must be an http(s) address',
})

/** `/healthz?deep=1`: path and query of a request. */
export const requestPath: z.ZodMiniType<string, string> = z
  .string()
  .check(
    z.maxLength(2_048),
    z.regex(/^\/[!"$-~]*$/, 'a path starts with "/" and has no spaces and no "#", e.g. "/healthz"'),
  )

const HOST_AND_PORT = /^(?:[\w.-]{1,253}|\[[\da-fA-F:.]+\]):\d{1,5}$/

/** As curl, nginx and Node write one: `unix:/run/app.sock`, `http://unix:/run/app.sock`, `/run/app.sock`. */
const UNIX_SOCKET = /^(?:https?:\/\/)?(?:(?:http\+)?unix:|\/)/i
/** What stands before the path in those spellings. */
const SOCKET_SCHEME = /^(?:https?:\/\/)?(?:(?:http\+)?unix:(?:\/\/(?=%2f|\/))?)?/i
const ON_A_PORT = 'let it use a port of this machine, e.g. 127.0.0.1:3000'

/** `http://127.0.0.1:3000`: a server, without a path. */
export const serverUrl: z.ZodMiniType<string, string> = checked(
  z.string(),
  'an address such as "http://127.0.0.1:3000"',
  checkServerUrl,
)

/** `http://127.0.0.1:3000` or `unix:/run/app.sock`: where the backend listens. */
export const backendAddress: z.ZodMiniType<string, string> = checked(
  z.string(),
  'an address such as "http://127.0.0.1:3000" or "unix:/run/app.sock"',
  value => {
    if (UNIX_SOCKET.test(value)) checkSocketPath(value)
    else checkServerUrl(value)
  },
)

function checkSocketPath(value: string): void {
  if (socketPath(value) !== undefined) return
  const path = value.replace(SOCKET_SCHEME, '').replaceAll(/%2f/gi, '/')
  const meant = `unix:${path.replace(/:?\/*$/, '')}`
  fail(
    'is not the address of a Unix socket',
    socketPath(meant) === undefined
      ? 'write unix: and the absolute path of the socket, of at most 103 bytes: unix:/run/app.sock'
      : `did you mean ${meant}?`,
  )
}

function checkServerUrl(value: string): void {
  const url = URL.parse(value)
  if (UNIX_SOCKET.test(value))
    fail('is a Unix socket, and here Postern connects to TCP ports only', ON_A_PORT)
  if (url === null || !/^https?:$/.test(url.protocol))
    fail(
      'is not an http(s) address',
      HOST_AND_PORT.test(value) ? `did you mean http://${value}?` : 'e.g. http://127.0.0.1:3000',
    )
  if (url.username !== '' || url.password !== '')
    fail('holds a user or a password', 'remove them from the address')
  if (url.pathname !== '/' || url.search !== '' || url.hash !== '')
    fail('has a path, and only a scheme, a host and a port can be given', `did you mean ${url.origin}?`)
}

/** `$NAME`, as a shell has it: a name, not a secret. */
const VARIABLE = /^\$([A-Z_][A-Z0-9_]*)$/

/**
 * A database address of one of the given schemes; the value is never repeated, for it may hold a password.
 */
export function storeUrl(...schemes: readonly string[]): z.ZodMiniType<string, string> {
  return checked(z.string(), `an address such as "${schemes[0]}//127.0.0.1"`, value => {
    const url = URL.parse(value)
    if (url === null || !schemes.includes(url.protocol))
      fail(
        `is not an address of the form ${schemes[0]}//host:port`,
        VARIABLE.test(value)
          ? `a variable of the environment is written \${${VARIABLE.exec(value)?.[1]}}`
          : `e.g. ${schemes[0]}//127.0.0.1`,
      )
  })
}

/** `tls://collector.example.com:6514`, or `tcp://` without encryption. */
export const syslogUrl: z.ZodMiniType<string, string> = checked(
  z.string(),
  'an address such as "tls://siem.example:6514"',
  value => {
    const url = URL.parse(value)
    if (url === null || !/^(?:tls|tcp):$/.test(url.protocol) || url.hostname === '' || url.port === '')
      fail('is not a syslog address', 'e.g. tls://collector.example.com:6514')
  },
)

/** Where to listen, taken apart. */
export interface Listen {
  /** A name or an address; `unix:` and the path of a Unix socket, beside `path`. */
  readonly host: string
  readonly port: number
  /** Of a Unix socket, in place of host and port. */
  readonly path?: string
}

/**
 * Takes `8080`, `:8080`, `127.0.0.1:8080`, `[::]:8080` apart. A bare port listens on loopback: who wants a
 * network to reach it says which.
 * @throws ConfigError for anything else
 */
export function parseListen(value: string | number, place = ''): Listen {
  const match =
    typeof value === 'number'
      ? [String(value), undefined, String(value)]
      : /^(?:(\[[\da-fA-F:.]+\]|[\w.-]*):)?(\d{1,5})$/.exec(value)
  const port = Number(match?.[2])
  if (typeof value === 'string' && UNIX_SOCKET.test(value))
    return fail('is a Unix socket, and this listens on TCP ports only', ON_A_PORT, place)
  if (match === null || !(port <= 65_535))
    return fail(`"${String(value).slice(0, 60)}" is not a place to listen`, listenHint(String(value)), place)
  const named = match[1]?.replace(/^\[|\]$/g, '')
  return { host: named === undefined || named === '' ? '127.0.0.1' : named, port }
}

/** What was meant, where a place is written as other servers write it. */
function listenHint(value: string): string {
  const meant = /^(?:tcp:\/\/|https?:\/\/)?(.{1,60}?):(\d{1,5})\/?$/.exec(value)
  const [, host = '', port = ''] = meant ?? []
  if (host === '*') return `write 0.0.0.0:${port} for all IPv4 addresses, or [::]:${port} for IPv6 as well`
  if (/^[\da-f:]*:[\da-f:]*$/i.test(host))
    return `put an IPv6 address into brackets: "[${host === ':' ? '::' : host}]:${port}"`
  if (/^(?:\[[\da-f:.]+\]|\*|localhost|(?:[\da-z-]+\.)+[\da-z-]+)$/i.test(value))
    return `add a port: ${value === '*' ? '0.0.0.0' : value}:8080`
  if (/^[\w.-]{1,60}$/.test(host) && Number(port) <= 65_535) return `leave the scheme out: ${host}:${port}`
  return 'write a port or host:port, e.g. 127.0.0.1:8080'
}

/** A port, or `host:port`. */
export const listen: z.ZodMiniType<Listen, string | number> = parsed(
  z.union([z.string(), z.number()]),
  'a port or "host:port"',
  value => parseListen(value),
)

/**
 * Where the gateway listens: as `parseListen` reads it, or `unix:/run/postern/http.sock`.
 * @throws ConfigError for anything else
 */
function parseGatewayListen(value: string | number): Listen {
  if (typeof value === 'number' || !UNIX_SOCKET.test(value)) return parseListen(value)
  checkSocketPath(value)
  const path = socketPath(value) ?? ''
  return { host: `unix:${path}`, port: 0, path }
}

/** A port, `host:port`, or a Unix socket. */
export const gatewayListen: z.ZodMiniType<Listen, string | number> = parsed(
  z.union([z.string(), z.number()]),
  'a port, "host:port" or "unix:/run/postern/http.sock"',
  value => parseGatewayListen(value),
)

/** `100/1m`, or what `limit`, `gcra` and `concurrency` make. */
export const limitRule: z.ZodMiniType<Rule, LimitRule> = z.union([
  parsed(z.string(), 'a rule such as "100/1m"', value => parseLimitRule(value)),
  inCode<Rule>('limit(100, "1m")', isRule),
])

function isRule(value: unknown): boolean {
  return (
    typeof value === 'object' &&
    value !== null &&
    'kind' in value &&
    'limit' in value &&
    'window' in value &&
    'parts' in value
  )
}
