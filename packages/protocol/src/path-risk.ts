import type { RequestPath, RouteTable } from '@postern/core'

/** Ways in which a path can mean one thing to the rules and another to the backend. */
export type PathRisk =
  | 'dot-segment'
  | 'encoded-slash'
  | 'double-encoding'
  | 'backslash'
  | 'control-character'
  | 'bad-percent'
  | 'network-path'
  | 'not-a-path'
  | 'batch'

const DOT_SEGMENT = /(?:^|[\\/])\.{1,2}(?:[\\/;]|$)/
/**
 * Segments that name the folder they stand in, as `apt` asks for them: every reading is that folder, or
 * nothing.
 */
const CURRENT = /\/\.(?=\/|$)/g
const CONTROL = /[\u0000-\u001f\u007f]/
/**
 * A percent sign that starts no byte, or a byte that can start no UTF-8 text but an
 * overlong one (RFC 3629 section 3).
 */
const BROKEN_PERCENT = /%(?![0-9a-f]{2})|%(?:c[01]|f[5-9a-f])/i

/** A backslash between two letters or digits: classes of PHP in addresses (`/credentials/App%5CAuth`). */
const INSIDE_NAME = /(?<=\w)\\(?=\w)/g

/**
 * Why a path must not pass, or undefined. Only readings that could evade a rule count:
 * `;parameters`, an inner empty segment, a plain `.` segment and text in an old encoding are common and
 * harmless, because the canonical path is the stricter reading. An encoded slash, or an encoded backslash
 * inside a name, is refused only where decoding it would bring the request under another route.
 *
 * @param routes the table that rules hang on; without it an encoded slash alone is harmless
 */
export function pathRisk(path: RequestPath, method: string, routes?: RouteTable): PathRisk | undefined {
  if (path.ambiguity === undefined) {
    return path.canonical.includes('%') && DOT_SEGMENT.test(decodeAgain(path.canonical))
      ? 'double-encoding'
      : undefined
  }
  if (path.ambiguity === 'not-a-path') return 'not-a-path'
  const raw = path.raw.replace(CURRENT, '')
  const once = decodeAgain(raw)
  if (CONTROL.test(once)) return 'control-character'
  if (DOT_SEGMENT.test(once)) return 'dot-segment'
  if (raw.includes('\\') || once.replace(INSIDE_NAME, '').includes('\\')) return 'backslash'
  if (BROKEN_PERCENT.test(raw)) return 'bad-percent'
  if (DOT_SEGMENT.test(decodeAgain(once))) return 'double-encoding'
  if (raw.startsWith('//')) return 'network-path'
  return slashRisk(raw, path, method, routes)
}

/** Whether it matters where an encoded slash or backslash is decoded. */
function slashRisk(
  raw: string,
  path: RequestPath,
  method: string,
  routes: RouteTable | undefined,
): PathRisk | undefined {
  if (routes === undefined || !/%(?:2f|5c)/i.test(raw)) return undefined
  const slash = /%2f/i.test(raw)
  // Which of the two a backend decodes makes more readings than are compared.
  if (/%5c/i.test(raw)) return slash || !sameRoute(raw, path, method, routes) ? 'backslash' : undefined
  return sameRoute(raw, path, method, routes) ? undefined : 'encoded-slash'
}

/**
 * Whether the reading that keeps `%2f` and `%5c` inside a segment falls under the same rules
 * as the one that splits there.
 */
function sameRoute(raw: string, path: RequestPath, method: string, routes: RouteTable): boolean {
  const kept = raw
    .replace(/%(?:2f|5c)/gi, '_')
    .replace(/;[^/]*/g, '')
    .replace(/\/{2,}/g, '/')
  const unsplit = kept.length > 1 && kept.endsWith('/') ? kept.slice(0, -1) : kept
  return (
    routes.match(method, decodeAgain(unsplit))?.settings === routes.match(method, path.canonical)?.settings
  )
}

/** Decodes what ASCII the percent signs spell; the rest stays as it is. Never throws. */
function decodeAgain(text: string): string {
  return text.replace(/%([0-7][0-9a-f])/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
}
