import { scanFeatures, seen } from './features.ts'

/** Which part of a request a value comes from; `form` is a field of a form, `body` a value of every other body. */
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
  /** Whether its markup came out of named character references (`&lt;`). */
  readonly isEscaped: boolean
}

/** Makes a reading of a text, scanning it once. Lower-casing keeps the length, so that spans fit both. */
export function readingOf(
  text: string,
  place: Place,
  name: string,
  fromStart: boolean,
  isEscaped: boolean,
): Reading {
  scanFeatures(text, 0, text.length)
  const lower = text.toLowerCase()
  return {
    text,
    lower: lower.length === text.length ? lower : lowerAscii(text),
    chars: seen.chars,
    words: seen.words,
    place,
    name,
    fromStart,
    isEscaped,
  }
}

/** Some letters (U+0130) grow when lowered. */
function lowerAscii(text: string): string {
  return text.replace(/[A-Z]/g, letter => letter.toLowerCase())
}
