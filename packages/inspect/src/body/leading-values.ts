import { PART, type Pausing } from '../canonicalise/in-parts.ts'
import type { Steps } from '../value/steps.ts'
import { quotedEnd } from './quoted-end.ts'

// Held, not looked up: see CONTRIBUTING.md.
const { charCodeAt } = String.prototype

const DOUBLE = 34
const SINGLE = 39

/**
 * The JSON values that a text begins with, up to what no JSON text has between two values. Many readers
 * take the first value and leave what follows (`Decoder` of Go, Jackson), or take control characters in
 * strings (Newtonsoft.Json), so bytes that are not text may hold a document all the same. Linear.
 */
export function* leadingValues(text: string, driver: Pausing): Steps<string> {
  let depth = 0
  let pause = PART
  for (let at = 0; at < text.length; at++) {
    const code = charCodeAt.call(text, at)
    if (code === DOUBLE) at = quotedEnd(text, at + 1, '"')
    else if (code === SINGLE) at = quotedEnd(text, at + 1, "'")
    else if (isOpening(code)) depth++
    else if (depth === 0 && !isBetween(code)) return text.slice(0, at)
    else if (isClosing(code)) depth--
    if (at < pause) continue
    pause = at + PART
    driver.work(PART >> 2)
    if (driver.isPaused) yield
  }
  return text
}

function isOpening(code: number): boolean {
  return code === 123 || code === 91
}

function isClosing(code: number): boolean {
  return code === 125 || code === 93
}

/** White space, and the mark of a byte order. */
function isBetween(code: number): boolean {
  return code === 32 || (code >= 9 && code <= 13) || code === 0xfeff
}
