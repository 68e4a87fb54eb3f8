/** A request target, parsed once. */
export interface RequestPath {
  /** The path as sent, without query. `*` for `OPTIONS *`. */
  readonly raw: string
  /**
   * The path that rules are matched against: percent-decoded once, `\` read as `/`, empty and dot segments
   * resolved, `;parameters` and a trailing slash dropped. Case is kept.
   */
  readonly canonical: string
  /** The query as sent, without `?`; empty when there is none. */
  readonly query: string
  /** Why two parsers may disagree about this path, or undefined when they cannot. */
  readonly ambiguity: PathAmbiguity | undefined
}

/** Why two programs may read different paths from one target. */
export type PathAmbiguity =
  | 'encoded-slash'
  | 'encoded-dot-segment'
  | 'dot-segment'
  | 'backslash'
  | 'control-character'
  | 'bad-percent'
  | 'empty-segment'
  | 'path-parameter'
  | 'fragment'
  | 'not-a-path'

/**
 * Letters, digits and `-._~/@:+,=$!` with neither `//` nor `/.`: the path is already
 * canonical, bar a trailing slash.
 */
const PLAIN = /^\/(?:[\w~@:+,=$!-][\w.~@:+,=$!-]*(?:\/(?=[\w~@:+,=$!-])|$))*$/

/**
 * Parses a request target. Linear in its length; never throws. An absolute-form target
 * (RFC 9112 section 3.2.2) must be cut down to its path first. A fragment does not belong in a target
 * (section 3.2), but parsers let it through and routers cut it off, so it is cut off here as well.
 */
export function parseRequestPath(target: string): RequestPath {
  const hash = target.indexOf('#')
  if (hash >= 0) return { ...parseRequestPath(target.slice(0, hash)), ambiguity: 'fragment' }
  const mark = target.indexOf('?')
  const raw = mark < 0 ? target : target.slice(0, mark)
  const query = mark < 0 ? '' : target.slice(mark + 1)
  if (PLAIN.test(raw)) return { raw, canonical: raw, query, ambiguity: undefined }
  if (raw.length > 2 && raw.endsWith('/') && PLAIN.test(raw.slice(0, -1))) {
    return { raw, canonical: raw.slice(0, -1), query, ambiguity: undefined }
  }
  return { raw, query, ...canonicalise(raw) }
}

// biome-ignore lint/complexity/noExcessiveCognitiveComplexity: each branch is one kind of ambiguity, in the order in which they are reported.
function canonicalise(raw: string): Pick<RequestPath, 'canonical' | 'ambiguity'> {
  if (!raw.startsWith('/')) return { canonical: raw, ambiguity: raw === '*' ? undefined : 'not-a-path' }
  let ambiguity: PathAmbiguity | undefined
  const encodedDots = /%2e/i.test(raw)
  if (/%2f|%5c/i.test(raw)) ambiguity = 'encoded-slash'
  const decoded = decodePercent(raw)
  if (decoded.bad) ambiguity ??= 'bad-percent'
  let path = decoded.text
  if (/[\u0000-\u001f\u007f]/.test(path)) ambiguity ??= 'control-character'
  if (path.includes('\\')) {
    ambiguity ??= 'backslash'
    path = path.replaceAll('\\', '/')
  }
  const segments: string[] = []
  const parts = path.split('/')
  for (let i = 1; i < parts.length; i++) {
    const part = parts[i] as string
    const semicolon = part.indexOf(';')
    const segment = semicolon < 0 ? part : part.slice(0, semicolon)
    if (segment === '.' || segment === '..') {
      ambiguity ??= encodedDots ? 'encoded-dot-segment' : 'dot-segment'
      if (segment === '..') segments.pop()
    } else if (segment === '') {
      if (i < parts.length - 1) ambiguity ??= 'empty-segment'
    } else segments.push(segment)
    if (semicolon >= 0) ambiguity ??= 'path-parameter'
  }
  return { canonical: `/${segments.join('/')}`, ambiguity }
}

function decodePercent(text: string): { text: string; bad: boolean } {
  if (!text.includes('%')) return { text, bad: false }
  try {
    return { text: decodeURIComponent(text), bad: false }
  } catch {
    const lenient = text.replace(/%[0-7][0-9a-f]/gi, ascii => decodeURIComponent(ascii))
    return { text: lenient, bad: true }
  }
}
