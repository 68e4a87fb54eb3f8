import type { Exchange } from '@postern/core'
import { withoutSpace, withoutUnseen } from './trimmed.ts'

/**
 * All values that a `Cookie` header holds under a name, in order (RFC 6265 section 5.4: several may be sent
 * for several paths). An absent header holds none. Every pair is looked at, for who stops earlier than the
 * backend does not see the cookie that it reads; the header's length is bounded by its receiver. The
 * name may have any white space around it, as that of a cookie of the application: many servers take it away.
 */
export function readCookies(header: string | undefined, name: string): readonly string[] {
  return valuesOf(header, name, withoutUnseen)
}

/**
 * The same for a cookie of our own, whose name nothing but a space or tab surrounds. A subdomain may not set
 * `__Host-x`, but may set that name behind a byte 0xA0, which `trim` takes for a space.
 */
export function readOwnCookies(header: string | undefined, name: string): readonly string[] {
  return valuesOf(header, name, withoutSpace)
}

function valuesOf(
  header: string | undefined,
  name: string,
  trimmed: (text: string) => string,
): readonly string[] {
  if (header === undefined || !header.includes(name)) return []
  const found: string[] = []
  for (const pair of header.split(';')) {
    const equals = pair.indexOf('=')
    if (equals < 0 || trimmed(pair.slice(0, equals)) !== name) continue
    const value = withoutSpace(pair.slice(equals + 1))
    found.push(value.length >= 2 && value.startsWith('"') && value.endsWith('"') ? value.slice(1, -1) : value)
  }
  return found
}

/**
 * A `Cookie` header without the cookies of some names, in whatever spelling a backend may take for one of
 * them; undefined when none is left.
 */
export function withoutCookies(header: string | undefined, names: readonly string[]): string | undefined {
  if (header === undefined) return undefined
  const forms = new Set(names.map(oneName))
  const kept = header
    .split(';')
    .map(pair => pair.trim())
    .filter(pair => pair !== '' && !namesOf(pair).some(name => forms.has(oneName(name))))
  return kept.length === 0 ? undefined : kept.join('; ')
}

/**
 * The names that a pair may have. Some parsers end a value at a space (Python's `http.cookies`) or a comma
 * (RFC 2965), so there may be another name behind one.
 */
function namesOf(pair: string): readonly string[] {
  return Array.from(pair.matchAll(/(?:^|[\s,"])([^\s,"=]+)\s*=/g), ([, name = '']) => name)
}

/** PHP reads a dot, a space and an opening bracket of a name as an underscore, and once undid escapes. */
function oneName(name: string): string {
  return unescaped(withoutUnseen(name)).replace(/[ .[]/g, '_')
}

function unescaped(name: string): string {
  try {
    return decodeURIComponent(name)
  } catch {
    return name
  }
}

export interface CookieAttributes {
  readonly path?: string
  readonly maxAge?: number
  readonly sameSite?: 'Strict' | 'Lax' | 'None'
  /** Set on HTTPS; a `__Host-` name needs it. */
  readonly secure: 'secure' | 'insecure'
}

/**
 * A `Set-Cookie` value that scripts cannot read. `maxAge` in seconds. The value must be free
 * of separators: base64url and dots are.
 */
export function setCookie(name: string, value: string, attributes: CookieAttributes): string {
  const { path = '/', maxAge, sameSite = 'Lax', secure } = attributes
  return (
    `${name}=${value}; Path=${path}; HttpOnly; SameSite=${sameSite}` +
    (maxAge === undefined ? '' : `; Max-Age=${Math.floor(maxAge)}`) +
    (secure === 'secure' ? '; Secure' : '')
  )
}

/**
 * One name for HTTPS, which no subdomain and no plain connection can set (`__Host-`, RFC 6265bis
 * section 4.1.3.2), and one for development.
 */
export function hostCookieName(name: string, scheme: 'http' | 'https'): string {
  return scheme === 'https' ? `__Host-${name}` : name
}

/**
 * The `Cookie` header as the handler or backend will see it: what `bind` put in place of the
 * browser's own is read, not what arrived.
 */
export function backendCookies(exchange: Exchange): string | undefined {
  const changes = exchange.requestChanges
  return changes?.has('cookie') === true ? changes.get('cookie') : exchange.header('cookie')
}
