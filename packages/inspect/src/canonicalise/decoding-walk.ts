import { CHAR } from '../features.ts'
import { type Place, type Reading, readingOf } from '../reading.ts'
import { THRESHOLDS } from '../thresholds.ts'
import { decodeBase64 } from './base64.ts'
import { collapsePadding } from './collapse.ts'
import { decodeEntities } from './entities.ts'
import { decodeEscapes } from './escapes.ts'
import { foldText } from './fold.ts'
import { piecesOf } from './pieces.ts'
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
  /** The text at hand. */
  #text: Text
  /** Texts that were found, the one at hand among them; made when there is more than one. */
  #found: Text[] | undefined
  #next = 1
  /** Chunks still to be walked, last one first. */
  #chunks: string[] | undefined
  /** Lines and other parts of the text at hand, last one first. */
  #pieces: string[] | undefined
  /** Where the next window starts; -1 behind the last. */
  #start = 0
  #chars = 0
  #isFirst = true
  #isCut = false

  constructor(value: string, options: WalkOptions) {
    this.#options = options
    let first = value
    if (value.length > THRESHOLDS.chunk) {
      const chunks: string[] = []
      const step = THRESHOLDS.chunk - THRESHOLDS.chunkOverlap
      for (let start = 0; start + THRESHOLDS.chunkOverlap < value.length; start += step)
        chunks.push(value.slice(start, start + THRESHOLDS.chunk))
      this.#chunks = chunks.reverse()
      first = chunks.pop() as string
    }
    this.#text = { text: first, depth: 0, isEscaped: false }
  }

  /** Whether a bound stopped the walk before the tree was done: the caller must say so, not pass over it. */
  get isCut(): boolean {
    return this.#isCut
  }

  /** The next reading; undefined at the end. */
  next(): Reading | undefined {
    const { place, name } = this.#options
    for (;;) {
      const { text, isEscaped } = this.#text
      const piece = this.#pieces?.pop()
      if (piece !== undefined) return readingOf(piece, place, name, true, isEscaped)
      if (this.#start < 0) {
        if (!this.#advance()) return undefined
        continue
      }
      const start = this.#start
      const end = start + THRESHOLDS.window
      const window = start === 0 && end >= text.length ? text : text.slice(start, end)
      const reading = readingOf(window, place, name, start === 0 && this.#isFirst, isEscaped)
      this.#chars |= reading.chars
      this.#start = end >= text.length ? -1 : end - THRESHOLDS.windowOverlap
      if (this.#start < 0) this.#branch()
      return reading
    }
  }

  /** On to the next text, or to the next chunk. */
  #advance(): boolean {
    if (this.#isCut) return false
    let next = this.#found?.[this.#next++]
    if (next === undefined) {
      const chunk = this.#chunks?.pop()
      if (chunk === undefined) return false
      next = { text: chunk, depth: 0, isEscaped: false }
      this.#found = undefined
      this.#next = 1
      this.#isFirst = false
    }
    this.#text = next
    this.#start = 0
    this.#chars = 0
    return true
  }

  /** What the text at hand stands for besides: its pieces, and its decodings. */
  #branch(): void {
    const chars = this.#chars
    const { text, depth, isEscaped } = this.#text
    if (this.#options.pieces === 'read' && (chars & PIECES) !== 0) this.#pieces = piecesOf(text, chars)
    if ((chars & WORTH) === 0 && (chars & STRIPPED) !== STRIPPED) return
    for (const child of childrenOf(text, chars)) {
      if (child === text || child === '') continue
      this.#found ??= [this.#text]
      if (this.#found.some(known => known.text === child)) continue
      if (depth === THRESHOLDS.encodings || this.#found.length === THRESHOLDS.readings) {
        this.#isCut = true
        return
      }
      this.#found.push({
        text: child,
        depth: depth + 1,
        isEscaped: isEscaped || this.#isUnescaped(text, child),
      })
    }
  }

  /** Whether a step undid the references with which editors write markup that is to be shown, where the value was sent with them. */
  #isUnescaped(text: string, child: string): boolean {
    const sent = this.#found?.[0]?.text ?? ''
    return ESCAPED.test(sent) && ESCAPED.test(text) && !ESCAPED.test(child) && !DISGUISED.test(text)
  }
}

/** One text of the tree. */
interface Text {
  readonly text: string
  /** How many encodings were undone. */
  readonly depth: number
  readonly isEscaped: boolean
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
