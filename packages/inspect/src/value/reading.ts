import { type Features, scanFeatures, seen } from './features.ts'

/**
 * Which part of a request a value comes from; `form` is a field of a form, `body` a value of every other
 * body.
 */
export type Place = 'path' | 'query' | 'header' | 'cookie' | 'form' | 'body' | 'name' | 'file-name'

/** Whether a value stands in a body. */
export function isBody(place: Place): boolean {
  return place === 'body' || place === 'form'
}

/** One decoding of one value, as the rules see it. */
export interface Reading {
  /** Decoded, in the sender's case. */
  readonly text: string
  /** The same in lower case, same length. */
  readonly lower: string
  readonly chars: number
  readonly words: number
  /** As bits of `HOLDS`. */
  readonly holds: number
  /** Asked by rules that decide by it: what they say of the text holds there alone. */
  readonly place: Place
  /** The same, for who only looks which rules are to run. */
  readonly standsIn: Place
  /** Lower-case name of the parameter, header or field; empty for the path. */
  readonly name: string
  /** Whether `text` starts where the value starts: false for the later windows of a long value. */
  readonly fromStart: boolean
  /** Whether it is a line or another part of a text that is read as a whole too. */
  readonly isPiece: boolean
  /** Whether its markup came out of named character references (`&lt;`). */
  readonly isEscaped: boolean
}

/** What a reading is, besides its text. */
export type ReadingHead = Pick<Reading, 'place' | 'fromStart' | 'isPiece' | 'isEscaped'>

/** Who knows the name of the parameter: it is asked when a rule asks for it. */
export interface Named {
  /** In lower case. */
  readonly name: string
  /** Set when a rule asks in which place the text stands. */
  isPlaceAsked?: boolean
}

/**
 * Makes a reading of a text, scanning it once. Lower-casing keeps the length, so that spans fit both. Most
 * readings are held against no rule, so what only rules ask for is made when one does.
 * @param scanned what a scan of this very text saw, if there was one
 */
export function readingOf(text: string, named: Named, head: ReadingHead, scanned?: Features): Reading {
  if (scanned === undefined) scanFeatures(text, 0, text.length)
  return new TextReading(text, named, head, scanned ?? seen)
}

class TextReading implements Reading {
  readonly text: string
  readonly chars: number
  readonly words: number
  readonly holds: number
  readonly standsIn: Place
  readonly fromStart: boolean
  readonly isPiece: boolean
  readonly isEscaped: boolean
  readonly #named: Named
  #lower: string | undefined

  constructor(text: string, named: Named, head: ReadingHead, { chars, words, holds }: Features) {
    this.text = text
    this.chars = chars
    this.words = words
    this.holds = holds
    this.standsIn = head.place
    this.fromStart = head.fromStart
    this.isPiece = head.isPiece
    this.isEscaped = head.isEscaped
    this.#named = named
  }

  get name(): string {
    return this.#named.name
  }

  get place(): Place {
    this.#named.isPlaceAsked = true
    return this.standsIn
  }

  get lower(): string {
    this.#lower ??= lowered(this.text)
    return this.#lower
  }
}

/**
 * A short text that stands for nothing but itself, as the rules see it before anybody asked under which name
 * it stands. One object for all such texts of a request, which are most of it.
 */
export class PlainReading implements Reading {
  text = ''
  chars = 0
  words = 0
  holds = 0
  standsIn: Place = 'body'
  readonly fromStart = true
  readonly isPiece = false
  readonly isEscaped = false
  /** Whether a rule asked for the name: what the rules said then counts for nothing. */
  isNameAsked = false
  /** Whether what the rules said holds in this place alone. */
  isPlaceAsked = false
  #lower: string | undefined

  /** @param scanned what a scan of the text saw */
  begin(text: string, place: Place, { chars, words, holds }: Readonly<Features>): void {
    this.text = text
    this.chars = chars
    this.words = words
    this.holds = holds
    this.standsIn = place
    this.isNameAsked = false
    this.isPlaceAsked = false
    this.#lower = undefined
  }

  get name(): string {
    this.isNameAsked = true
    return ''
  }

  get place(): Place {
    this.isPlaceAsked = true
    return this.standsIn
  }

  get lower(): string {
    this.#lower ??= lowered(this.text)
    return this.#lower
  }
}

function lowered(text: string): string {
  const lower = text.toLowerCase()
  return lower.length === text.length ? lower : lowerAscii(text)
}

/** Some letters (U+0130) grow when lowered. */
function lowerAscii(text: string): string {
  return text.replace(/[A-Z]/g, letter => letter.toLowerCase())
}
