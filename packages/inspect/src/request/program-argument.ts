import { decodeUrl } from '../canonicalise/url.ts'

/** Options of interpreters that servers start as CGI programs, alone or with arguments behind them. */
const OPTION = /^[\s"]{0,2}[-\u00ad\u2010-\u2015\ufffd][a-z](?:\s{1,4}[!-~][ -~]{0,400})?$/i
const LONGEST = 512

/**
 * The option that a query hands to a program which a server starts for it: one without a sign of equality
 * is split into arguments (RFC 3875 section 4.4). Undefined for every other query.
 * @param query of a target, without its question mark
 */
export function programArgument(query: string): string | undefined {
  if (query.length > LONGEST || query.includes('=') || query.includes('&')) return undefined
  const first = query.charCodeAt(0)
  // A dash, or what may be one once it is decoded.
  if (first !== 45 && first !== 37 && first !== 43) return undefined
  const text = decodeUrl(query, true)
  return OPTION.test(text) ? text : undefined
}
