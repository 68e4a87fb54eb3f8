import type { Exchange } from '@postern/core'
import { hostCookieName, readOwnCookies, setCookie } from '../headers/cookie.ts'
import type { SetCookieLine } from './set-cookie-line.ts'

/** Under which the browser holds its session; on HTTPS with `__Host-` in front. */
const COOKIE = 'postern-bound'
const VALUE = /^([\w-]{22})\.([\w-]{43})$/

/** Both names, to keep them from the backend. */
export const BOUND_COOKIES: readonly string[] = [COOKIE, `__Host-${COOKIE}`]

/** A value of the browser's cookie: which session, and the secret that counts for it now. */
export interface BoundCookie {
  readonly id: string
  readonly secret: string
}

/**
 * What a request holds. Two different values of the cookie are `unreadable`, as is
 * one that was never made here: one of them was planted.
 */
export function readBoundCookie(exchange: Exchange): BoundCookie | 'absent' | 'unreadable' {
  const name = hostCookieName(COOKIE, exchange.scheme)
  const values = new Set(readOwnCookies(exchange.header('cookie'), name))
  const [value] = values
  if (value === undefined) return 'absent'
  const parts = values.size === 1 ? VALUE.exec(value) : null
  if (parts === null) return 'unreadable'
  const [, id = '', secret = ''] = parts
  return { id, secret }
}

/** A `Set-Cookie` line with a value. `maxAge` in seconds; absent: until the browser ends. */
export function boundCookieLine(
  exchange: Exchange,
  { id, secret }: BoundCookie,
  { sameSite, maxAge }: { readonly sameSite: SetCookieLine['sameSite']; readonly maxAge?: number },
): string {
  return setCookie(hostCookieName(COOKIE, exchange.scheme), `${id}.${secret}`, {
    sameSite,
    secure: exchange.scheme === 'https' ? 'secure' : 'insecure',
    ...(maxAge !== undefined && { maxAge }),
  })
}

/** A `Set-Cookie` line that takes the cookie away. */
export function noBoundCookieLine(exchange: Exchange): string {
  return setCookie(hostCookieName(COOKIE, exchange.scheme), '', {
    sameSite: 'Lax',
    secure: exchange.scheme === 'https' ? 'secure' : 'insecure',
    maxAge: 0,
  })
}

/**
 * How the cookie is described to a browser that binds it (DBSC, `credentials` of the session instructions).
 */
export function boundCredential(exchange: Exchange, sameSite: SetCookieLine['sameSite']): object {
  const secure = exchange.scheme === 'https' ? '; Secure' : ''
  return {
    type: 'cookie',
    name: hostCookieName(COOKIE, exchange.scheme),
    attributes: `Path=/; HttpOnly; SameSite=${sameSite}${secure}`,
  }
}
