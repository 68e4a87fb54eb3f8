import type { ConfigException } from '../decision/config-exception.ts'
import type { Exchange } from '../exchange/exchange.ts'
import type { Json } from '../text/json.ts'

const LONGEST_PATTERN = 200

/**
 * The narrowest route pattern that matches an exchange and can be written: method and path. Segments that a
 * pattern cannot hold literally become `*`, the rest of a very long path `**`.
 */
export function narrowestPattern(exchange: Exchange): string {
  const method = /^[A-Z]{1,32}$/.test(exchange.method) ? `${exchange.method} ` : ''
  return `${method}${narrowestPath(exchange.path.canonical)}`
}

/**
 * The narrowest route pattern whose exemptions hold for an exchange. They hold only for a path as the pattern
 * writes it, so what was sent in another spelling (`caf%C3%A9`, a slash at the end) becomes `*` or `**`.
 */
export function exemptingPattern(exchange: Exchange): string {
  const { raw, canonical } = exchange.path
  const pattern = narrowestPattern(exchange)
  const [path = ''] = pattern.split(' ').slice(-1)
  const method = pattern.slice(0, pattern.length - path.length)
  const sent = raw.slice(1).split('/')
  const segments = canonical === '/' ? [] : path.slice(1).split('/')
  const spelled = segments.map((segment, i) => (segment === '**' || segment === sent[i] ? segment : '*'))
  const isWhole = segments.at(-1) === '**' || sent.length === Math.max(segments.length, 1)
  return `${method}/${(isWhole ? spelled : [...spelled, '**']).join('/')}`
}

function narrowestPath(canonical: string): string {
  if (!canonical.startsWith('/')) return '/**'
  let pattern = ''
  for (const segment of canonical === '/' ? [] : canonical.slice(1).split('/')) {
    const written = isLiteral(segment) ? segment : '*'
    if (pattern.length + written.length > LONGEST_PATTERN) return `${pattern}/**`
    pattern += `/${written}`
  }
  return pattern === '' ? '/' : pattern
}

/**
 * Whether this segment, written in a route pattern, matches only itself. Lone
 * surrogates cannot be written to a file.
 */
function isLiteral(segment: string): boolean {
  return segment !== '' && !segment.startsWith(':') && !/[?#*\s\p{Cc}\p{Cs}]/u.test(segment)
}

/**
 * An exception that gives the route of an exchange settings of its own. Other
 * settings of wider patterns still apply there.
 * @param pattern `exemptingPattern` for settings that hold only for a path as its pattern writes it. Default:
 * the narrowest
 */
export function routeException(
  exchange: Exchange,
  settings: { readonly [key: string]: Json },
  pattern: string = narrowestPattern(exchange),
): ConfigException {
  return {
    changes: Object.entries(settings).map(([key, value]) => ({ at: ['routes', pattern, key], set: value })),
  }
}
