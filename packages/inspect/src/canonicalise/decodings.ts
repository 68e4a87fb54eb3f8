import { CHAR } from '../features.ts'
import { type Place, type Reading, readingOf } from '../reading.ts'
import { decodeBase64 } from './base64.ts'
import { collapsePadding } from './collapse.ts'
import { decodeEntities } from './entities.ts'
import { decodeEscapes } from './escapes.ts'
import { foldText } from './fold.ts'
import { decodeUrl } from './url.ts'

/** How many readings one value may have. */
const MAX_READINGS = 24
/** How many encodings may lie inside each other. */
const MAX_DEPTH = 6
/** Longer texts are read in windows of this many characters ... */
const WINDOW = 8_192
/** ... that overlap by so many, so that an attack of up to this length lies whole in one of them. */
const OVERLAP = 512

const STRIPPED = CHAR.less | CHAR.greater
const MAX_STRIPPED = 1_024
const WORTH =
  CHAR.percent |
  CHAR.ampersand |
  CHAR.backslash |
  CHAR.base64 |
  CHAR.wide |
  CHAR.control |
  CHAR.plus |
  CHAR.run

/** Told each reading; returns true when it has seen enough. */
export type ReadingVisitor = (reading: Reading) => boolean

/**
 * Walks the bounded tree of decodings of one value: as it is, then URL, `\u` and `\x`, entities, base64, folds, each over each, until nothing
 * changes. Long texts come in overlapping windows. Texts already seen are not visited again.
 * @returns false when a bound stopped the walk before the tree was done: the caller must say so, not pass over it
 */
export function visitDecodings(value: string, place: Place, name: string, visit: ReadingVisitor): boolean {
  const known = [value]
  const depths = [0]
  for (let next = 0; next < known.length; next++) {
    const text = known[next] as string
    const depth = depths[next] as number
    const chars = visitWindows(text, place, name, visit)
    if (chars === undefined) return true
    if ((chars & WORTH) === 0 && (chars & CHAR.comment) === 0 && (chars & STRIPPED) !== STRIPPED) continue
    for (const child of childrenOf(text, chars)) {
      if (child === text || child === '' || known.includes(child)) continue
      if (depth === MAX_DEPTH || known.length === MAX_READINGS) return false
      known.push(child)
      depths.push(depth + 1)
    }
  }
  return true
}

/** All features of the text, or undefined when the visitor has seen enough. */
function visitWindows(text: string, place: Place, name: string, visit: ReadingVisitor): number | undefined {
  let chars = 0
  for (let start = 0; ; start += WINDOW - OVERLAP) {
    const end = start + WINDOW
    const whole = start === 0 && end >= text.length
    const reading = readingOf(whole ? text : text.slice(start, end), place, name, start === 0)
    chars |= reading.chars
    if (visit(reading)) return undefined
    if (end >= text.length) return chars
  }
}

function childrenOf(text: string, chars: number): string[] {
  const children: string[] = []
  if ((chars & CHAR.run) !== 0 || ((chars & CHAR.comment) !== 0 && text.length > 64)) {
    const collapsed = collapsePadding(text)
    if (collapsed !== text) children.push(collapsed)
  }
  if ((chars & CHAR.percent) !== 0)
    children.push(decodeUrl(text, (chars & (CHAR.plus | CHAR.space)) === CHAR.plus))
  else if ((chars & (CHAR.plus | CHAR.space)) === CHAR.plus) children.push(text.replaceAll('+', ' '))
  if ((chars & CHAR.ampersand) !== 0) children.push(decodeEntities(text))
  if ((chars & CHAR.backslash) !== 0) children.push(decodeEscapes(text))
  // What is left where tags are stripped: `o<x>nfocus` becomes `onfocus`.
  if ((chars & STRIPPED) === STRIPPED && text.length <= MAX_STRIPPED) {
    const stripped = text.replace(/<\/?[a-z]{1,10}>/gi, '')
    if (stripped !== text) children.push(stripped)
  }
  if ((chars & (CHAR.wide | CHAR.control)) !== 0) children.push(foldText(text))
  if ((chars & CHAR.base64) !== 0) {
    const decoded = decodeBase64(text)
    if (decoded !== undefined) children.push(decoded)
  }
  return children
}
