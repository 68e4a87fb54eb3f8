import type { Exchange } from './exchange.ts'

/** How a request says who sends it. Nothing says that it is true. */
export interface ClaimedCredential {
  readonly kind: 'authorization' | 'key' | 'session'
  /** Tells credentials of one client apart; nobody can get the credential back from it. */
  readonly mark: string
}

const SESSION =
  /(?:^|; ?)[^=;]{0,64}(?:sess|sid|auth|token|jwt|login|logged|remember|identity)[^=;]{0,64}=[^;]{8}[^;]*/i
const MAX_COOKIE = 4_096

/**
 * The credential that a request carries: `Authorization`, an API key, or a cookie that looks like a
 * session's.
 */
export function claimedCredential(exchange: Pick<Exchange, 'header'>): ClaimedCredential | undefined {
  const authorization = exchange.header('authorization')
  if (authorization !== undefined) return { kind: 'authorization', mark: markOf(authorization) }
  const key = exchange.header('x-api-key') ?? exchange.header('private-token')
  if (key !== undefined) return { kind: 'key', mark: markOf(key) }
  const cookies = exchange.header('cookie')
  const session = cookies === undefined ? undefined : SESSION.exec(cookies.slice(0, MAX_COOKIE))?.[0]
  return session === undefined ? undefined : { kind: 'session', mark: markOf(session) }
}

/** 32 bits (FNV-1a): far too few to guess the text from, and enough for the few credentials of one client. */
function markOf(text: string): string {
  let hash = 0x811c9dc5
  const length = Math.min(text.length, MAX_COOKIE)
  for (let i = 0; i < length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193)
  return (hash >>> 0).toString(36)
}
