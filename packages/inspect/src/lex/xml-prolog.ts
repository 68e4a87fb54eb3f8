/** What stands in a document type besides declarations: neither opens nor closes one. */
const SKIPPED: readonly (readonly [open: string, close: string])[] = [
  ['<!--', '-->'],
  ['<?', '?>'],
]
const SIGN = /[<>"']/g
const SPACES = /\s{2,}/g
/** A document in which a line also ends at a "next line" (XML 1.1 section 2.11). */
const LATER_VERSION = /^\s{0,64}<\?xml\s[^>]{0,64}?version\s{0,16}=\s{0,16}["']1\.[1-9]/
const NEXT_LINE = '\u0085'

/** The prolog of a document, and whether its end is there. */
export interface Prolog {
  readonly text: string
  readonly isComplete: boolean
}

/**
 * What stands before the first element of an XML document, without comments, instructions and runs of spaces:
 * the document type and what it declares. Linear.
 */
export function prologOf(document: string): Prolog {
  const text =
    document.includes(NEXT_LINE) && LATER_VERSION.test(document)
      ? document.replaceAll(NEXT_LINE, '\n')
      : document
  const parts: string[] = []
  const read = (isComplete: boolean): Prolog => ({ text: parts.join(' ').replace(SPACES, ' '), isComplete })
  for (let at = text.indexOf('<'); at >= 0; at = text.indexOf('<', at)) {
    const skipped = endOfSkipped(text, at)
    if (skipped === text.length) return read(false)
    if (skipped > at) at = skipped
    else if (text[at + 1] !== '!') return read(at + 1 < text.length)
    else {
      const end = copyDeclaration(text, at, parts)
      if (end === text.length) return read(false)
      at = end
    }
  }
  return read(false)
}

/** Behind the comment or the instruction that begins there; `at` where none does. */
function endOfSkipped(text: string, at: number): number {
  for (const [open, close] of SKIPPED) {
    if (!text.startsWith(open, at)) continue
    const end = text.indexOf(close, at + open.length)
    return end < 0 ? text.length : end + close.length
  }
  return at
}

/**
 * Copies a declaration and those in it.
 * @returns behind it; the length of the text where it has no end
 */
function copyDeclaration(text: string, start: number, parts: string[]): number {
  let depth = 0
  let from = start
  let at = start
  while (at < text.length) {
    SIGN.lastIndex = at
    const sign = SIGN.exec(text)
    if (sign === null) break
    at = sign.index
    const skipped = endOfSkipped(text, at)
    if (skipped > at) {
      parts.push(text.slice(from, at))
      from = skipped
      at = skipped
    } else if (sign[0] === '<') {
      depth++
      at++
    } else if (sign[0] === '>') {
      at++
      if (--depth === 0) {
        parts.push(text.slice(from, at))
        return at
      }
    } else {
      const close = text.indexOf(sign[0], at + 1)
      at = close < 0 ? text.length : close + 1
    }
  }
  parts.push(text.slice(from))
  return text.length
}
