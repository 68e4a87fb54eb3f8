import { type Exchange, headerValue } from '@postern/core'

/** Two underscores in some spelling: what most headers do not hold. */
const MARK = /(?:_|%5f){2}/i
/**
 * The beginning of a name that browsers let nobody set but the host itself (RFC 6265bis section 4.1.3), with
 * its sign behind it. Some servers read what is percent-encoded in a name.
 */
const GUARDED = new RegExp(
  `${encodable('__')}(?:${encodable('host')}|${encodable('secure')})${encodable('-')}(?=[^\\s;,"=]{0,100}[ \\t]*=)`,
  'gi',
)
/**
 * Behind which some servers begin another cookie, or take it away: no visible character, comma, quote,
 * brackets and backslash.
 */
const BORDER = /[^!-~]|[,"[\]\\]/

/** Whether a `Cookie` header holds such a name inside another cookie. Most headers are ruled out at once. */
export function mayBePlanted(value: string): boolean {
  return MARK.test(value) && withoutPlanted(value) !== value
}

/**
 * Takes cookies out of the request that a subdomain set and that some server takes for a `__Host-` or
 * `__Secure-` cookie: Django where the name stands behind U+00A0, `http.cookies` of Python behind a space in
 * the value of another cookie, WebOb behind a bracket, CGI.pm, Plack and Rust's `cookie` where a part of it
 * is percent-encoded. The browser, which refuses these names to subdomains, sees another name there.
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
  for (const { index, 0: name } of pair.matchAll(GUARDED)) {
    if (index === start ? name.includes('%') : BORDER.test(pair.charAt(index - 1))) return true
  }
  return false
}

/** A pattern for a text each of whose characters may be percent-encoded, in either letter case. */
function encodable(text: string): string {
  const code = (char: string): string => `%${char.charCodeAt(0).toString(16)}`
  return [...text]
    .map(char => `(?:${[...new Set([char, code(char.toLowerCase()), code(char.toUpperCase())])].join('|')})`)
    .join('')
}
