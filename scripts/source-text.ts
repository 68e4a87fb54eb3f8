// Comments and string literals of a source file, found by one pass over its characters.

export interface Prose {
  readonly kind: 'comment' | 'string'
  /** The text without comment marks or quotes, line breaks kept as single spaces. */
  readonly text: string
  /** Line of the file, from 1, of every character of `text`. */
  readonly lines: readonly number[]
}

const BEFORE_REGEX =
  /(?:^|[(,=:[!&|?{};<>+\-*%~^]|\b(?:return|typeof|case|in|of|do|else|yield|await|void))\s*$/

/**
 * Every comment and string literal of TypeScript or JavaScript source. Adjacent `//` lines are one comment.
 */
export function proseOf(source: string): readonly Prose[] {
  return joinLineComments(pieces(source), source).map(piece => proseOfPiece(piece, source))
}

interface Piece {
  readonly kind: 'line' | 'block' | 'string' | 'template'
  readonly start: number
  readonly end: number
}

function pieces(source: string): readonly Piece[] {
  const found: Piece[] = []
  /** Depths of braces at which a `${` was opened: its `}` returns to the template. */
  const templates: number[] = []
  let depth = 0
  let at = 0
  while (at < source.length) {
    const returns = source[at] === '}' && templates.at(-1) === depth
    if (returns) templates.pop()
    const piece = pieceAt(source, at, returns)
    if (piece !== undefined) {
      found.push(piece)
      at = piece.end
      if (piece.kind === 'template' && source.startsWith('${', at - 2)) templates.push(depth)
    } else if (source[at] === '/' && BEFORE_REGEX.test(source.slice(Math.max(0, at - 40), at))) {
      at = endOfRegex(source, at)
    } else {
      depth += depthOf(source[at])
      at += 1
    }
  }
  return found
}

/** What a character adds to the depth of braces. */
function depthOf(character: string | undefined): number {
  if (character === '{') return 1
  return character === '}' ? -1 : 0
}

function pieceAt(source: string, start: number, inTemplate: boolean): Piece | undefined {
  const first = source[start]
  if (source.startsWith('//', start)) return { kind: 'line', start, end: endOf(source, '\n', start) }
  if (source.startsWith('/*', start)) return { kind: 'block', start, end: endOf(source, '*/', start + 2) + 2 }
  if (first === "'" || first === '"') return { kind: 'string', start, end: endOfQuoted(source, start) }
  if (first === '`' || inTemplate)
    return { kind: 'template', start, end: endOfTemplatePart(source, start + 1) }
  return undefined
}

function endOf(source: string, mark: string, from: number): number {
  const end = source.indexOf(mark, from)
  return end < 0 ? source.length : end
}

function endOfQuoted(source: string, start: number): number {
  let at = start + 1
  while (at < source.length && source[at] !== source[start] && source[at] !== '\n') {
    at += source[at] === '\\' ? 2 : 1
  }
  return at + 1
}

/** Behind the closing backtick, or behind the `${` that interrupts the template. */
function endOfTemplatePart(source: string, start: number): number {
  let at = start
  while (at < source.length && source[at] !== '`') {
    if (source.startsWith('${', at)) return at + 2
    at += source[at] === '\\' ? 2 : 1
  }
  return at + 1
}

function endOfRegex(source: string, start: number): number {
  let inClass = false
  let at = start + 1
  while (at < source.length && source[at] !== '\n' && (inClass || source[at] !== '/')) {
    if (source[at] === '[') inClass = true
    if (source[at] === ']') inClass = false
    at += source[at] === '\\' ? 2 : 1
  }
  return at + 1
}

function joinLineComments(all: readonly Piece[], source: string): readonly Piece[] {
  const joined: Piece[] = []
  for (const piece of all) {
    const last = joined.at(-1)
    if (
      piece.kind === 'line' &&
      last?.kind === 'line' &&
      /^\n[ \t]*$/.test(source.slice(last.end, piece.start))
    ) {
      joined[joined.length - 1] = { kind: 'line', start: last.start, end: piece.end }
    } else joined.push(piece)
  }
  return joined
}

function proseOfPiece(piece: Piece, source: string): Prose {
  const firstLine = source.slice(0, piece.start).split('\n').length
  const isString = piece.kind === 'string' || piece.kind === 'template'
  const lines: number[] = []
  let text = ''
  for (const [index, line] of source.slice(piece.start, piece.end).split('\n').entries()) {
    const bare = isString ? line : line.replace(/^\s*(?:\/\/+|\/?\*+\/?)\s?|\s*\*+\/$/g, '')
    const words = `${bare.trim()} `
    text += words
    for (let i = 0; i < words.length; i += 1) lines.push(firstLine + index)
  }
  return { kind: isString ? 'string' : 'comment', text, lines }
}
