import { visitBody } from '../body/visit-body.ts'
import { decodeUrl } from '../canonicalise/url.ts'
import type { InspectedRequest } from '../request/inspected-request.ts'
import type { Match } from '../rule/match.ts'
import { finishSteps } from '../value/steps.ts'

/** The part of `@datadog/native-appsec` that is used; the application installs and passes it. */
export interface NativeAppsec {
  createContext(): {
    run(
      payload: { persistent: object },
      timeoutMicroseconds: number,
    ): { events?: readonly object[]; timeout: boolean }
    dispose(): void
  }
}

/** The loaded engine of `@datadog/native-appsec`, and how long it may take. */
export interface NativeOpinionOptions {
  /** `new DDWAF(rules, 'rules')`. */
  readonly engine: NativeAppsec
  /** Microseconds one request may take. Default 10,000. */
  readonly timeout?: number
}

/** A second reader of requests. */
export type SecondOpinion = (request: InspectedRequest) => readonly Match[]

/**
 * Asks `@datadog/native-appsec` too. Its matches have the family `loaded` and a score of 5. It reads
 * strings to 4,096 characters, containers to 256 entries and 20 levels; what lies beyond only Postern
 * sees.
 */
export function nativeOpinion({ engine, timeout = 10_000 }: NativeOpinionOptions): SecondOpinion {
  return request => {
    const context = engine.createContext()
    try {
      const { events = [] } = context.run({ persistent: addressesOf(request) }, timeout)
      return events.slice(0, 8).map(event => {
        const rule = `loaded/${ruleId(event)}`
        return {
          rule,
          family: 'loaded',
          location: 'request',
          score: 5,
          span: '',
          exception: `inspect: { except: [{ rule: '${rule}' }] }`,
        }
      })
    } finally {
      context.dispose()
    }
  }
}

function ruleId(event: object): string {
  const rule: unknown = 'rule' in event ? event.rule : undefined
  const id: unknown = typeof rule === 'object' && rule !== null && 'id' in rule ? rule.id : undefined
  return typeof id === 'string' ? id : 'unknown'
}

/** A request by the names the engine knows its parts by. */
function addressesOf(request: InspectedRequest): Record<string, unknown> {
  const mark = request.target.indexOf('?')
  const headers: Record<string, string> = {}
  const cookies: Record<string, string> = {}
  for (let i = 0; i + 1 < request.headers.length; i += 2) {
    const name = (request.headers[i] as string).toLowerCase()
    if (name === 'cookie') Object.assign(cookies, pairs(request.headers[i + 1] as string, ';'))
    else headers[name] = request.headers[i + 1] as string
  }
  const addresses: Record<string, unknown> = {
    'server.request.method': request.method,
    'server.request.uri.raw': request.target,
    'server.request.headers.no_cookies': headers,
    'server.request.cookies': cookies,
    'server.request.path_params': {
      path: decodeUrl((mark < 0 ? request.target : request.target.slice(0, mark)).slice(1), false),
    },
  }
  if (mark >= 0) addresses['server.request.query'] = pairs(request.target.slice(mark + 1), '&')
  if (request.body !== undefined) {
    addresses['server.request.body'] = parseBody(
      Buffer.from(request.body).toString(),
      headers['content-type'] ?? '',
    )
  }
  return addresses
}

function parseBody(text: string, contentType: string): unknown {
  if (contentType.includes('json')) {
    try {
      const value: unknown = JSON.parse(text)
      return value
    } catch {
      return text
    }
  }
  if (contentType.includes('x-www-form-urlencoded')) return pairs(text, '&')
  if (!contentType.startsWith('multipart/')) return text
  const values: string[] = []
  const visitor = {
    isPaused: false,
    value: (part: string) => values.push(part) < 256,
    tooBig: () => {},
    work: () => {},
  }
  const head = { method: 'POST', path: '/', contentType }
  finishSteps(visitBody(Buffer.from(text), head, 20, visitor, () => {}))
  return values
}

function pairs(text: string, separator: string): Record<string, string[]> {
  const found: Record<string, string[]> = Object.create(null)
  for (const pair of text.split(separator)) {
    const equals = pair.indexOf('=')
    const name = decodeUrl(equals < 0 ? pair : pair.slice(0, equals), true).trim()
    const values = found[name] ?? []
    values.push(equals < 0 ? '' : decodeUrl(pair.slice(equals + 1), true))
    found[name] = values
  }
  return found
}
