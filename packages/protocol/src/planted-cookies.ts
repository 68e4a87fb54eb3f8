import { type Exchange, headerValue } from '@postern/core'

/** A name that browsers let nobody set but the host itself (RFC 6265bis section 4.1.3), with its sign. */
const GUARDED = /__(?:host|secure)-[\w.%+-]{0,100}[ \t]*=/gi
/** Behind which some servers begin another cookie, or take it away: no visible character, comma and quote. */
const BORDER = /[^!-~]|[,"]/

/** Whether a `Cookie` header holds such a name inside another cookie. Most headers are ruled out at once. */
export function mayBePlanted(value: string): boolean {
  return value.includes('__') && withoutPlanted(value) !== value
}

/**
 * Takes cookies out of the request that a subdomain set and that some server takes for a `__Host-` or
 * `__Secure-` cookie: Django where the name stands behind U+00A0, `http.cookies` of Python behind a space in
 * the value of another cookie. The browser, which refuses these names to subdomains, sees another name there.
 */
export function dropPlantedCookies(exchange: Exchange): void {
  const sent = headerValue(exchange.headers, 'cookie')
  if (sent === undefined) return
  const kept = withoutPlanted(sent)
  if (kept !== sent) exchange.setRequestHeader('cookie', kept === '' ? undefined : kept)
}

function withoutPlanted(header: string): string {
  if (header.search(GUARDED) < 0) return header
  const pairs = header.split(';')
  const kept = pairs.filter(pair => !isPlanted(pair))
  return kept.length === pairs.length ? header : kept.join(';').trim()
}

function isPlanted(pair: string): boolean {
  const start = pair.search(/[^ \t]/)
  for (const { index } of pair.matchAll(GUARDED))
    if (index > start && BORDER.test(pair.charAt(index - 1))) return true
  return false
}
