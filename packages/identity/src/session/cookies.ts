import { withoutSpace } from '../headers/trimmed.ts'

/** How cookies of this origin are named and marked. */
export interface CookieJar {
  /** The full name of a cookie. */
  name(short: string): string
  /**
   * The value of a cookie, or undefined when it is missing, or there twice: two of
   * one name mean that somebody planted one.
   */
  read(header: string | undefined, short: string): string | undefined
  /** A `Set-Cookie` value. @param maxAge seconds; the browser's session unless given */
  set(short: string, value: string, maxAge?: number): string
  /** A `Set-Cookie` value that removes it. */
  clear(short: string): string
}

/**
 * Cookies with the `__Host-` prefix (RFC 6265bis section 4.1.3.2): only this host over TLS can set them,
 * and no subdomain can plant one. On plain HTTP, which is for development on loopback only, browsers do not
 * take the prefix; it is left out there.
 */
export function cookieJar(isSecure: 'https' | 'http'): CookieJar {
  const prefix = isSecure === 'https' ? '__Host-postern-' : 'postern-'
  const marks = `; Path=/; HttpOnly; SameSite=Lax${isSecure === 'https' ? '; Secure' : ''}`
  return {
    name: short => prefix + short,
    read: (header, short) => readCookie(header, prefix + short),
    set: (short, value, maxAge) =>
      `${prefix}${short}=${value}${marks}${maxAge === undefined ? '' : `; Max-Age=${Math.floor(maxAge)}`}`,
    clear: short => `${prefix}${short}=${marks}; Max-Age=0`,
  }
}

/** Of a name only spaces and tabs are left out: behind any other byte a subdomain may plant it. */
function readCookie(header: string | undefined, name: string): string | undefined {
  if (header === undefined || !header.includes(name)) return undefined
  let found: string | undefined
  for (const part of header.split(';')) {
    const equals = part.indexOf('=')
    if (equals < 0 || withoutSpace(part.slice(0, equals)) !== name) continue
    if (found !== undefined) return undefined
    found = withoutSpace(part.slice(equals + 1))
  }
  return found
}
