import { CHAR } from '../features.ts'
import { type Place, type Reading, readingOf } from '../reading.ts'
import { THRESHOLDS } from '../thresholds.ts'
import { decodeBase64 } from './base64.ts'
import { collapsePadding } from './collapse.ts'
import { decodeEntities } from './entities.ts'
import { decodeEscapes } from './escapes.ts'
import { foldText } from './fold.ts'
import { visitPieces } from './pieces.ts'
import { decodeUrl } from './url.ts'

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
  CHAR.run |
  CHAR.comment

/** Characters around which a piece of a value can be a value of its own: line ends, quotes, comment and element marks, brackets. */
const PIECES =
  CHAR.newline |
  CHAR.quote |
  CHAR.apostrophe |
  CHAR.backtick |
  CHAR.less |
  CHAR.greater |
  CHAR.slash |
  CHAR.hash |
  CHAR.dashes |
  CHAR.star |
  CHAR.paren

/** How editors and libraries write markup that is to be shown ... */
const ESCAPED = /&lt;/i
/** ... and references that none of them makes. */
const DISGUISED =
  /&(?:equals|[lr]par|colon|sol|newline|tab|lowbar|period|comma|excl|[lr]brac[ek]|[lr]cub|[lr]sqb|grave|num|dollar|percnt|plus|ast|bsol|semi|vert);?/i

/** What is walked, and how. */
export interface WalkOptions {
  readonly place: Place
  /** Lower-case name of the parameter. */
  readonly name: string
  /** Whether lines and quoted parts are also read as values of their own. */
  readonly pieces: 'read' | 'pass over'
}

/**
 * The bounded tree of decodings of one value, one reading at a time: as it is, then URL, `\u` and `\x`, entities, base64, folds, each over each, until nothing changes. Long texts come in
 * overlapping windows, very long ones are decoded in overlapping chunks. Each step costs at most what a chunk costs, so that the caller can stop between any two.
 */
export class DecodingWalk {
  readonly #options: WalkOptions
  /** Chunks still to be walked, last one first. */
  readonly #chunks: string[] = []
  #known: string[] = []
  #depths: number[] = []
  #escaped: boolean[] = [false]
  #text = 0
  #start = 0
  #chars = 0
  #pieces: string[] = []
  #pieceIsEscaped = false
  #isFirst = true
  #isCut = false

  constructor(value: string, options: WalkOptions) {
    this.#options = options
    if (value.length <= THRESHOLDS.chunk) this.#known = [value]
    else {
      for (let start = 0; start < value.length; start += THRESHOLDS.chunk - THRESHOLDS.chunkOverlap) {
        this.#chunks.push(value.slice(start, start + THRESHOLDS.chunk))
      }
      this.#chunks.reverse()
      this.#known = [this.#chunks.pop() as string]
    }
    this.#depths = [0]
  }

  /** Whether a bound stopped the walk before the tree was done: the caller must say so, not pass over it. */
  get isCut(): boolean {
    return this.#isCut
  }

  /** The next reading; undefined at the end. */
  next(): Reading | undefined {
    const { place, name } = this.#options
    for (;;) {
      const piece = this.#pieces.pop()
      if (piece !== undefined) return readingOf(piece, place, name, true, this.#pieceIsEscaped)
      if (this.#text >= this.#known.length) {
        const chunk = this.#chunks.pop()
        if (chunk === undefined || this.#isCut) return undefined
        this.#isFirst = false
        this.#known = [chunk]
        this.#depths = [0]
        this.#escaped = [false]
        this.#text = 0
        continue
      }
      const text = this.#known[this.#text] as string
      if (this.#start < 0) {
        this.#branch(text)
        if (this.#isCut) return undefined
        this.#text++
        this.#start = 0
        this.#chars = 0
        continue
      }
      const start = this.#start
      const end = start + THRESHOLDS.window
      const isWhole = start === 0 && end >= text.length
      const reading = readingOf(
        isWhole ? text : text.slice(start, end),
        place,
        name,
        start === 0 && this.#isFirst,
        this.#escaped[this.#text] === true,
      )
      this.#chars |= reading.chars
      this.#start = end >= text.length ? -1 : end - THRESHOLDS.windowOverlap
      return reading
    }
  }

  #branch(text: string): void {
    const chars = this.#chars
    if (this.#options.pieces === 'read' && (chars & PIECES) !== 0) {
      this.#pieceIsEscaped = this.#escaped[this.#text] === true
      visitPieces(text, piece => {
        this.#pieces.push(piece)
        return false
      })
    }
    if ((chars & WORTH) === 0 && (chars & STRIPPED) !== STRIPPED) return
    const depth = this.#depths[this.#text] as number
    for (const child of childrenOf(text, chars)) {
      if (child === text || child === '' || this.#known.includes(child)) continue
      if (depth === THRESHOLDS.encodings || this.#known.length === THRESHOLDS.readings) {
        this.#isCut = true
        return
      }
      this.#known.push(child)
      this.#depths.push(depth + 1)
      this.#escaped.push(
        this.#escaped[this.#text] === true ||
          (ESCAPED.test(this.#known[0] as string) &&
            ESCAPED.test(text) &&
            !ESCAPED.test(child) &&
            !DISGUISED.test(text)),
      )
    }
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
