/** What was changed of a cookie, for the report: attributes, never its value. */
export interface CookieChange {
  readonly name: string
  readonly added: readonly ('Secure' | 'HttpOnly' | 'SameSite=Lax')[]
}

/** Names of cookies that scripts are meant to read: double-submit tokens and what the page shows. */
const FOR_SCRIPTS = /csrf|xsrf|^(?:theme|lang|locale|consent|cookie[-_]?consent)$/i

/**
 * A `Set-Cookie` line with the attributes that it lacks: `Secure` on HTTPS, `SameSite=Lax` when it says none,
 * `HttpOnly` when its name does not say that scripts read it. Nothing that stands is weakened or replaced.
 */
export function tightenCookie(
  line: string,
  scheme: 'http' | 'https',
): { readonly line: string; readonly change: CookieChange | undefined } {
  const [pair = '', ...attributes] = line.split(';')
  const name = pair.split('=', 1)[0]?.trim() ?? ''
  const has = (attribute: string): boolean =>
    attributes.some(text => text.split('=', 1)[0]?.trim().toLowerCase() === attribute)
  const added: CookieChange['added'][number][] = []
  if (scheme === 'https' && !has('secure')) added.push('Secure')
  if (!has('httponly') && !FOR_SCRIPTS.test(name)) added.push('HttpOnly')
  if (!has('samesite')) added.push('SameSite=Lax')
  if (added.length === 0) return { line, change: undefined }
  return { line: `${line}; ${added.join('; ')}`, change: { name: name.slice(0, 100), added } }
}
