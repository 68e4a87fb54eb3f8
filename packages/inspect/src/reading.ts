import { type Features, scanFeatures, seen } from './features.ts'

/**
 * Which part of a request a value comes from; `form` is a field of a form, `body` a value of every other
 * body.
 */
export type Place = 'path' | 'query' | 'header' | 'cookie' | 'form' | 'body' | 'name' | 'file-name'

/** One decoding of one value, as the rules see it. */
export interface Reading {
  /** Decoded, in the sender's case. */
  readonly text: string
  /** The same in lower case, same length. */
  readonly lower: string
  readonly chars: number
  readonly words: number
  readonly place: Place
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
export type ReadingHead = Pick<Reading, 'place' | 'name' | 'fromStart' | 'isPiece' | 'isEscaped'>

/**
 * Makes a reading of a text, scanning it once. Lower-casing keeps the length, so that spans fit both.
 * @param scanned what a scan of this very text saw, if there was one
 */
export function readingOf(text: string, head: ReadingHead, scanned?: Features): Reading {
  if (scanned === undefined) scanFeatures(text, 0, text.length)
  const { chars, words } = scanned ?? seen
  const lower = text.toLowerCase()
  return {
    text,
    lower: lower.length === text.length ? lower : lowerAscii(text),
    chars,
    words,
    place: head.place,
    name: head.name,
    fromStart: head.fromStart,
    isPiece: head.isPiece,
    isEscaped: head.isEscaped,
  }
}

/** Some letters (U+0130) grow when lowered. */
function lowerAscii(text: string): string {
  return text.replace(/[A-Z]/g, letter => letter.toLowerCase())
}
