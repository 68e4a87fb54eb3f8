import type { Json } from './event.ts'
import type { Exchange } from './exchange.ts'

/** One change to a configuration. `at` names the place by its keys; what is missing on the way there is created. */
export type ConfigChange =
  /** Items to append to a list. */
  | { readonly at: readonly string[]; readonly add: readonly Json[] }
  /** A value to set in place of what stands there. */
  | { readonly at: readonly string[]; readonly set: Json }
  /** Items to take out of a list. */
  | { readonly at: readonly string[]; readonly remove: readonly Json[] }

/**
 * What would let a refused request pass, and as little else as can be written down: all of it is needed. Plain data, so that it can be logged, and rendered in terms
 * of whatever file is loaded.
 */
export interface ConfigException {
  readonly changes: readonly ConfigChange[]
  /** A command to run as well: ends a ban that stands already. */
  readonly command?: string
  /** For what no change of the configuration can express. */
  readonly note?: string
}

const LONGEST_PATTERN = 200

/**
 * The narrowest route pattern that matches an exchange and can be written: method and path. Segments that a pattern cannot hold literally become `*`, the rest of a
 * very long path `**`.
 */
export function narrowestPattern(exchange: Exchange): string {
  const method = /^[A-Z]{1,32}$/.test(exchange.method) ? `${exchange.method} ` : ''
  return `${method}${narrowestPath(exchange.path.canonical)}`
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

/** Whether a route pattern means exactly this segment by it. Lone surrogates cannot be written to a file. */
function isLiteral(segment: string): boolean {
  return segment !== '' && !segment.startsWith(':') && !/[?#*\s\p{Cc}\p{Cs}]/u.test(segment)
}

/** An exception that gives the route of an exchange settings of its own. Other settings of wider patterns stay in force there. */
export function routeException(
  exchange: Exchange,
  settings: { readonly [key: string]: Json },
): ConfigException {
  const pattern = narrowestPattern(exchange)
  return {
    changes: Object.entries(settings).map(([key, value]) => ({ at: ['routes', pattern, key], set: value })),
  }
}
