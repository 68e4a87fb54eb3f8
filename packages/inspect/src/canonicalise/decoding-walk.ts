import { CHAR, type Features } from '../value/features.ts'
import { isBody, type Named, type Place, type Reading, readingOf } from '../value/reading.ts'
import { THRESHOLDS } from '../value/thresholds.ts'
import { decodeBase64, LONGEST_MESSAGE } from './base64.ts'
import { collapsePadding, type Seam, seamsOf } from './collapse.ts'
import { decodeEntities } from './entities.ts'
import { decodeEscapes } from './escapes.ts'
import { foldText } from './fold.ts'
import { mayHavePieces, piecesOf } from './pieces.ts'
import { closedUpOf } from './spacing.ts'
import { decodeUrl } from './url.ts'

// Held, not looked up: see CONTRIBUTING.md.
const { charCodeAt } = String.prototype

const STRIPPED = CHAR.less | CHAR.greater
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

/** What is undone of a text that nothing decodes as a whole. */
const PLAIN = CHAR.run | CHAR.comment | CHAR.wide | CHAR.control | CHAR.space

/**
 * Characters around which a piece of a value can be a value of its own: line ends, quotes, comment and
 * element marks, brackets.
 */
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

/** What is walked, and how. What costs something to tell is asked for when it matters. */
export interface WalkOptions extends Named {
  readonly place: Place
  /** Whether lines and quoted parts are also read as values of their own. */
  readonly pieces: 'read' | 'pass over'
  /** Which decodings are read: all, or those alone that take padding and odd letters away. Default all. */
  readonly decodings?: 'all' | 'plain'
  /** What a scan of the value saw. Default: it is scanned. */
  readonly scanned?: Features | undefined
}

/**
 * The bounded tree of decodings of one value, one reading at a time: as it is, then URL, `\u` and `\x`,
 * entities, base64, folds, each over each, until nothing changes. Long texts come in
 * overlapping windows, each with a tree of its own, and then what stands around cut padding; of a decoding
 * only the part that differs is read. Each step costs at most what a window costs, so that the caller can
 * stop between any two.
 */
export class DecodingWalk {
  readonly #options: WalkOptions
  readonly #value: string
  readonly #kind: Kind
  /** Where the next window starts; -1 behind the last. */
  #start = 0
  /** What the windows of a long value held together, and which words the text at hand has. */
  #chars = 0
  #words = 0
  /** What stands around padding in a long value, last one first; undefined before its windows were read. */
  #seams: Seam[] | undefined
  /** The text at hand. */
  #text: Text = NOTHING
  /** Texts found in the window, itself first, made when there is more than one; how many are closed up. */
  #found: Text[] | undefined
  #next = 1
  #closedUp = 0
  /** Lines and other parts of the text at hand, last one first; made when it was read. */
  #pieces: string[] | undefined
  /** Those that were read, of texts whose markup was sent as such, and as references. */
  #seenPieces: readonly Set<string>[] | undefined
  /** What a scan saw of a text whose parts were not made yet; 0 where it has none. */
  #unparted = 0
  /** What a scan saw of the text at hand, whose decodings were not made yet; 0 where it has none. */
  #unbranched = 0
  /** Whether the text at hand is a document whose strings are read as values of their own. */
  #areStringsRead = false
  #isCut = false

  constructor(value: string, options: WalkOptions) {
    this.#options = options
    this.#value = value
    this.#kind = kindOf(value, options.place)
  }

  /** Whether a bound stopped the walk before the tree was done: the caller must say so, not pass over it. */
  get isCut(): boolean {
    return this.#isCut
  }

  /** Takes note that no part of the last reading need be read. */
  passOverPieces(): void {
    if (this.#text.changed === undefined) this.#unparted = 0
  }

  /**
   * Takes note that the last reading is a document and its strings are read as values of their own: what
   * turns each plus sign in them into a space, or passes over all that stands between them, adds nothing.
   */
  passOverStrings(): void {
    this.#areStringsRead = true
  }

  /** The next reading; undefined at the end. */
  next(): Reading | undefined {
    const { place } = this.#options
    if (this.#unbranched !== 0) {
      const chars = this.#unbranched
      this.#unbranched = 0
      this.#branch(this.#areStringsRead ? besideStrings(chars) : chars, this.#words)
    }
    if (this.#unparted !== 0) {
      this.#pieces = piecesOf(this.#text.text, this.#unparted)
      this.#unparted = 0
    }
    const piece = this.#nextPiece()
    if (piece !== undefined) {
      const { isEscaped } = this.#text
      return readingOf(piece, this.#options, { place, fromStart: true, isPiece: true, isEscaped })
    }
    if (this.#isCut) return undefined
    let next = this.#found?.[this.#next++]
    if (next === undefined) {
      next = this.#start < 0 ? this.#seam() : this.#window()
      if (next === undefined) return undefined
    }
    this.#text = next
    const { changed, isEscaped } = next
    const fromStart = next.isFirst && changed === undefined
    const scanned = next.text === this.#value ? this.#options.scanned : undefined
    const reading = readingOf(
      changed ?? next.text,
      this.#options,
      { place, fromStart, isPiece: false, isEscaped },
      scanned,
    )
    this.#chars |= reading.chars
    this.#part(reading.chars)
    this.#unbranched = this.#options.decodings === 'plain' ? reading.chars & PLAIN : reading.chars
    this.#words = reading.words
    this.#areStringsRead = false
    return reading
  }

  /** The next part of the text at hand; each is read once, however often it stands in the value. */
  #nextPiece(): string | undefined {
    const pieces = this.#pieces
    if (pieces === undefined) return undefined
    this.#seenPieces ??= [new Set(), new Set()]
    const seen = this.#seenPieces[this.#text.isEscaped ? 1 : 0] as Set<string>
    for (let piece = pieces.pop(); piece !== undefined; piece = pieces.pop()) {
      if (seen.has(piece)) continue
      seen.add(piece)
      return piece
    }
    this.#pieces = undefined
    return undefined
  }

  /** Behind the windows of a long value: what padding tore apart. */
  #seam(): Text | undefined {
    if (this.#seams === undefined) {
      const isPadded = (this.#chars & (CHAR.run | CHAR.comment)) !== 0
      const isLong = this.#value.length > THRESHOLDS.window
      this.#seams = isLong && isPadded ? seamsOf(this.#value, THRESHOLDS.window).reverse() : []
    }
    const seam = this.#seams.pop()
    if (seam === undefined) return undefined
    this.#found = undefined
    this.#closedUp = 0
    this.#next = 1
    return { ...seam, depth: 0, isEscaped: false, isCollapsed: false, changed: undefined }
  }

  #window(): Text {
    const value = this.#value
    const start = this.#start
    const end = start + THRESHOLDS.window
    this.#start = end >= value.length ? -1 : end - THRESHOLDS.windowOverlap
    this.#found = undefined
    this.#closedUp = 0
    this.#next = 1
    const text = start === 0 && end >= value.length ? value : value.slice(start, end)
    return { text, depth: 0, isEscaped: false, isFirst: start === 0, isCollapsed: false, changed: undefined }
  }

  /** Takes note of the text at hand if it may have pieces. */
  #part(chars: number): void {
    if ((chars & PIECES) !== 0 && mayHavePieces(this.#text.text, chars) && this.#options.pieces === 'read')
      this.#unparted = chars
  }

  /** What the text at hand stands for besides: its decodings. */
  #branch(chars: number, words: number): void {
    const { text, isCollapsed, depth } = this.#text
    // What a decoding makes of it, collapsing makes of the same decoding. Those of documents are read once.
    if (isCollapsed) return
    const isLeft = this.#options.place === 'name' || (depth > 0 && (isLong(text) || this.#closedUp > 1))
    const closed = isLeft ? undefined : closedUpOf(text, chars, words)
    if (closed !== undefined) this.#add(closed, isLong(text) === isLong(closed), 'closed up')
    if ((chars & WORTH) === 0 && (chars & STRIPPED) !== STRIPPED) return
    const collapsed = collapsedOf(text, chars)
    if (collapsed !== undefined) this.#add(collapsed, isLong(text) === isLong(collapsed))
    for (const child of (isLong(text) ? longChildrenOf : childrenOf)(text, chars, this.#kind)) {
      if (child !== text && child !== '') this.#add(child, false)
    }
  }

  /** A text that the one at hand stands for besides, unless it was found before. */
  #add(child: string, isCollapsed: boolean, how: 'decoded' | 'closed up' = 'decoded'): void {
    const { text, depth, isEscaped, isFirst } = this.#text
    this.#found ??= [this.#text]
    if (this.#isCut || this.#found.some(known => known.text === child)) return
    // Closing up decodes nothing: of each text there is one such reading at most.
    if (how === 'closed up') this.#closedUp++
    else if (depth === THRESHOLDS.encodings || this.#found.length - this.#closedUp === THRESHOLDS.readings) {
      this.#isCut = true
      return
    }
    this.#found.push({
      text: child,
      depth: how === 'closed up' ? depth : depth + 1,
      isEscaped: isEscaped || this.#isUnescaped(text, child),
      isFirst,
      isCollapsed,
      changed: isLong(text) ? changedPart(text, child) : undefined,
    })
  }

  /**
   * Whether a step undid the references with which editors write markup that is to be shown, where the
   * value was sent with them.
   */
  #isUnescaped(text: string, child: string): boolean {
    const sent = this.#found?.[0]?.text ?? ''
    return ESCAPED.test(sent) && ESCAPED.test(text) && !ESCAPED.test(child) && !DISGUISED.test(text)
  }
}

/** What a value is to its decodings: its base64 is a file, or its plus signs may be plus signs. */
type Kind = 'file' | 'path' | 'value'

function kindOf(value: string, place: Place): Kind {
  if (place === 'path') return 'path'
  return value.length > LONGEST_MESSAGE && isBody(place) ? 'file' : 'value'
}

/** One text of the tree. */
interface Text {
  readonly text: string
  /** How many encodings were undone. */
  readonly depth: number
  readonly isEscaped: boolean
  /** Whether it starts where the value starts. */
  readonly isFirst: boolean
  /** Whether padding was cut from it last, and it is decoded as what it was cut from is. */
  readonly isCollapsed: boolean
  /**
   * What of it was not in the text that it was made of, and what stands around that; undefined: all of it.
   */
  readonly changed: string | undefined
}

const NOTHING: Text = {
  text: '',
  depth: 0,
  isEscaped: false,
  isFirst: true,
  isCollapsed: false,
  changed: undefined,
}

/** Longer texts are decoded by all decodings at once, and only what changed is read. */
const LONG = 1_024
function isLong(text: string): boolean {
  return text.length > LONG
}

/** Characters before and behind a change that are read with it. */
const AROUND = 256

/**
 * The part of `child` that differs from `text`, with what stands around it; undefined when the change
 * begins at the start.
 */
function changedPart(text: string, child: string): string | undefined {
  let start = 0
  const shorter = Math.min(text.length, child.length)
  while (start < shorter && charCodeAt.call(text, start) === charCodeAt.call(child, start)) start++
  if (start < AROUND) return undefined
  let end = 0
  const rest = shorter - start
  while (
    end < rest &&
    charCodeAt.call(text, text.length - 1 - end) === charCodeAt.call(child, child.length - 1 - end)
  )
    end++
  return child.slice(start - AROUND, Math.min(child.length, child.length - end + AROUND))
}

/** A text without its padding; undefined where it has none. */
function collapsedOf(text: string, chars: number): string | undefined {
  const hasComment = (chars & CHAR.comment) !== 0 && text.length > SHORTEST_PADDED
  if ((chars & CHAR.run) === 0 && !hasComment) return undefined
  const collapsed = collapsePadding(text)
  return collapsed === text || collapsed === '' ? undefined : collapsed
}

/** In a shorter text no comment is long enough to be cut. */
const SHORTEST_PADDED = 64

/** What is left where tags are stripped: `o<x>nfocus` becomes `onfocus`. */
const TAG = /<\/?[a-z]{0,10}>/gi
/** In a long text, which may be a page, only inside of words: the rest of it is read as it is. */
const TAG_IN_WORD = /(?<=[a-z])<\/?[a-z]{0,10}>(?=[a-z])/gi

/** Percent signs that escape nothing, one behind the other or inside a word. */
const STRAY = /%[^%\s]%[^%\s]%[^%\s]|\.%\.|[a-z]%(?![\da-f]{2}|u[\da-f]{4})[a-z]/i

/** A text without percent signs that escape nothing: Active Server Pages drop them (`s%elect`). */
function withoutStray(text: string): string {
  return text.replace(/%(?![\da-f]{2}|u[\da-f]{4})/gi, '')
}

/** The decodings of a long text: everything undone in one go. */
function longChildrenOf(text: string, chars: number, kind: Kind): string[] {
  const children: string[] = []
  const undone = (chars & UNDONE) === 0 ? text : undoneOf(text, chars)
  children.push(undone)
  if ((chars & CHAR.percent) !== 0 && STRAY.test(text)) children.push(withoutStray(text))
  if ((chars & STRIPPED) === STRIPPED) children.push(text.replace(TAG_IN_WORD, ''))
  if ((chars & (CHAR.wide | CHAR.control)) !== 0) children.push(foldText(undone))
  if ((chars & CHAR.base64) !== 0) {
    const decoded = decodeBase64(text, kind === 'file')
    if (decoded !== undefined) children.push(decoded)
  }
  return children
}

/**
 * What is left to decode of a document whose strings are read by themselves. A percent sign can stand for a
 * quote and change what is a string, so beside one a plus sign is decoded as ever.
 */
function besideStrings(chars: number): number {
  return chars & ~((chars & CHAR.percent) === 0 ? CHAR.base64 | CHAR.plus : CHAR.base64)
}

/** What escapes and references are written with. */
const UNDONE = CHAR.percent | CHAR.plus | CHAR.ampersand | CHAR.backslash

/** A text with its escapes and references undone, one kind after the other. */
function undoneOf(text: string, chars: number): string {
  let undone = text
  const hasPlus = (chars & (CHAR.plus | CHAR.space)) === CHAR.plus
  if ((chars & CHAR.percent) !== 0) undone = decodeUrl(undone, hasPlus)
  else if (hasPlus) undone = undone.replaceAll('+', ' ')
  if (undone.includes('&')) undone = decodeEntities(undone)
  return undone.includes('\\') ? decodeEscapes(undone) : undone
}

function childrenOf(text: string, chars: number, kind: Kind): string[] {
  const children: string[] = []
  if ((chars & CHAR.percent) !== 0)
    children.push(decodeUrl(text, (chars & (CHAR.plus | CHAR.space)) === CHAR.plus))
  if ((chars & CHAR.percent) !== 0 && STRAY.test(text)) children.push(withoutStray(text))
  // In a path it stands for itself; some programs read it as in a form all the same.
  if (kind === 'path' && (chars & CHAR.percent) !== 0 && (chars & CHAR.plus) !== 0)
    children.push(decodeUrl(text, false))
  else if ((chars & (CHAR.plus | CHAR.space)) === CHAR.plus) children.push(text.replaceAll('+', ' '))
  if ((chars & CHAR.ampersand) !== 0) children.push(decodeEntities(text))
  if ((chars & CHAR.backslash) !== 0) children.push(decodeEscapes(text))
  if ((chars & STRIPPED) === STRIPPED) children.push(text.replace(TAG, ''))
  if ((chars & (CHAR.wide | CHAR.control)) !== 0) children.push(foldText(text))
  if ((chars & CHAR.base64) !== 0) {
    const decoded = decodeBase64(text, kind === 'file')
    if (decoded !== undefined) children.push(decoded)
  }
  return children
}
