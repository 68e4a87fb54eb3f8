/**
 * What a Sigma text with `*` (any text) and `?` (any one character) matches; a backslash before either takes
 * its meaning away.
 */
export class WildcardPattern {
  readonly #pieces: readonly string[]

  constructor(pattern: string) {
    this.#pieces = splitPieces(pattern)
  }

  /** The longest text that everything it matches has in it; empty when there is none. */
  get longestWord(): string {
    let longest = ''
    for (const piece of this.#pieces) {
      for (const word of piece.split('\0')) if (word.length > longest.length) longest = word
    }
    return longest
  }

  /**
   * Whether the whole text matches. Pieces are looked for from left to right without going back: linear in
   * text times pieces.
   */
  matches(text: string): boolean {
    return matchesPieces(this.#pieces, text)
  }
}

/** Whether a text holds a wildcard at all. */
export function hasWildcard(text: string): boolean {
  // Nearly all of thousands of words have none.
  if (!text.includes('*') && !text.includes('?')) return false
  return /[*?]/.test(text.replace(/\\[*?\\]/g, ''))
}

/** A text without wildcards as it is meant, its backslashes taken off. */
export function unquote(text: string): string {
  return text.includes('\\') ? text.replace(/\\([*?\\])/g, '$1') : text
}

/** The texts between the stars; a lone `?` is kept as U+0000 for "any one character". */
function splitPieces(pattern: string): readonly string[] {
  const pieces = ['']
  for (let i = 0; i < pattern.length; i++) {
    const char = pattern[i] as string
    const next = pattern[i + 1]
    const last = pieces.length - 1
    if (char === '\\' && (next === '*' || next === '?' || next === '\\')) {
      pieces[last] += next
      i++
    } else if (char === '*') pieces.push('')
    else pieces[last] += char === '?' ? '\0' : char
  }
  return pieces
}

function matchesPieces(pieces: readonly string[], text: string): boolean {
  const first = pieces[0] ?? ''
  const last = pieces.at(-1) ?? ''
  if (pieces.length === 1) return text.length === first.length && matchesAt(first, text, 0)
  if (text.length < first.length + last.length || !matchesAt(first, text, 0)) return false
  let at = first.length
  const end = text.length - last.length
  for (let i = 1; i < pieces.length - 1; i++) {
    const piece = pieces[i] as string
    const found = findPiece(piece, text, at)
    if (found < 0 || found + piece.length > end) return false
    at = found + piece.length
  }
  return matchesAt(last, text, end)
}

function findPiece(piece: string, text: string, from: number): number {
  if (!piece.includes('\0')) return text.indexOf(piece, from)
  for (let at = from; at + piece.length <= text.length; at++) if (matchesAt(piece, text, at)) return at
  return -1
}

function matchesAt(piece: string, text: string, at: number): boolean {
  if (!piece.includes('\0')) return text.startsWith(piece, at)
  for (let i = 0; i < piece.length; i++) if (piece[i] !== '\0' && piece[i] !== text[at + i]) return false
  return true
}
