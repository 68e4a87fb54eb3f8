import {
  type ByteSize,
  CidrSet,
  ConfigError,
  type Duration,
  parseByteSize,
  parseDuration,
  RouteTable,
} from '@postern/core'
import { checkInspectSettings } from '@postern/inspect'
import type { Rule } from '@postern/throttle'
import { z } from 'zod'
import { type LimitRule, parseLimitRule } from './limit-rule.ts'

/** A leaf that `parse` must accept; the words of its ConfigError become the issue. */
function checked<Type extends z.ZodType>(type: Type, parse: (value: z.output<Type>) => unknown): Type {
  return type.superRefine((value, context) => {
    try {
      parse(value)
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error
      for (const issue of error.issues)
        context.addIssue({ code: 'custom', message: issue.problem, params: { mend: issue.mend } })
    }
  })
}

function fail(problem: string, mend: string): never {
  throw new ConfigError({ place: '', problem, mend })
}

/** `10s`, `1h30m`, or milliseconds. */
export const duration: z.ZodType<Duration> = checked(z.union([z.string(), z.number()]), value => {
  if (parseDuration(value) <= 0) fail('must be longer than nothing', 'e.g. 10s')
})

/** `64kb`, `1mb`, or bytes. */
export const byteSize: z.ZodType<ByteSize> = checked(z.union([z.string(), z.number()]), value =>
  parseByteSize(value),
)

/** `sqli/union`, `sqli/*`: found wrong when the file is read, not by the first request. */
export const inspectRule: z.ZodType<string, string> = checked(z.string().min(1), rule =>
  checkInspectSettings({ except: [{ rule }] }, ''),
)

/** An address, a CIDR range, or `loopback`, `linklocal`, `private`. */
export const addressRange: z.ZodType<string> = checked(z.string(), value => CidrSet.parse([value]))

/** `POST /login`, `/api/**`. */
export const routePattern: z.ZodType<string, string> = checked(
  z.string(),
  value => new RouteTable({ [value]: {} }),
)

const HOST_AND_PORT = /^(?:[\w.-]{1,253}|\[[\da-fA-F:.]+\]):\d{1,5}$/

/** `http://127.0.0.1:3000`: where the backend listens, without a path. */
export const backendUrl: z.ZodType<string> = checked(z.string(), value => {
  const url = URL.parse(value)
  if (url === null || !/^https?:$/.test(url.protocol))
    fail(
      'is not an http(s) address',
      HOST_AND_PORT.test(value) ? `did you mean http://${value}?` : 'e.g. http://127.0.0.1:3000',
    )
  if (url.username !== '' || url.password !== '')
    fail('a backend address carries no user or password', 'remove it from the address')
  if (url.pathname !== '/' || url.search !== '' || url.hash !== '')
    fail('a backend address has no path', `did you mean ${url.origin}?`)
})

/** A database address of one of the given schemes; the value is never repeated, for it may hold a password. */
export function storeUrl(...schemes: readonly string[]): z.ZodType<string> {
  return checked(z.string(), value => {
    const url = URL.parse(value)
    if (url === null || !schemes.includes(url.protocol))
      fail(`is not an address of the form ${schemes[0]}//host:port`, `e.g. ${schemes[0]}//127.0.0.1`)
  })
}

/** `tls://collector.example.com:6514`, or `tcp://` without encryption. */
export const syslogUrl: z.ZodType<string> = checked(z.string(), value => {
  const url = URL.parse(value)
  if (url === null || !/^(?:tls|tcp):$/.test(url.protocol) || url.hostname === '' || url.port === '')
    fail('is not a syslog address', 'e.g. tls://collector.example.com:6514')
})

/** Where to listen, taken apart. */
export interface Listen {
  readonly host: string
  readonly port: number
}

/**
 * Takes `8080`, `:8080`, `127.0.0.1:8080`, `[::]:8080` apart. A bare port listens on loopback: who wants a network to reach it says which.
 * @throws ConfigError for anything else
 */
export function parseListen(value: string | number): Listen {
  const match =
    typeof value === 'number'
      ? [String(value), undefined, String(value)]
      : /^(?:(\[[\da-fA-F:.]+\]|[\w.-]*):)?(\d{1,5})$/.exec(value)
  const port = Number(match?.[2])
  if (match === null || !(port <= 65_535))
    return fail(
      `"${String(value).slice(0, 60)}" is not a place to listen`,
      'write a port or host:port, e.g. 127.0.0.1:8080',
    )
  const named = match[1]?.replace(/^\[|\]$/g, '')
  return { host: named === undefined || named === '' ? '127.0.0.1' : named, port }
}

/** A port, or `host:port`. */
export const listen: z.ZodType<string | number> = checked(z.union([z.string(), z.number()]), value =>
  parseListen(value),
)

/** `100/1m`, or what `limit`, `gcra` and `concurrency` make. */
export const limitRule: z.ZodType<LimitRule> = z.union([
  checked(z.string(), value => parseLimitRule(value)),
  z.custom<Rule>(isRule, 'must be a limit: limit(100, "1m") or "100/1m"'),
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
