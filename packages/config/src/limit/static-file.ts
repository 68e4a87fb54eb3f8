import type { Exchange } from '@postern/core'

const ENDINGS = new Set([
  ...['avif', 'css', 'eot', 'gif', 'ico', 'jpeg', 'jpg', 'js', 'map', 'mjs', 'otf'],
  ...['png', 'svg', 'ttf', 'wasm', 'webmanifest', 'webp', 'woff', 'woff2'],
])
const LONGEST_ENDING = 'webmanifest'.length
/** Programs that are run whatever stands behind their name: `/index.php/a.css`. */
const PROGRAM = /\.(?:php\d?|phtml|aspx?|ashx|jspx?|cgi|pl|py|rb|do|action)\//i
/** A version, and no search: `?v=5.2.1`. */
const LONGEST_QUERY = 40

/**
 * Whether a request asks for a file that a page loads: a style, a script, a picture, a font. By its name
 * only, so a limit for these is still one: whoever names a page like a file gets no more than files do.
 */
export function isStaticFile(exchange: Exchange): boolean {
  const { method } = exchange
  if (method !== 'GET' && method !== 'HEAD') return false
  const { canonical, query, ambiguity } = exchange.path
  const dot = canonical.lastIndexOf('.')
  const length = canonical.length - dot - 1
  if (dot < 0 || length < 2 || length > LONGEST_ENDING || canonical.indexOf('/', dot) >= 0) return false
  if (!ENDINGS.has(canonical.slice(dot + 1).toLowerCase()) || exchange.hasBody) return false
  return query.length <= LONGEST_QUERY && ambiguity === undefined && !PROGRAM.test(canonical)
}
