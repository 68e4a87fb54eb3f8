import { createHmac, createSecretKey, randomBytes, timingSafeEqual } from 'node:crypto'
import type { Exchange } from '@postern/core'
import { hostCookieName, readOwnCookies, setCookie } from '../headers/cookie.ts'

/** Signed tokens for browsers that tell neither `Sec-Fetch-Site` nor `Origin`. */
export interface CsrfTokens {
  /**
   * A token for the pages of this browser, for the header `X-CSRF-Token`. Sets the cookie
   * that it belongs to when there is none yet.
   */
  issue(exchange: Exchange): string
  /** Whether the request shows the token that belongs to its cookie. */
  holds(exchange: Exchange): boolean
}

const COOKIE = 'postern-csrf'
const ID = /^[\w-]{22}$/

/**
 * A cookie that another origin cannot set (`__Host-` on HTTPS), and its HMAC, which it cannot make: unlike a
 * plain double submit, a cookie planted by a subdomain is of no use.
 */
export function csrfTokens(secret: Uint8Array): CsrfTokens {
  const key = createSecretKey(secret)
  const tokenOf = (id: string): string =>
    createHmac('sha256', key).update(`postern csrf\n${id}`).digest('base64url')
  const idOf = (exchange: Exchange): string | undefined =>
    readOwnCookies(exchange.header('cookie'), hostCookieName(COOKIE, exchange.scheme)).find(id => ID.test(id))
  return {
    issue: exchange => {
      let id = idOf(exchange)
      if (id === undefined) {
        id = randomBytes(16).toString('base64url')
        const secure = exchange.scheme === 'https' ? 'secure' : 'insecure'
        exchange.reply(
          'Set-Cookie',
          setCookie(hostCookieName(COOKIE, exchange.scheme), id, { sameSite: 'Strict', secure }),
        )
      }
      return tokenOf(id)
    },
    holds: exchange => {
      const id = idOf(exchange)
      const shown = exchange.headerCount('x-csrf-token') === 1 ? exchange.header('x-csrf-token') : undefined
      if (id === undefined || shown === undefined) return false
      const wanted = Buffer.from(tokenOf(id))
      const given = Buffer.from(shown)
      return wanted.length === given.length && timingSafeEqual(wanted, given)
    },
  }
}
