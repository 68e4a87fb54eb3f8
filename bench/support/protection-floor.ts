import type { IncomingMessage, ServerResponse } from 'node:http'
import { isIP } from 'node:net'

const MINUTE = 60_000
const MOST_HEADERS = 100
/** Clients that are known; a full table is emptied. */
const MOST_CLIENTS = 131_072
/** What two parsers read differently in a path. */
const AMBIGUOUS = /%2f|%5c|%2e|\/\.\.?(?:\/|$)|\/\/|\\|;/i
/** Headers that ask to be treated as another request. */
const OVERRIDE = /^x-(?:http-method-override|method-override|http-method|original-ur[li]|rewrite-url)$/i
const METHODS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'])
/** What an attack in a value cannot do without. */
const SIGN = /[<>'"`(){}$|\\%;*#]|\.\.|--|:\/\//
const SESSION = /(?:^|; ?)[^=;]*(?:sess|sid|auth|token)[^=;]*=([^;]+)/i
/** Values with such signs that are known to be clean: browsers and their `Accept`. */
const MOST_KNOWN = 4_096

/** All that is known of one client. */
interface Client {
  count: number
  until: number
  open: number
  streams: number
  missing: number
  answered: number
  page: string
  queries: number
  blockedUntil: number
}

/**
 * About the least that does what the default protection says it does: finds the client, knows whether it is
 * banned, counts its requests and those under way, says so in two headers; checks method, host and size of
 * the head; looks once at each value of path, query, cookies and headers for what an attack cannot do
 * without; and, when the answer has ended, counts for this client what scenarios count: answers by status,
 * pages with ever new queries, whether it was a stream of events, and whether its session is one that the
 * backend takes.
 * @param addressOf says who the client is
 */
export function protectionFloor(
  addressOf: (request: IncomingMessage) => string,
): (request: IncomingMessage, response: ServerResponse, next: () => void) => void {
  const clients = new Map<string, Client>()
  const known = new Set<string>()
  /** A floor has no rules to ask: what has such a sign is asked about once, and taken to be clean. */
  const look = (value: string): void => {
    if (SIGN.test(value) && !known.has(value) && known.size < MOST_KNOWN) known.add(value)
  }
  const lookAtCookies = (value: string): void => {
    for (const pair of value.split(';')) look(pair.slice(pair.indexOf('=') + 1).trim())
  }
  /** Reads the head once. @returns whether it is well-formed, and has a session */
  const readHead = (headers: readonly string[]): 'malformed' | 'session' | 'plain' => {
    let bytes = 0
    let hosts = 0
    let hasSession = false
    for (let i = 0; i + 1 < headers.length; i += 2) {
      const name = headers[i] as string
      const value = headers[i + 1] as string
      bytes += name.length + value.length
      if (name.length > 12 && OVERRIDE.test(name)) return 'malformed'
      if (name.length === 4 && name.toLowerCase() === 'host') hosts++
      if (name.length === 6 && name.toLowerCase() === 'cookie') {
        hasSession = SESSION.test(value)
        lookAtCookies(value)
      } else look(value)
    }
    if (hosts !== 1 || bytes > 32_768 || headers.length > MOST_HEADERS * 2) return 'malformed'
    return hasSession ? 'session' : 'plain'
  }
  const clientOf = (address: string, now: number): Client => {
    let client = clients.get(address)
    if (client === undefined) {
      if (clients.size >= MOST_CLIENTS) clients.clear()
      client = {
        count: 0,
        until: now + MINUTE,
        open: 0,
        streams: 0,
        missing: 0,
        answered: 0,
        page: '',
        queries: 0,
        blockedUntil: 0,
      }
      clients.set(address, client)
    } else if (client.until < now) {
      client.count = 0
      client.until = now + MINUTE
    }
    return client
  }
  return (request, response, next) => {
    const now = Date.now()
    const address = addressOf(request)
    const client = clientOf(isIP(address) === 0 ? '' : address, now)
    const isRefused = client.blockedUntil > now || ++client.count > 60_000 || ++client.open > 60_000
    const head = readHead(request.rawHeaders)
    const { url = '', method = '' } = request
    const mark = url.indexOf('?')
    const path = mark < 0 ? url : url.slice(0, mark)
    if (isRefused || !METHODS.has(method) || head === 'malformed' || AMBIGUOUS.test(path)) {
      response.statusCode = 403
      response.end()
      return
    }
    look(path)
    if (mark >= 0) for (const pair of url.slice(mark + 1).split('&')) look(pair.slice(pair.indexOf('=') + 1))
    response.setHeader('RateLimit-Policy', '"address";q=60000;w=60, "busy";q=60000;qu="concurrent-requests"')
    const seconds = Math.ceil((client.until - now) / 1_000)
    response.setHeader(
      'RateLimit',
      `"address";r=${60_000 - client.count};t=${seconds}, "busy";r=${60_000 - client.open};t=60`,
    )
    response.on('close', () => {
      client.open--
      if (response.getHeader('content-type') === 'text/event-stream') client.streams++
      if (response.statusCode === 404) client.missing++
      else if (head === 'session') client.answered++
      client.queries = client.page === path ? client.queries + 1 : 1
      client.page = path
    })
    next()
  }
}
