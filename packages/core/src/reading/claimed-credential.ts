import type { Exchange } from '../exchange/exchange.ts'
import { headerValue } from '../header/request-headers.ts'

// Held, not looked up: see CONTRIBUTING.md.
const { charCodeAt } = String.prototype

/** How a request says who sends it. Nothing says that it is true. */
export interface ClaimedCredential {
  readonly kind: 'authorization' | 'key' | 'session'
  /** 32 bits that tell credentials of one client apart; nobody can get the credential back from them. */
  readonly mark: number
}

const SESSION =
  /(?:^|; ?)[^=;]{0,64}(?:sess|sid|auth|token|jwt|login|logged|remember|identity)[^=;]{0,64}=[^;]{8}[^;]*/i
const MAX_COOKIE = 4_096

/**
 * The credential that a request carries: `Authorization`, an API key, or a cookie that looks like a
 * session's.
 */
export function claimedCredential({ headers }: Pick<Exchange, 'headers'>): ClaimedCredential | undefined {
  let mayBeKey = false
  let hasCookie = false
  // Asked of every request: the lengths of the names rule out nearly all headers in one pass.
  for (let i = 0; i < headers.length; i += 2) {
    const { length } = headers[i] as string
    if (length === 13 || length === 9) mayBeKey = true
    else if (length === 6) hasCookie = true
  }
  if (mayBeKey) {
    const authorization = headerValue(headers, 'authorization')
    if (authorization !== undefined) return { kind: 'authorization', mark: markOf(authorization) }
    const key = headerValue(headers, 'x-api-key') ?? headerValue(headers, 'private-token')
    if (key !== undefined) return { kind: 'key', mark: markOf(key) }
  }
  const cookies = hasCookie ? headerValue(headers, 'cookie') : undefined
  if (cookies === undefined) return undefined
  const session = SESSION.exec(cookies.length > MAX_COOKIE ? cookies.slice(0, MAX_COOKIE) : cookies)?.[0]
  return session === undefined ? undefined : { kind: 'session', mark: markOf(session) }
}

/** FNV-1a: far too few bits to guess the text from, and enough for the few credentials of one client. */
function markOf(text: string): number {
  let hash = 0x811c9dc5
  const length = Math.min(text.length, MAX_COOKIE)
  for (let i = 0; i < length; i++) hash = Math.imul(hash ^ charCodeAt.call(text, i), 0x01000193)
  return hash
}
